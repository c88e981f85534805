// `swarm config-ssh`
#include <algorithm>
#include <optional>

#include "cli/ssh/ssh_config.h"
#include "cli/ssh/ssh_files.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

/// Nothing: the server has no SSH listener, or is older than them.
std::optional<boost::json::object> listenerOf(Context& context) {
  try {
    boost::json::object listener = context.client().sshListener();
    if (listener.at("enabled").as_bool()) return listener;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::NotFound) throw;
  }
  return std::nullopt;
}

class ConfigSsh final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.flag("--remove", remove_, "Remove the block");
    arguments.flag("--dry-run", dry_run_, "Print the block, and change nothing");
  }

  int run(Context& context) override {
    const std::string path = sshConfigPath().native();
    std::string block, known_host;
    std::vector<std::string> hosts;
    if (!remove_) {
      for (const Instance& instance : context.client().listInstances({}))
        if (isSshWord(instance.config.name)) hosts.push_back(sshHost(instance.config.name));
      std::ranges::sort(hosts);
      SshOptions jump;
      if (const auto listener = listenerOf(context)) {
        known_host = knownHostOf(*listener);
        jump = listenerOptions(sshFiles(), *listener, context.client().authStatus().user);
      }
      block = sshBlock(hosts, sshOptions(sshFiles(), proxyCommand(context.serverFlags())), jump);
    }
    const auto change = [&block](const std::string& config) { return replaceSshBlock(config, block); };
    if (dry_run_) {
      const std::string config = readSshConfig();
      print(block);
      report(format("{} {}. Nothing was changed.\n", path, config == change(config) ? "has this state already" : "would be changed"));
      return kDone;
    }
    if (!remove_) ensureKey(sshFiles());
    if (!known_host.empty()) pinListener(sshFiles(), known_host);
    const bool changed = changeSshConfig(sshFiles(), change);
    if (remove_)
      report(changed ? format("The block of swarm was removed from {}.\n", path) : "There was no block of swarm.\n");
    else
      report(format("{} has {} of this server: try `ssh {}`.\n", path, hosts.size() == 1 ? "the workspace" : "the workspaces",
                    hosts.empty() ? "NAME.swarm" : hosts.front()));
    return kDone;
  }

 private:
  bool remove_ = false;
  bool dry_run_ = false;
};

}  // namespace

void addConfigSsh(const AddVerb& add) {
  add({.name = "config-ssh",
       .summary = "Keep a block in ~/.ssh/config with which ssh, scp, rsync and VS Code on the desktop reach workspaces as NAME.swarm",
       .examples = {"swarm config-ssh", "swarm config-ssh --remove"},
       .notes = "Workspaces that are created later are reached too; run it again to have them listed by VS Code."},
      std::make_unique<ConfigSsh>());
}

}  // namespace swarm::cli

// `swarm open`
#include "cli/browser.h"
#include "cli/ssh/ssh_config.h"
#include "cli/ssh/ssh_files.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

constexpr std::string_view kFirstFolder = "/home/coder/project";  // as in the browser

/// An instance that does not run.
void reportStopped(const Instance& instance) {
  if (instance.status == InstanceStatus::running) return;
  const std::string& name = instance.config.name;
  report(format("{} is {}. Start it with `swarm start {}`; an open page then continues.\n", name, enumName(instance.status), name));
}

class Open final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id").suggest(workspaceNames());
    arguments.flag("--print", print_only_, "Only print the URL");
    Argument& sign_in = arguments.flag("--sign-in", sign_in_, "Use a one-time link that signs the browser in");
    arguments.flag("--desktop", desktop_, "Open VS Code on the desktop, which connects by SSH (see `swarm config-ssh`)").excludes(sign_in);
  }

  int run(Context& context) override {
    const Instance instance = requireInstance(context, name_);
    if (desktop_) return openDesktop(context, instance);
    const std::string url = sign_in_ ? context.client().createLoginLink(instance.config.name) : instance.url;
    if (!print_only_) {
      openInBrowser(instance, url);
    } else {
      reportStopped(instance);
      printLine(url);
    }
    return kDone;
  }

 private:
  /// Prints the link also when a program opens it: whether VS Code is installed is not known.
  int openDesktop(Context& context, const Instance& instance) const {
    reportStopped(instance);
    if (!print_only_) announceEntry(context, instance.config.name);
    if (!hasSshBlock(readSshConfig())) report("VS Code finds the workspace in ~/.ssh/config: run `swarm config-ssh` first.\n");
    const std::string link = format("vscode://vscode-remote/ssh-remote+{}{}", sshHost(instance.config.name), kFirstFolder);
    printLine(link);
    if (!print_only_) startBrowser(link);
    return kDone;
  }

  std::string name_;
  bool print_only_ = false;
  bool sign_in_ = false;
  bool desktop_ = false;
};

}  // namespace

void openInBrowser(const Instance& instance, const std::string& url) {
  reportStopped(instance);
  if (!isWebLink(url) || !startBrowser(url)) printLine(url);
}

void addOpen(const AddVerb& add) {
  add({.name = "open",
       .summary = "Open VS Code in the browser, or on the desktop",
       .examples = {"swarm open web1", "swarm open web1 --desktop"}},
      std::make_unique<Open>());
}

}  // namespace swarm::cli

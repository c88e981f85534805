// `swarm keys` and its parts
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/ssh/ssh_files.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {
namespace fs = std::filesystem;

constexpr std::streamsize kMaxKeyFile = 8 * 1024;

int listKeys(Context& context) {
  const boost::json::array keys = context.client().listSshKeys();
  std::vector<Listed> rows;
  for (const auto& key : keys) {
    const std::string id = memberText(key, "id"), used = memberText(key, "lastUsedAt");
    rows.push_back({id,
                    {id, memberText(key, "name"), memberText(key, "owner"), memberText(key, "type"), memberText(key, "fingerprint"),
                     used.empty() ? "never" : used}});
  }
  printList(context, keys, {copied("KEY"), "NAME", "OWNER", extra("TYPE"), "FINGERPRINT", "LAST USE"}, rows);
  return kDone;
}

/// The public key that ssh would use first.
fs::path defaultKeyFile() {
  const char* home = std::getenv("HOME");
  const fs::path folder = fs::path(home && *home ? home : "/root") / ".ssh";
  for (const char* name : {"id_ed25519.pub", "id_ecdsa.pub", "id_ed25519_sk.pub", "id_ecdsa_sk.pub", "id_rsa.pub"})
    if (fs::exists(folder / name)) return folder / name;
  throw Error(
      ErrorCode::InvalidArgument,
      format("There is no public key in {}. Make a pair with `ssh-keygen -t ed25519`, or name the file of a public key.", folder.native()));
}

std::string readKeyFile(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(static_cast<std::size_t>(kMaxKeyFile), '\0');
  in.read(text.data(), kMaxKeyFile);
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.empty()) throw Error(ErrorCode::InvalidArgument, format("{} could not be read, or is empty.", file.native()));
  if (text.starts_with("-----BEGIN"))
    throw Error(ErrorCode::InvalidArgument,
                format("{} has a private key. Name the file of the public one: {}.pub.", file.native(), file.native()));
  return text;
}

class KeysAdd final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("file", file_, "File of the public key (default: the one in ~/.ssh)").optional().suggest(fileNames());
    arguments.option("--name", request_.name, "Name of the key (default: its comment)").sets("/name");
    arguments.option("--owner", request_.owner, "Service account for which it is (default: yourself)").suggest(userNames()).sets("/owner");
  }

  int run(Context& context) override {
    request_.key = readKeyFile(file_.empty() ? defaultKeyFile() : fs::path(file_));
    const boost::json::object key = context.client().addSshKey(request_);
    if (printStructured(context, key)) return kDone;
    report(format("{} was added: {}, {}.\n", memberText(key, "id"), memberText(key, "name"), memberText(key, "fingerprint")));
    return kDone;
  }

 private:
  AddSshKeyRequest request_;
  std::string file_;
};

/// A line for known_hosts.
int printHostKey(Context& context) {
  const boost::json::object listener = context.client().sshListener();
  if (printStructured(context, listener)) return kDone;
  if (!listener.at("enabled").as_bool())
    throw Error(ErrorCode::NotFound, "The server has no SSH listener. An administrator sets listen in [ssh] of swarm.toml.");
  print(knownHostOf(listener) + "\n");
  return kDone;
}

void removeKey(Context& context, const std::string& id) {
  context.client().removeSshKey(id);
  report(format("{} was removed.\n", id));
}

}  // namespace

void addKeys(const AddVerb& add) {
  add({.name = "keys",
       .summary = "List the SSH keys with which plain ssh reaches workspaces; add, remove",
       .examples = {"swarm keys", "swarm keys add ~/.ssh/id_ed25519.pub"}},
      plainVerb(listKeys));
  add({.name = "keys list", .summary = "List SSH keys, with their fingerprints and last use", .examples = {"swarm keys list -o json"}},
      plainVerb(listKeys));
  add({.name = "keys add",
       .summary = "Add a public key: who has its private half signs in to the SSH listener as you",
       .examples = {"swarm keys add", "swarm keys add ~/.ssh/work.pub --name laptop"}},
      std::make_unique<KeysAdd>());
  add({.name = "keys remove", .summary = "Remove SSH keys: what was opened with them ends", .examples = {"swarm keys remove k-01h…"}},
      eachVerb({"ids", "Ids of keys", {.command = "swarm keys -o name"}}, removeKey));
  add({.name = "keys host",
       .summary = "Print the host key of the server's SSH listener, as a line for known_hosts",
       .examples = {"swarm keys host >>~/.ssh/known_hosts"},
       .notes = "`swarm config-ssh` pins it too."},
      plainVerb(printHostKey));
}

}  // namespace swarm::cli

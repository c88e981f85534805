// The files of SSH on this machine: the user's key pair and the pinned host keys of workspaces, in $XDG_CONFIG_HOME/swarm/ssh, and the
// configuration of ssh.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "swarm/client.h"

namespace swarm::cli {

/// The end of the host names of workspaces in ssh: web1.swarm.
inline constexpr std::string_view kSshDomain = ".swarm";
/// "web1.swarm". Throws Error when it would not be a word for ssh.
std::string sshHost(const std::string& workspace);
std::string workspaceOfHost(const std::string& host);  ///< "web1"
bool isSshWord(std::string_view text);  ///< letters, digits, "." and "-", which is not first: has no meaning in ssh's files and arguments

struct SshFiles {
  std::filesystem::path folder;
  std::filesystem::path key() const { return folder / "id_ed25519"; }
  std::filesystem::path publicKey() const { return folder / "id_ed25519.pub"; }
  std::filesystem::path knownHosts() const { return folder / "known_hosts"; }
};
SshFiles sshFiles();

/// Makes the key pair with ssh-keygen unless it is there. The private key leaves this machine never; the public one goes with each
/// connection. Throws Error.
void ensureKey(const SshFiles& files);
/// "ssh-ed25519 …". Throws Error.
std::string readPublicKey(const SshFiles& files);

enum class Pin {
  Known,     ///< it was pinned before
  Added,     ///< the first one of this host name
  Replaced,  ///< the name belongs to another workspace than before
  Refused,   ///< the same workspace has another key: the pinned one stays, and ssh refuses the connection
};
/// Pins the host key that the server reports for a workspace, for the program ssh. Safe against concurrent calls. Throws Error.
Pin pinHostKey(const SshFiles& files, const std::string& host, const SshConnection& connection);

/// The line of known_hosts for the server's SSH listener, as the server describes it. Throws Error when it would not be one.
std::string knownHostOf(const boost::json::object& listener);
/// Pins it in place of a former one.
void pinListener(const SshFiles& files, const std::string& known_host);

std::filesystem::path sshConfigPath();  ///< ~/.ssh/config
std::string readSshConfig();            ///< empty when there is none. Throws Error when it cannot be read
/// Replaces the content by what `change` returns for it, in the file that a link at this path leads to; its mode stays. Of concurrent
/// calls, each gets the content that the one before left. False when it stays as it is. Throws Error.
bool changeSshConfig(const SshFiles& files, const std::function<std::string(const std::string&)>& change);

/// The options of ssh for workspaces; `swarm` is the command that reaches the server.
std::vector<std::pair<std::string, std::string>> sshOptions(const SshFiles& files, const std::vector<std::string>& swarm);
/// The same for the SSH listener, through which ssh -J reaches workspaces without this program.
std::vector<std::pair<std::string, std::string>> listenerOptions(const SshFiles& files, const boost::json::object& listener,
                                                                 const std::string& user);
/// This program and the flags with which it reaches the server.
std::vector<std::string> proxyCommand(const std::vector<std::string>& server_flags);

}  // namespace swarm::cli

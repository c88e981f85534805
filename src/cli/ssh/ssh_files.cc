// Key pair, pinned host keys, and what ssh must know of them.
#include "cli/ssh/ssh_files.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/files/descriptor.h"
#include "base/id.h"
#include "base/text/format.h"
#include "cli/context.h"
#include "cli/output/output.h"
#include "cli/replace_file.h"
#include "protocol/ssh.h"

extern char** environ;

namespace swarm::cli {
namespace {
namespace fs = std::filesystem;

constexpr mode_t kPrivate = 0600;
constexpr std::uint16_t kUsualSshPort = 22;  // known_hosts has no port for it
constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
constexpr int kMaxLinks = 40;  // as the kernel follows

/// Held by one process at a time, until destroyed.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    ::chmod(folder.c_str(), 0700);
    folder_ = Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_.valid() || ::flock(folder_.get(), LOCK_EX) != 0)
      throw Error(ErrorCode::OutOfResources, format("The folder {} could not be used: {}.", folder.native(), std::strerror(errno)));
  }

 private:
  Descriptor folder_;
};

std::string readText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The exit code; 127 when the program is missing.
int runQuietly(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) return 127;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// A word of a command line of the shell.
std::string shellWord(std::string_view text) {
  std::string word = "'";
  for (char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

/// In ssh's configuration a percent sign begins a token.
std::string withoutTokens(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

std::string quotedPath(const fs::path& path) {
  if (path.native().find_first_of("\"\\\r\n") != std::string::npos)
    throw Error(ErrorCode::InvalidArgument,
                format("ssh cannot use the path {}: it contains a quote, a backslash or a line break.", path.native()));
  return '"' + withoutTokens(path.native()) + '"';
}

}  // namespace

std::string sshHost(const std::string& workspace) {
  if (!isSshWord(workspace))
    throw Error(ErrorCode::UpstreamFailed, "The server sent an invalid response: the name of the workspace is malformed.");
  return workspaceOfHost(workspace) + std::string(kSshDomain);
}

std::string workspaceOfHost(const std::string& host) {
  return host.ends_with(kSshDomain) ? host.substr(0, host.size() - kSshDomain.size()) : host;
}

bool isSshWord(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.find_first_not_of(kWord) == std::string_view::npos;
}

SshFiles sshFiles() { return {credentialsPath().parent_path() / "ssh"}; }

void ensureKey(const SshFiles& files) {
  if (fs::exists(files.key())) return;
  const FolderLock lock(files.folder);
  if (fs::exists(files.key())) return;
  const fs::path fresh = files.folder / ("new-" + toHex(randomBytes(4)));
  const int code = runQuietly({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "swarm", "-f", fresh});
  if (code == 127) throw Error(ErrorCode::Unprocessable, "The program ssh-keygen is missing. Install OpenSSH (Debian: openssh-client).");
  if (code != 0) throw Error(ErrorCode::OutOfResources, format("ssh-keygen could not make a key in {}.", files.folder.native()));
  // The private key comes last: while it is missing, the pair is made again.
  fs::rename(fresh.native() + ".pub", files.publicKey());
  fs::rename(fresh, files.key());
}

std::string readPublicKey(const SshFiles& files) {
  ensureKey(files);
  if (auto key = agent::readSshPublicKey(readText(files.publicKey()))) return *key;
  throw Error(ErrorCode::InvalidArgument, format("{} has no public key. Remove {} and try again: another pair is made.",
                                                 files.publicKey().native(), files.key().native()));
}

Pin pinHostKey(const SshFiles& files, const std::string& host, const SshConnection& connection) {
  const std::string& id = connection.instanceId();
  if (!isSshWord(host) || !isSshWord(id))  // both become part of a line that ssh reads
    throw Error(ErrorCode::UpstreamFailed, "The server sent an invalid response: the id of the workspace is malformed.");
  const std::string wanted = host + ' ' + connection.hostKey() + ' ' + id;
  const FolderLock lock(files.folder);
  std::string kept;
  Pin pin = Pin::Added;
  std::ifstream file(files.knownHosts());
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(host + ' ')) {
      kept += line + '\n';
      continue;
    }
    if (line == wanted) return Pin::Known;
    if (line.ends_with(' ' + id)) return Pin::Refused;
    pin = Pin::Replaced;
  }
  if (const int problem = replaceFile(files.knownHosts(), kept + wanted + '\n', kPrivate); problem != 0)
    throw Error(ErrorCode::OutOfResources,
                format("The host key could not be written to {}: {}.", files.knownHosts().native(), std::strerror(problem)));
  return pin;
}

std::string knownHostOf(const boost::json::object& listener) {
  const std::string host = memberText(listener, "host");
  const auto key = agent::readSshPublicKey(memberText(listener, "hostKey"));
  const auto port = listener.at("port").to_number<std::uint16_t>();
  if (!isSshWord(host) || !key)
    throw Error(ErrorCode::UpstreamFailed, "The server sent an invalid response: the SSH listener is malformed.");
  return port == kUsualSshPort ? format("{} {}", host, *key) : format("[{}]:{} {}", host, port, *key);
}

void pinListener(const SshFiles& files, const std::string& known_host) {
  const std::string host = known_host.substr(0, known_host.find(' ') + 1);
  const FolderLock lock(files.folder);
  std::string lines;
  std::ifstream file(files.knownHosts());
  for (std::string line; std::getline(file, line);)
    if (!line.starts_with(host)) lines += line + '\n';
  if (const int problem = replaceFile(files.knownHosts(), lines + known_host + '\n', kPrivate); problem != 0)
    throw Error(ErrorCode::OutOfResources,
                format("The host key could not be written to {}: {}.", files.knownHosts().native(), std::strerror(problem)));
}

fs::path sshConfigPath() {
  const char* home = std::getenv("HOME");
  return fs::path(home && *home ? home : "/root") / ".ssh" / "config";
}

std::string readSshConfig() {
  std::error_code error;
  const fs::path path = sshConfigPath();
  if (!fs::exists(path, error)) return {};
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.is_open() && !file.bad()) return text;
  throw Error(ErrorCode::OutOfResources, format("{} could not be read.", path.native()));
}

bool changeSshConfig(const SshFiles& files, const std::function<std::string(const std::string&)>& change) {
  if (const std::string text = readSshConfig(); change(text) == text) return false;
  const FolderLock lock(files.folder);
  const std::string before = readSshConfig(), after = change(before);
  if (after == before) return false;
  std::error_code error;
  fs::path path = sshConfigPath();
  if (fs::create_directories(path.parent_path(), error)) ::chmod(path.parent_path().c_str(), 0700);
  for (int links = 0; links < kMaxLinks && fs::is_symlink(path, error); ++links) path = path.parent_path() / fs::read_symlink(path);
  struct stat former{};
  const mode_t mode = ::stat(path.c_str(), &former) == 0 ? former.st_mode & 07777 : kPrivate;
  if (const int problem = replaceFile(path, after, mode); problem != 0)
    throw Error(ErrorCode::OutOfResources, format("{} could not be written: {}.", path.native(), std::strerror(problem)));
  return true;
}

std::vector<std::pair<std::string, std::string>> sshOptions(const SshFiles& files, const std::vector<std::string>& swarm) {
  std::string command;
  for (const std::string& word : swarm) command += withoutTokens(shellWord(word)) + ' ';
  return {{"User", std::string(agent::kSshUser)},
          {"ProxyCommand", command + "'%h'"},
          {"Port", "22"},  // another one of the user's would be part of the name under which ssh looks for the host key
          {"IdentityFile", quotedPath(files.key())},
          {"IdentitiesOnly", "yes"},
          {"UserKnownHostsFile", quotedPath(files.knownHosts())},
          {"GlobalKnownHostsFile", "/dev/null"},
          {"StrictHostKeyChecking", "yes"},
          {"UpdateHostKeys", "no"}};
}

std::vector<std::pair<std::string, std::string>> listenerOptions(const SshFiles& files, const boost::json::object& listener,
                                                                 const std::string& user) {
  if (user.find_first_not_of(std::string(kWord) + '_') != std::string::npos)
    throw Error(ErrorCode::UpstreamFailed, "The server sent an invalid response: the name of the user is malformed.");
  return {{"HostName", memberText(listener, "host")},
          {"Port", std::to_string(listener.at("port").to_number<std::uint16_t>())},
          {"User", user},
          // What passes here is encrypted already: here, by ciphers for which processors have instructions.
          {"Ciphers", "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com"},
          {"UserKnownHostsFile", quotedPath(files.knownHosts())},
          {"GlobalKnownHostsFile", "/dev/null"},
          {"StrictHostKeyChecking", "yes"},
          {"UpdateHostKeys", "no"}};
}

std::vector<std::string> proxyCommand(const std::vector<std::string>& server_flags) {
  std::vector<std::string> words{fs::read_symlink("/proc/self/exe"), "ssh"};
  words.insert(words.end(), server_flags.begin(), server_flags.end());
  words.push_back("--stdio");
  return words;
}

}  // namespace swarm::cli

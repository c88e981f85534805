#include "engine/transport/socket_access.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/text/format.h"

namespace swarm::engine {
namespace {

namespace fs = std::filesystem;

std::string groupName(gid_t id) {
  std::array<char, 4096> buffer{};
  group entry{};
  group* found = nullptr;
  if (::getgrgid_r(id, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::to_string(id);
  return found->gr_name;
}

/// The socket of a rootless Engine of this user; empty: none.
fs::path rootlessSocket() {
  const char* folder = std::getenv("XDG_RUNTIME_DIR");
  fs::path path = (folder != nullptr ? fs::path(folder) : fs::path("/run/user") / std::to_string(::geteuid())) / "docker.sock";
  std::error_code ignored;
  return fs::is_socket(path, ignored) ? path : fs::path();
}

std::string ofRootless(const fs::path& socket) {
  const fs::path rootless = rootlessSocket();
  if (rootless.empty() || rootless == socket) return {};
  return format(" This user has a rootless Engine: set socketPath of [docker] to {}, or DOCKER_HOST=unix://{}.", rootless.string(),
                rootless.string());
}

SocketTrouble forbidden(const fs::path& socket, const struct stat& facts) {
  const std::string group = groupName(facts.st_gid);
  std::string text = format("This user may not use the Docker Engine's socket {} (group {}, mode {:04o}). ", socket.string(), group,
                            static_cast<unsigned>(facts.st_mode & 07777U));
  if (facts.st_gid == 0 || (facts.st_mode & S_IWGRP) == 0)
    text +=
        "Let the Engine give it to a group (\"group\": \"docker\" in its daemon.json, then restart it), and add the user to that group "
        "(sudo usermod -aG docker $USER, then sign in again), or run the server as root.";
  else
    text += format("Add it to the group that owns the socket (sudo usermod -aG {} $USER, then sign in again), or run the server as root.",
                   group);
  return {text + " Members of the group control the machine." + ofRootless(socket), true};
}

}  // namespace

std::optional<SocketTrouble> socketTrouble(const fs::path& socket) {
  struct stat facts{};
  if (::stat(socket.c_str(), &facts) != 0) {
    if (errno == EACCES)
      return SocketTrouble{format("This user may not enter a folder of the Docker Engine's socket {}. Permit that (chmod o+x), or run the "
                                  "server as a user who may.{}",
                                  socket.string(), ofRootless(socket)),
                           true};
    const std::string reason = errno == ENOENT ? "there is no such socket" : std::strerror(errno);
    std::string rootless = ofRootless(socket);
    return SocketTrouble{format("No Docker Engine responds at unix://{}: {}.{}", socket.string(), reason,
                                rootless.empty()
                                    ? " Install and start the Engine (scripts/engine start, or: systemctl start docker), or set "
                                      "socketPath or host of [docker]."
                                    : rootless)};
  }
  if (!S_ISSOCK(facts.st_mode))
    return SocketTrouble{
        format("{} is not a socket{}. Set socketPath of [docker] to the Docker Engine's.", socket.string(),
               S_ISDIR(facts.st_mode) ? " but a folder, which Docker makes for a mount of a socket that does not exist" : "")};
  if (::faccessat(AT_FDCWD, socket.c_str(), W_OK, AT_EACCESS) != 0 && errno == EACCES) return forbidden(socket, facts);
  return std::nullopt;
}

std::string exposureOf(const Endpoint& endpoint) {
  if (!endpoint.host.empty()) {
    if (endpoint.overSsh || endpoint.tls.enabled || isLocal(endpoint)) return {};
    return format(
        "{} has no TLS: all who can reach that port control the machine, and the network can read what is sent. Give the Engine "
        "certificates (--tlsverify), and [docker] tls.",
        toString(endpoint));
  }
  struct stat facts{};
  if (::stat(endpoint.socketPath.c_str(), &facts) != 0 || (facts.st_mode & S_IWOTH) == 0) return {};
  return format("every user of this machine may use the socket {} (mode {:04o}), and with it becomes root: sudo chmod o-rwx {}.",
                endpoint.socketPath.string(), static_cast<unsigned>(facts.st_mode & 07777U), endpoint.socketPath.string());
}

}  // namespace swarm::engine

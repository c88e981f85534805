// A dockerd that a test starts, kills and restarts: its own folders and pools, nothing shared with the machine's Engine. Needs root.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "conformance/provider/coroutine_runner.h"
#include "provider/docker/docker_config.h"

namespace swarm::testing {

class OwnEngine {
 public:
  struct Options {
    int tmpfsMib = 256;                  ///< the data folder is a tmpfs of this size: a disk that can be filled
    std::vector<std::string> arguments;  ///< more of dockerd's
    bool remapsUsers = false;            ///< userns-remap, with ids that only its own /etc has
  };
  explicit OwnEngine(Options options);
  ~OwnEngine();  ///< stops it (and its containerd) and removes its folders

  static bool possible();  ///< root, and dockerd is installed
  void start();            ///< returns once the process runs; the socket comes later
  void kill();             ///< SIGKILL, as a crash
  void stop();             ///< SIGTERM, as an orderly stop
  bool waitForSocket();    ///< until it responds there; false after 30 s

  std::filesystem::path socket() const { return folder_ / "docker.sock"; }
  std::filesystem::path dataFolder() const { return folder_ / "data"; }
  const std::filesystem::path& folder() const { return folder_; }
  DockerProviderConfig config() const;
  std::string log() const;

 private:
  std::filesystem::path folder_;
  std::string bridge_;
  Options options_;
  pid_t process_ = 0;
};

/// A TCP port of 127.0.0.1 that was free a moment ago.
std::uint16_t freePort();

}  // namespace swarm::testing

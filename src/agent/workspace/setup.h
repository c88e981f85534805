// Setup: prepares a new container for its user. Once in the life of a container, concurrently with VS Code, it writes the settings' files
// into the home (where they are missing) and runs ~/.config/swarm/setup.sh.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>

#include "agent/server/service.h"
#include "model/types/git_identity.h"
#include "protocol/setup_state.h"

namespace swarm::agent {

struct SetupOptions {
  std::string script;  ///< the instance's; written to the home if it has none
  GitIdentity git;     ///< written to ~/.gitconfig if there is none
  std::string user = "coder";
  std::string home = "/home/coder";
  /// Records what was done in this container; stored in its own layer, not in a volume, so that another container starts over.
  std::filesystem::path mark = "/var/lib/swarm/setup.json";
  int logFd = 1;
};

/// On one loop; outlives run().
class Setup {
 public:
  Setup(Executor executor, Children& children, Environment base, SetupOptions options, UserDatabase users = UserDatabase());

  /// Runs until it has ended, or was stopped: then the next run() starts again. Returns at once if there is nothing to do.
  awaitable<void> run();
  awaitable<void> stop(Deadline deadline);
  void setPaused(bool paused) { service_.setPaused(paused); }

  SetupState state() const { return state_; }
  boost::json::object toJson() const;  ///< {"state","exitCode"}

 private:
  awaitable<void> work();
  awaitable<void> fillHome();
  void readMark();
  void writeMark();

  Children& children_;
  Environment base_;
  SetupOptions options_;
  UserDatabase users_;
  Service service_;
  SetupState state_ = SetupState::None;
  int exit_code_ = 0;
  bool done_ = false;
  bool running_ = false;
  bool stopping_ = false;
};

/// A ~/.gitconfig; empty when the identity is.
std::string gitConfigText(const GitIdentity& git);

}  // namespace swarm::agent

// MoveTest: a workspace with files of all kinds, a server that can be killed, and what must be true after whatever happened to a move.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chaos/kill/fly_process.h"
#include "chaos/kill/server_process.h"
#include "chaos/move/user_processes.h"
#include "conformance/provider/docker/test_engine.h"
#include "support/temp_dir.h"

namespace swarm::test {

/// What the two providers hold. A kept place counts as any other.
struct Held {
  std::size_t containers = 0, networks = 0, volumes = 0;  ///< Docker's
  std::size_t apps = 0, machines = 0, flyVolumes = 0;     ///< Fly's, as its API and its backend say
  bool operator==(const Held&) const = default;
};
void PrintTo(const Held& held, std::ostream* out);

class MoveTest : public ::testing::Test {
 protected:
  MoveTest();
  ~MoveTest() override;
  void TearDown() override;

  void boot(std::vector<std::string> environment = {});
  boost::json::value request(const std::string& line);
  boost::json::value must(const std::string& line);  ///< an operation that succeeds
  std::string run(const std::string& command);       ///< in the workspace, by exec
  std::string listing() { return run(judge_); }
  std::string log() const;  ///< its end
  boost::json::object instance();
  std::string providerNow() { return std::string(instance().at("provider").as_string()); }

  /// A workspace at Docker with files; expected_ is their listing.
  void makeWorkspace(const std::string& fill = "tree fill /home/coder/work");
  /// The points that the operation passes, as "name:n" for its n-th pass since the server's start.
  std::vector<std::string> pointsOf(const std::string& line);
  /// The containers that run. "docker": the instance's; "flyio": its Machines'.
  std::vector<std::string> containersAt(const std::string& provider);
  Held held();
  static Held heldFor(std::size_t at_docker, std::size_t at_fly) { return {at_docker, at_docker, at_docker, at_fly, at_fly, at_fly}; }
  bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit = std::chrono::seconds(30));
  /// It runs at `provider`, in no other place, with every file; and the providers hold so many places.
  void expectIntact(const std::string& provider, const Held& held_now);

  TempDir folder_;
  testing::CoroutineRunner runner_;
  testing::TestEngine engine_;
  ServerSettings settings_;
  std::unique_ptr<FlyProcess> fly_;
  std::unique_ptr<UserProcesses> user_processes_;
  std::unique_ptr<ServerProcess> server_;
  std::string memory_;  ///< of the workspace's container, in MiB; empty: 64
  std::string judge_ = "tree list /home/coder";
  std::string expected_;  ///< what it said
};

}  // namespace swarm::test

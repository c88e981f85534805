// Whole moves over a bad network between the server and the agents, and under a writer that never rests.
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <sstream>

#include "base/text/format.h"
#include "chaos/move/move_test.h"

namespace swarm::test {
namespace {

class BadNetwork : public MoveTest {
 protected:
  /// 2,000 files, 50 MB; there and back over connections with `trouble`. The result is read over good ones.
  void moveWith(const std::string& trouble) {
    boot();
    makeWorkspace("tree fill /home/coder/work 2000 25000");
    for (const char* line : {"migrate one flyio region=ams", "migrate one docker"}) {
      server_->end();
      boot({"CHAOS_TROUBLE=" + trouble});
      must(line);
      server_->end();
      boot();
      bool at_fly = providerNow() == "flyio";
      expectIntact(at_fly ? "flyio" : "docker", at_fly ? heldFor(0, 1) : heldFor(1, 0));
      if (HasFatalFailure()) return;
    }
  }
};

TEST_F(BadNetwork, cutsAtAnyTimeLoseNothing) { moveWith("cuts:1"); }
TEST_F(BadNetwork, connectionsThatStandStillLoseNothing) { moveWith("stalls:1"); }
TEST_F(BadNetwork, littleAtOnceAndLateLosesNothing) { moveWith("crawl:1"); }
TEST_F(BadNetwork, requestsThatComeTwiceAndLateLoseNothing) { moveWith("repeats"); }

/// In the containers' own network namespaces, by the kernel: TCP sends again, late and in another order.
class LossyNetwork : public MoveTest {
 protected:
  /// What iptables says, in the namespaces of all places.
  std::string inAllPlaces(const std::string& iptables) {
    std::string said;
    for (const char* provider : {"docker", "flyio"})
      for (const std::string& id : containersAt(provider)) {
        std::int64_t pid = engine::integerAt(engine_.get("/containers/" + id + "/json"), "State.Pid");
        said += outputOf(format("PATH=$PATH:/usr/sbin:/sbin nsenter --target {} --net iptables {}", pid, iptables));
      }
    return said;
  }

 private:
  static std::string outputOf(const std::string& command) {
    std::string output;
    FILE* pipe = ::popen(command.c_str(), "r");
    for (int c = 0; pipe && (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
    if (!pipe || ::pclose(pipe) != 0) throw std::runtime_error(command + " failed: " + output);
    return output;
  }
};

/// How many packets the rules of `listing` (iptables -nvxL) dropped.
long droppedIn(const std::string& listing) {
  std::istringstream lines(listing);
  long dropped = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    long packets = 0, bytes = 0;
    std::string target;
    if (words >> packets >> bytes >> target && target == "DROP") dropped += packets;
  }
  return dropped;
}

TEST_F(LossyNetwork, everyTenthPacketThatIsLostLosesNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to enter the containers' networks";
  boot();
  makeWorkspace("tree fill /home/coder/work 500 20000");
  for (const char* line : {"migrate one flyio region=ams", "migrate one docker"}) {
    server_->end();
    boot({"SWARM_FAULT=controller.migrate.made=stop,controller.migrate.verified=stop"});
    ASSERT_TRUE(server_->send(line));
    ASSERT_TRUE(server_->waitUntilStopped());
    for (const char* chain : {"INPUT", "OUTPUT"}) inAllPlaces(format("-I {} -m statistic --mode random --probability 0.1 -j DROP", chain));
    server_->letGoOn();
    ASSERT_TRUE(server_->waitUntilStopped());
    long dropped = droppedIn(inAllPlaces("-nvxL"));
    std::printf("  %s: %ld packets were lost\n", line, dropped);
    EXPECT_GT(dropped, 20);
    server_->letGoOn();
    auto response = server_->awaitResponse();
    ASSERT_TRUE(response && response->at("status").as_string() == "succeeded") << boost::json::serialize(response.value_or(nullptr));
    inAllPlaces("-F");
    bool at_fly = providerNow() == "flyio";
    expectIntact(at_fly ? "flyio" : "docker", at_fly ? heldFor(0, 1) : heldFor(1, 0));
    if (HasFatalFailure()) return;
  }
}

class RestlessWriter : public MoveTest {};

/// What the writer had done when it was held is at the target, in the order in which it was done.
TEST_F(RestlessWriter, findsAtTheTargetWhatOneMomentOfTheSourceHad) {
  boot();
  makeWorkspace("tree fill /home/coder/work 200 25000");
  for (const char* line : {"migrate one flyio region=ams limit=8000000", "migrate one docker limit=8000000"}) {
    std::string folder = std::string("/home/coder/w") + (providerNow() == "docker" ? "1" : "2");
    run("begin writer " + folder);
    ASSERT_TRUE(eventually([&] { return run("tree judge " + folder).starts_with("right"); }));
    must(line);
    std::string judged = run("tree judge " + folder);
    EXPECT_TRUE(judged.starts_with("right")) << judged;
    long steps = std::stol("0" + judged.substr(std::min(judged.size(), std::string("right: ").size())));
    EXPECT_GT(steps, 100);
    std::printf("  the writer was held after %ld steps\n", steps);
    EXPECT_EQ(run("tree judge " + folder), judged) << "it writes on";
  }
}

}  // namespace
}  // namespace swarm::test

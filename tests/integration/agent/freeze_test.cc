// Frozen and thawed in the real image, where the agent is the first process: VS Code, a terminal's job, and what root started.
#include "integration/agent/image_fixture.h"

namespace swarm::agent {
namespace {

class FreezeInImage : public AgentInImage {
 protected:
  std::size_t freezeIt() { return loop_.run(freeze(target(), "op-snapshot", soon()), kPatience); }
  void thawIt() { loop_.run(thaw(target(), soon()), kPatience); }
};

TEST_F(FreezeInImage, allProcessesStandStillAndNoneNotices) {
  auto before = waitUntilReady();
  workbench();
  run("nohup setsid sh -c 'while :; do echo >> ~/count; sleep 0.01; done' >/dev/null 2>&1 &");
  run("setsid sh -c 'while :; do echo >> /data/count; sleep 0.01; done' >/dev/null 2>&1 &", "root");
  auto processes = container_->processes().size();
  auto began = std::chrono::steady_clock::now();
  auto frozen = freezeIt();
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
  std::printf("%zu processes frozen after %lld ms\n", frozen, static_cast<long long>(took));
  EXPECT_GE(frozen, 4U);
  EXPECT_TRUE(loop_.run(getHealth(target(), soon()), kPatience).ready);
  EXPECT_GE(container_->processes().size(), processes - 2) << "no process has ended, except a sleep";
  thawIt();
  auto size = [this] { return run("cat ~/count /data/count | wc -c").stdoutText; };
  auto first = size();
  for (auto end = soon(); size() == first;) ASSERT_FALSE(end.hasPassed()) << "they count on";
  auto after = waitUntilReady();
  EXPECT_EQ(after.generation, before.generation) << "it is the same VS Code";
  workbench();
}

TEST_F(FreezeInImage, whatStandsStillCanStillBeStopped) {
  waitUntilReady();
  freezeIt();
  auto began = std::chrono::steady_clock::now();
  container_->stop(20);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(15));
  EXPECT_EQ(container_->exitCode(), 0);
}

}  // namespace
}  // namespace swarm::agent

// Rules of ports: durable, and with the instance wherever it is.
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class Ports : public ControllerTest {
 protected:
  Ports() {
    boot();
    create("one");
  }
  void open(PortLevel level, std::optional<std::chrono::hours> life = {}) {
    run(swarm().setPort("one", 8080, {level, life ? std::optional(clock_.now() + *life) : std::nullopt}));
  }
  PortLevel level() { return route("one")->ruleOf(8080, clock_.now()).level; }
  ErrorCode refusalOf(std::uint16_t port, PortRule rule) {
    try {
      run(swarm().setPort("one", port, rule));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  }
};

TEST_F(Ports, arePublishedWhenTheyAreSetAndSurviveAKillAndARestart) {
  EXPECT_EQ(level(), PortLevel::owner);
  open(PortLevel::everyone, std::chrono::hours(1));
  EXPECT_EQ(level(), PortLevel::everyone);
  EXPECT_EQ(route("one")->ruleOf(9090, clock_.now()).level, PortLevel::owner);
  reboot();
  EXPECT_EQ(level(), PortLevel::everyone);
  waitForStatus("one", InstanceStatus::running);
  finish(run(swarm().restartInstance("one", "ann")));
  EXPECT_EQ(level(), PortLevel::everyone);
  open(PortLevel::owner);
  EXPECT_EQ(level(), PortLevel::owner);
  reboot();
  EXPECT_EQ(level(), PortLevel::owner);
}

TEST_F(Ports, endAtTheirTime) {
  open(PortLevel::everyone, std::chrono::hours(1));
  run(swarm().setPort("one", 9090, {PortLevel::shared, clock_.now() + std::chrono::hours(2)}));
  run(swarm().endExpiredPorts());
  EXPECT_EQ(route("one")->ports->size(), 2U);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(level(), PortLevel::owner) << "also before the rule is removed";
  run(swarm().endExpiredPorts());
  EXPECT_EQ(route("one")->ports->size(), 1U);
  clock_.advance(std::chrono::hours(1));
  run(swarm().endExpiredPorts());
  EXPECT_FALSE(route("one")->ports);
}

TEST_F(Ports, areNotPublicOnAServerThatForbidsIt) {
  open(PortLevel::everyone, std::chrono::hours(1));
  options_.publicPorts = false;
  reboot();
  EXPECT_EQ(level(), PortLevel::owner) << "one that was public before";
  EXPECT_EQ(refusalOf(8080, {PortLevel::everyone, clock_.now() + std::chrono::hours(1)}), ErrorCode::PermissionDenied);
  open(PortLevel::signedIn);
  EXPECT_EQ(level(), PortLevel::signedIn);
}

TEST_F(Ports, areNotSetWhenTheStoreDoesNotKeepThem) {
  store_.failWrites = Error(ErrorCode::OutOfResources, "disk full");
  store_.failWritesTimes = 1;
  EXPECT_EQ(refusalOf(8080, {PortLevel::shared}), ErrorCode::OutOfResources);
  EXPECT_EQ(level(), PortLevel::owner);
  open(PortLevel::shared);
  EXPECT_EQ(level(), PortLevel::shared);
}

TEST_F(Ports, haveALimit) {
  for (std::size_t i = 0; i < kMaxPortRules; ++i) run(swarm().setPort("one", static_cast<std::uint16_t>(1000 + i), {PortLevel::shared}));
  EXPECT_EQ(refusalOf(8080, {PortLevel::shared}), ErrorCode::Conflict);
  run(swarm().setPort("one", 1000, {PortLevel::signedIn}));
  run(swarm().setPort("one", 1001, {PortLevel::owner}));
  open(PortLevel::shared);
  EXPECT_EQ(level(), PortLevel::shared);
}

}  // namespace
}  // namespace swarm::test

// kill -9 at any turn of the loop: after a restart every operation ends, nothing is orphaned, nothing is lost.
#include <rapidcheck.h>

#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class Crash : public ControllerTest {
 protected:
  /// Waits until no operation is unfinished.
  void settle() {
    drive([&] {
      for (int i = 0; i < 8; ++i) life_->loop.poll_one();
      for (auto& [id, row] : store_.operations)
        if (row.status == OperationStatus::pending || row.status == OperationStatus::running) return false;
      for (auto& [name, seen] : *swarm().routes().current())
        if (seen->status != InstanceStatus::running && seen->status != InstanceStatus::stopped && seen->status != InstanceStatus::failed)
          return false;
      return true;
    });
  }

  /// Everything in the world belongs to a row, and every row that runs or is stopped has its container and volume.
  void checkInvariants() {
    std::set<std::string> names;
    std::set<std::string> owners;
    for (auto& [id, record] : store_.instances) {
      ASSERT_TRUE(names.insert(record.instance.config.name).second) << "the name " << record.instance.config.name << " is there twice";
      auto container = world_.container(firstPlaceOf(id));
      InstanceStatus status = record.instance.status;
      if (status == InstanceStatus::running || status == InstanceStatus::stopped) {
        ASSERT_TRUE(container) << "the container of " << record.instance.config.name << " is lost";
        ASSERT_EQ(container->status == InstanceStatus::running, status == InstanceStatus::running) << record.instance.config.name;
        for (const std::string& volume : container->volumes) ASSERT_TRUE(world_.volume(volume));
      } else {
        ASSERT_EQ(status, InstanceStatus::failed) << "a transient state was left behind";
      }
      owners.insert(record.instance.owner);
    }
    for (const auto& container : world_.containers())
      ASSERT_TRUE(store_.instances.contains(InstanceId(container.spec.placeId.str()))) << "orphan container of " << container.spec.name;
    for (const auto& network : world_.networks()) ASSERT_TRUE(owners.contains(network.owner)) << "orphan network " << network.name;
    for (auto& [id, row] : store_.operations) ASSERT_TRUE(row.status != OperationStatus::pending && row.status != OperationStatus::running);
  }

  void restartAndCheck() {
    kill();
    world_.setDown(false);
    world_.faults.clear();
    boot();
    turn(300);
    settle();
    checkInvariants();
  }
};

enum class Verb { create, start, stop, restart, update, remove };

TEST_F(Crash, anInterruptedStopThatTookEffectIsNotAnUnexpectedExit) {
  boot();
  create("one");
  auto gate = world_.faults.block("stopInstance/stop container/answer");
  run(swarm().stopInstance("one", "ann"));
  run(gate->reached());
  store_.turnsAtUnfinished = 200;  // the provider responds before the store has returned the unfinished operations
  restartAndCheck();
  EXPECT_EQ(get("one").status, InstanceStatus::stopped);
  for (auto& [id, row] : store_.operations) EXPECT_NE(row.kind, OperationKind::start) << "it was started again";
}

TEST_F(Crash, everyTurnOfEveryVerbIsSurvived) {
  for (Verb verb : {Verb::create, Verb::start, Verb::stop, Verb::restart, Verb::update, Verb::remove}) {
    for (int turns = 1; turns < 400; ++turns) {
      SCOPED_TRACE(testing::Message() << "verb " << int(verb) << " killed after " << turns << " turns");
      boot();
      std::string name = "one";
      if (verb != Verb::create) create(name);
      if (verb == Verb::start) finish(run(swarm().stopInstance(name, "ann")));
      std::string volume = verb == Verb::create ? "" : world_.volumes().at(0).name;
      if (!volume.empty()) world_.writeFile(volume, "notes", "text");
      auto ignore = [](std::exception_ptr, auto&&...) {};
      UpdateRequest change;
      change.env = std::map<std::string, std::string>{{"CHANGED", "yes"}};
      if (verb == Verb::create) boost::asio::co_spawn(loop(), swarm().createInstance(request(name)), ignore);
      if (verb == Verb::start) boost::asio::co_spawn(loop(), swarm().startInstance(name, "ann"), ignore);
      if (verb == Verb::stop) boost::asio::co_spawn(loop(), swarm().stopInstance(name, "ann"), ignore);
      if (verb == Verb::restart) boost::asio::co_spawn(loop(), swarm().restartInstance(name, "ann"), ignore);
      if (verb == Verb::update) boost::asio::co_spawn(loop(), swarm().updateInstance(name, change, "ann"), ignore);
      if (verb == Verb::remove) boost::asio::co_spawn(loop(), swarm().deleteInstance(name, DeleteVolumes::No, "ann"), ignore);
      bool busy = turn(turns);
      restartAndCheck();
      if (HasFatalFailure()) return;
      if (!volume.empty()) {
        ASSERT_TRUE(world_.volume(volume));
        ASSERT_EQ(world_.volume(volume)->files.at("notes"), "text");
      }
      for (auto& instance : run(swarm().listInstances({})).items)
        ASSERT_EQ(finish(run(swarm().deleteInstance(instance.id.str(), DeleteVolumes::Yes, "ann"))).status, OperationStatus::succeeded);
      ASSERT_TRUE(world_.containers().empty());
      ASSERT_TRUE(world_.networks().empty());
      for (const auto& left : world_.volumes()) world_.removeVolume(left.name);
      kill();
      if (!busy) break;  // it had ended before: there is no later turn to be killed at
      ASSERT_LT(turns, 399) << "the verb never ended";
    }
  }
}

TEST_F(Crash, randomHistoriesWithCrashesAndFailuresKeepTheInvariants) {
  bool held = rc::check("random histories", [this] {
    world_.faults.clear();
    boot();
    auto steps = *rc::gen::inRange(1, 15);
    auto ignore = [](std::exception_ptr, auto&&...) {};
    for (int i = 0; i < steps; ++i) {
      std::string name = *rc::gen::element<std::string>("a", "b", "c");
      std::string owner = name == "c" ? "bob" : "ann";
      switch (*rc::gen::inRange(0, 11)) {
        case 0:
        case 1:
          boost::asio::co_spawn(loop(), swarm().createInstance(request(name, owner)), ignore);
          break;
        case 2:
          boost::asio::co_spawn(loop(), swarm().startInstance(name, "ann"), ignore);
          break;
        case 3:
          boost::asio::co_spawn(loop(), swarm().stopInstance(name, "ann"), ignore);
          break;
        case 4:
          boost::asio::co_spawn(loop(), swarm().restartInstance(name, "ann"), ignore);
          break;
        case 5: {
          UpdateRequest change;
          change.env = std::map<std::string, std::string>{{"N", std::to_string(i)}};
          boost::asio::co_spawn(loop(), swarm().updateInstance(name, change, "ann"), ignore);
          break;
        }
        case 6:
          boost::asio::co_spawn(loop(), swarm().deleteInstance(name, DeleteVolumes::Yes, "ann"), ignore);
          break;
        case 7:
          kill();
          boot();
          break;
        case 8: {
          std::string point = *rc::gen::element<std::string>("createInstance/create container/answer", "createInstance/create volume",
                                                             "startInstance/start container/answer", "stopInstance/stop container",
                                                             "deleteInstance/remove container/answer", "replaceInstance/create container");
          ErrorCode code = *rc::gen::element(ErrorCode::Unavailable, ErrorCode::UpstreamFailed, ErrorCode::Unprocessable);
          world_.faults.fail(point, Error(code, "planned"), *rc::gen::inRange(1, 3));
          break;
        }
        case 9:
          if (auto entry = route(name)) world_.exitContainer(firstPlaceOf(entry->instanceId), *rc::gen::inRange(0, 3));
          break;
        case 10:
          world_.setDown(!world_.isDown());
          break;
      }
      turn(*rc::gen::inRange(0, 120));
    }
    restartAndCheck();
    RC_ASSERT(!HasFatalFailure());
    for (auto& instance : run(swarm().listInstances({})).items)
      RC_ASSERT(finish(run(swarm().deleteInstance(instance.id.str(), DeleteVolumes::Yes, "ann"))).status == OperationStatus::succeeded);
    RC_ASSERT(world_.containers().empty());
    RC_ASSERT(world_.networks().empty());
    RC_ASSERT(world_.volumes().empty());
    RC_ASSERT(store_.instances.empty());
    kill();
    store_.operations.clear();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace swarm::test

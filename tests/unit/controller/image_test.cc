// An image that is rebuilt under its name: which instances are older, and how they get it.
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class OlderImage : public ControllerTest {
 protected:
  OlderImage() {
    options_.reconcileInterval = std::chrono::milliseconds(50);
    boot();
  }
  UpdateResult refresh(const std::string& name) {
    UpdateRequest request;
    request.refreshImage = true;
    return run(swarm().updateInstance({name}, request, "ann"));
  }
  Operation refreshToTheEnd(const std::string& name) {
    UpdateResult result = refresh(name);
    return finish({result.instance, result.operation.value()});
  }
};

TEST_F(OlderImage, isShownUntilTheInstanceIsReplaced) {
  const Instance one = create("one");
  const std::string image = one.config.image;
  EXPECT_FALSE(get("one").imageOutdated);
  const std::string volume = world_.volumes().at(0).name;
  world_.writeFile(volume, "note", "kept");
  world_.rebuildImage(image);
  const std::uint64_t before = swarm().events().lastId();
  drive([&] { return get("one").imageOutdated && route("one")->imageOutdated; });
  auto events = run(swarm().events().after(before, Deadline::after(std::chrono::seconds(5))));
  EXPECT_NE(std::ranges::find(events, EventType::instance, &Event::type), events.end()) << "an open page learns it";
  finish(run(swarm().restartInstance("one", "ann")));
  EXPECT_TRUE(get("one").imageOutdated) << "a start reuses the container";
  reboot();
  drive([&] { return !get("one").stale && get("one").imageOutdated; });
  UpdateResult result = refresh("one");
  EXPECT_EQ(result.effect, UpdateEffect::restart);
  EXPECT_EQ(finish({result.instance, result.operation.value()}).status, OperationStatus::succeeded);
  EXPECT_FALSE(get("one").imageOutdated);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  EXPECT_EQ(world_.containers().at(0).image, world_.imageId(image));
  EXPECT_EQ(world_.volume(volume)->files.at("note"), "kept");
  drive([&] { return !route("one")->imageOutdated; });
}

TEST_F(OlderImage, leavesAStoppedInstanceStopped) {
  const std::string image = create("one").config.image;
  finish(run(swarm().stopInstance("one", "ann")));
  world_.rebuildImage(image);
  drive([&] { return get("one").imageOutdated; });
  EXPECT_EQ(refreshToTheEnd("one").status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::stopped);
  EXPECT_FALSE(get("one").imageOutdated);
}

TEST_F(OlderImage, isReplacedInAFailedInstance) {
  const Instance one = create("one");
  world_.exitContainer(firstPlaceOf(one.id), 3);
  waitForStatus("one", InstanceStatus::failed);
  world_.rebuildImage(one.config.image);
  EXPECT_EQ(refreshToTheEnd("one").status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  EXPECT_EQ(world_.containers().at(0).image, world_.imageId(one.config.image));
}

TEST_F(OlderImage, staysWhenTheReplacementFails) {
  const Instance one = create("one");
  world_.faults.fail("replaceInstance", Error(ErrorCode::Unprocessable, "The image has no program."));
  world_.rebuildImage(one.config.image);
  EXPECT_EQ(refreshToTheEnd("one").status, OperationStatus::failed);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
}

}  // namespace
}  // namespace swarm::test

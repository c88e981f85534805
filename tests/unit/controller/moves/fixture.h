// An instance in the fake world that moves between two providers.
#pragma once

#include "support/agents/fake_moves.h"
#include "unit/controller/fixture.h"

namespace swarm::test {

using Files = std::map<std::string, std::string>;

class MigrationTest : public ControllerTest {
 protected:
  MigrationTest() {
    options_.moveAgents = moves_;
    fake_options_.regions = {"fra", "iad"};
    options_.providerOutage = std::chrono::seconds(3);  // of real time: a busy machine must not look like an outage
  }

  static MigrateRequest to(std::string region) {
    MigrateRequest request;
    request.targetProvider = ProviderType::fake;
    request.region = std::move(region);
    return request;
  }
  /// An instance with two files, running.
  PlaceId makeWorkspace() {
    create("web");
    PlaceId place = placeOf("web");
    write(place, "notes", "text");
    write(place, "src/main.c", "int main;");
    return place;
  }
  void write(const PlaceId& place, const std::string& path, std::string text) {
    world_.writeFile(world_.container(place)->volumes.at(0), path, std::move(text));
  }
  PlaceId placeOf(const std::string& name) {
    const InstanceRecord& record = store_.instances.at(get(name).id);
    return record.placeId.empty() ? firstPlaceOf(record.instance.id) : record.placeId;
  }
  Operation move(MigrateRequest request) { return finish(run(swarm().migrateInstance("web", std::move(request), "ann"))); }
  /// Drives the loop until nothing is left to remove.
  void waitUntilOnlyTheCurrentPlaceIsLeft() {
    drive([&] {
      life_->loop.poll_one();
      return world_.containers().size() == 1 && store_.places.empty();
    });
    EXPECT_EQ(world_.containers().at(0).spec.placeId, placeOf("web"));
    EXPECT_EQ(world_.volumes().size(), 1U);
  }
  /// Places of the instance in which the user's processes could write now.
  int writers() {
    int count = 0;
    for (const auto& container : world_.containers())
      if (container.status == InstanceStatus::running && container.held.empty()) ++count;
    return count;
  }

  std::shared_ptr<FakeMoves> moves_ = std::make_shared<FakeMoves>(world_);
  const Files files_{{"/home/coder/notes", "text"}, {"/home/coder/src/main.c", "int main;"}};
};

}  // namespace swarm::test

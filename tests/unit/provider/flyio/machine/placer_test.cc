// Volumes and Machines where hosts and regions have no capacity.
#include "provider/flyio/machine/placer.h"

#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

constexpr const char* kCreateVolume = "POST /v1/apps/a1/volumes";
constexpr const char* kCreateMachine = "POST /v1/apps/a1/machines";
const ScriptedResponse kHostIsFull{412, R"({"error":"insufficient resources","status":"volume_placement_capacity"})"};
const ScriptedResponse kRegionIsFull{422, R"({"error":"no host","status":"insufficient_capacity"})"};

class Recorded final : public Progress {
 public:
  awaitable<void> recorded(ExternalResource resource) override {
    ids.push_back(resource.id);
    co_return;
  }
  void step(Step) override {}
  void detail(std::string, std::int64_t, std::int64_t) override {}
  std::vector<std::string> ids;
};

class PlacerTest : public ScriptedParts {
 protected:
  PlacerTest() {
    order_.app = "a1";
    order_.placeId = PlaceId("i-1");
    order_.volumeGb = 1;
    order_.regions = {"ams"};
  }
  Machine place() { return loop_.run(placer_.placeAnywhere(order_, progress_, soon())); }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const SeenRequest& request : fly_.requests()) lines.push_back(request.line);
    return lines;
  }

  MachineOrder order_;
  Recorded progress_;
  MachineCache cache_{swarm_.config};
  VolumeRecords records_{client_};
  Volumes volumes_{client_, records_, 14};
  Placer placer_{client_, cache_, volumes_, records_};
};

TEST_F(PlacerTest, aVolumeOnAFullHostIsDeletedBeforeAnotherIsCreated) {
  fly_.respond(kCreateVolume, {{200, R"({"id":"vol_1"})"}, {200, R"({"id":"vol_2"})"}});
  fly_.respond(kCreateMachine, {kHostIsFull, {200, R"({"id":"m1"})"}});
  fly_.respond("DELETE /v1/apps/a1/volumes/vol_1", {{200, "{}"}});
  EXPECT_EQ(place().id, "m1");
  EXPECT_EQ(lines(),
            (std::vector<std::string>{kCreateVolume, kCreateMachine, "DELETE /v1/apps/a1/volumes/vol_1", kCreateVolume, kCreateMachine}));
  EXPECT_EQ(progress_.ids, (std::vector<std::string>{"vol_1", "vol_2", "m1"})) << "each id is recorded when it is known";
}

TEST_F(PlacerTest, theNextRegionIsTriedAndTheErrorNamesAll) {
  order_.regions = {"ams", "fra"};
  fly_.respond(kCreateVolume, {kRegionIsFull});
  try {
    place();
    FAIL() << "there is no capacity";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::OutOfResources);
    EXPECT_NE(error.message().find("ams, fra"), std::string::npos) << error.message();
  }
  EXPECT_EQ(fly_.count(kCreateVolume), 2);
  EXPECT_TRUE(progress_.ids.empty());
}

TEST_F(PlacerTest, aMachineWhoseCreationWasLostIsFoundByItsName) {
  order_.volumeGb = 0;
  fly_.respond(kCreateMachine, {{502, "<html>"}});
  fly_.respond("GET /v1/apps/a1/machines", {{200, "[]"}, {200, R"([{"id":"m7","name":"i-1","state":"created"}])"}});
  EXPECT_EQ(place().id, "m7");
  EXPECT_EQ(fly_.count(kCreateMachine), 1);
}

}  // namespace
}  // namespace swarm::flyio

// Volumes whose creation or deletion is confirmed late, and the records of apps.
#include "provider/flyio/volume/volumes.h"

#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

constexpr const char* kVolumes = "/v1/apps/a1/volumes";

class VolumesTest : public ScriptedParts {
 protected:
  static MachineOrder order() {
    MachineOrder order;
    order.app = "a1";
    order.placeId = PlaceId("i-1");
    order.volumeGb = 3;
    return order;
  }
  Made<Volume> create(const MachineOrder& order) { return loop_.run(volumes_.create(order, "ams", soon())); }

  VolumeRecords records_{client_};
  Volumes volumes_{client_, records_, 14};
};

TEST_F(VolumesTest, aVolumeWhoseCreationWasLostIsFoundInTheListAndNotCreatedAgain) {
  fly_.respond(std::string("POST ") + kVolumes, {{502, "<html>"}});
  fly_.respond(std::string("GET ") + kVolumes,
               {{200, R"([{"id":"vol_1","name":"data"}])"}, {200, R"([{"id":"vol_1","name":"data"},{"id":"vol_2","name":"data"}])"}});
  MachineOrder wanted = order();
  wanted.knownVolumes = {"vol_1"};
  Made<Volume> created = create(wanted);
  ASSERT_TRUE(created);
  EXPECT_EQ(created->id, "vol_2");
  EXPECT_EQ(fly_.count(std::string("POST ") + kVolumes), 1);
}

TEST_F(VolumesTest, aShortageIsReturnedAndAnotherRefusalIsThrown) {
  fly_.respond(std::string("POST ") + kVolumes, {{422, R"({"error":"x","status":"insufficient_capacity"})"}, {422, R"({"error":"size"})"}});
  Made<Volume> created = create(order());
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().shortage, Shortage::Region);
  EXPECT_THROW(create(order()), Error);
}

TEST_F(VolumesTest, aReadersVolumeIsNotBackedUp) {
  fly_.respond(std::string("POST ") + kVolumes, {{200, R"({"id":"vol_3"})"}});
  MachineOrder wanted = order();
  wanted.snapshotId = "vs_1";
  EXPECT_TRUE(create(wanted));
  const std::string& body = fly_.requests().back().body;
  EXPECT_NE(body.find(R"("auto_backup_enabled":false)"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("snapshot_id":"vs_1")"), std::string::npos) << body;
}

TEST_F(VolumesTest, deletionWaitsWhileTheVolumeIsAttached) {
  fly_.respond("DELETE /v1/apps/a1/volumes/vol_1",
               {{412, R"({"error":"failed_precondition: volume is currently bound to machine: 1"})"}, {200, "{}"}});
  loop_.run(volumes_.remove("a1", "vol_1", soon()));
  EXPECT_EQ(fly_.count("DELETE /v1/apps/a1/volumes/vol_1"), 2);
}

TEST_F(VolumesTest, anEmptyListCountsOnlyWhenTheAppsCountAgrees) {
  fly_.respond(std::string("GET ") + kVolumes, {{200, "[]"}, {200, R"([{"id":"vol_1","name":"data"}])"}});
  fly_.respond("GET /v1/apps/a1", {{200, R"({"name":"a1","volume_count":1})"}});
  EXPECT_EQ(loop_.run(volumes_.listIn("a1", soon())).size(), 1u);
  fly_.respond(std::string("GET ") + kVolumes, {{200, "[]"}});
  EXPECT_THROW(loop_.run(volumes_.listIn("a1", soon())), Error);
}

TEST_F(VolumesTest, aKeptRecordIsReadWithoutARequest) {
  records_.keep("a1", {{}, "vol_1", ""});
  EXPECT_EQ(loop_.run(records_.read("a1", soon())).volumeId, "vol_1");
  EXPECT_TRUE(fly_.requests().empty());
  fly_.respond("POST /v1/apps/a1/secrets", {{200, "{}"}});
  loop_.run(records_.write("a1", {{}, "vol_2", ""}, soon()));
  EXPECT_EQ(fly_.requests().back().body, R"({"values":{"SWARM_STORAGE":null}})") << "without entries it is removed";
  EXPECT_EQ(records_.kept().at("a1").volumeId, "vol_2");
}

}  // namespace
}  // namespace swarm::flyio

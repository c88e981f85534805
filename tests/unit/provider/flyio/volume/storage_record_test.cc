// Records, and the choice among volumes of one name.
#include "provider/flyio/volume/storage_record.h"

#include <gtest/gtest.h>

#include "provider/flyio/spec/machine_spec.h"

namespace swarm::flyio {
namespace {

Volume volumeOf(std::string id, std::string name = "data", std::string machine = "") {
  Volume volume;
  volume.id = std::move(id);
  volume.name = std::move(name);
  volume.machineId = std::move(machine);
  return volume;
}

std::string chosen(const VolumeChoice& choice) { return choice.data ? choice.data->id : ""; }

TEST(StorageRecord, survivesBeingWritten) {
  StorageRecord record{{{"home", "/home/coder", true, PlaceId("i-1"), "ada", true}}, "vol_1", "data_2"};
  StorageRecord read = readRecord(writeRecord(record));
  ASSERT_EQ(read.entries.size(), 1u);
  EXPECT_EQ(read.entries[0].name, "home");
  EXPECT_EQ(read.entries[0].owner, "ada");
  EXPECT_EQ(read.volumeId, "vol_1");
  EXPECT_EQ(read.copyName, "data_2");
}

TEST(StorageRecord, readsEarlierVersionsAndIsEmptyForAnythingElse) {
  std::string earlier = writeStorage({{"home", "/home/coder", true, PlaceId("i-1"), "ada", true}});
  EXPECT_EQ(readRecord(earlier).entries.size(), 1u);
  EXPECT_EQ(readRecord(earlier).volumeId, "");
  for (const char* text : {"", "null", "{", "7", R"({"entries":7,"volume":[]})"}) {
    EXPECT_TRUE(readRecord(text).entries.empty()) << text;
    EXPECT_EQ(readRecord(text).volumeId, "") << text;
  }
}

TEST(VolumeChoice, isByTheMountThenTheRecordThenWhatWasRecordedLast) {
  std::vector<Volume> all{volumeOf("vol_1"), volumeOf("vol_2"), volumeOf("vol_3")};
  StorageRecord record{{}, "vol_2", ""};
  std::vector<ExternalResource> known{
      {ResourceKind::app, "vol_1"}, {ResourceKind::volume, "vol_1"}, {ResourceKind::volume, "vol_3"}, {ResourceKind::volume, "vol_gone"}};
  EXPECT_EQ(chosen(chooseVolume(all, "vol_1", record, known)), "vol_1");
  EXPECT_EQ(chosen(chooseVolume(all, "", record, known)), "vol_2");
  VolumeChoice last = chooseVolume(all, "", {}, known);
  EXPECT_EQ(chosen(last), "vol_3");
  EXPECT_EQ(last.strays.size(), 2u);
  EXPECT_FALSE(ambiguityOf(last, "app"));
}

TEST(VolumeChoice, takesTheOnlyOneAndNoneOfSeveral) {
  EXPECT_EQ(chosen(chooseVolume({volumeOf("vol_1"), volumeOf("vol_2", "backup"), volumeOf("vol_3", "reader_1")}, "", {}, {})), "vol_1");
  VolumeChoice several = chooseVolume({volumeOf("vol_1"), volumeOf("vol_2")}, "", {}, {});
  EXPECT_EQ(chosen(several), "");
  auto trouble = ambiguityOf(several, "app");
  ASSERT_TRUE(trouble);
  EXPECT_NE(trouble->message().find("vol_1"), std::string::npos);
  EXPECT_NE(trouble->message().find("vol_2"), std::string::npos);
  EXPECT_FALSE(ambiguityOf(chooseVolume({volumeOf("vol_1", "backup")}, "", {}, {}), "app")) << "it does not belong to an instance";
}

TEST(VolumeChoice, replacesAMissingVolumeByNone) {
  VolumeChoice choice = chooseVolume({volumeOf("vol_1")}, "", {{}, "vol_9", ""}, {{ResourceKind::volume, "vol_1"}});
  EXPECT_EQ(chosen(choice), "");
  EXPECT_EQ(choice.missing, "vol_9");
  ASSERT_TRUE(ambiguityOf(choice, "app"));
}

TEST(AbandonedCopy, hasTheRecordedNameAndNoMachineAndIsNotTheSource) {
  StorageRecord record{{}, "vol_1", "data_2"};
  EXPECT_TRUE(isAbandonedCopy(volumeOf("vol_2", "data_2"), record));
  EXPECT_FALSE(isAbandonedCopy(volumeOf("vol_2", "data_2", "148e"), record)) << "a Machine uses it";
  EXPECT_FALSE(isAbandonedCopy(volumeOf("vol_1", "data_2"), record)) << "it has the files";
  EXPECT_FALSE(isAbandonedCopy(volumeOf("vol_2", "data_1"), record));
  EXPECT_FALSE(isAbandonedCopy(volumeOf("vol_2", ""), {}));
}

}  // namespace
}  // namespace swarm::flyio

// Operations' parameters in the store: rows of before are read, and rows of now are those of before.
#include "model/operation_parameters.h"

#include <gtest/gtest.h>

#include "model/codec/codec.h"

namespace swarm {
namespace {

namespace json = boost::json;

/// A configuration as an early version wrote it: what has been added since is absent.
constexpr std::string_view kConfig = R"({"name":"web","image":"debian:12","command":[],"env":{"A":"1"},
  "resources":{"cpu":{"cores":2,"limit":0},"memory":{"min":0,"max":512},"storage":{"size":3,"persistent":true}},
  "network":{"exposedPorts":[80],"internalNetwork":false},"storage":[{"size":3,"persistent":true,"mountPath":"/home/coder","volumeName":""}],
  "labels":{},"metadata":{"k":[1,2.5,null]}})";

json::object row(std::string text) {
  for (std::size_t at; (at = text.find("CONFIG")) != std::string::npos;) text.replace(at, 6, kConfig);
  return parseJson(text).as_object();
}

OperationRecord read(OperationKind kind, const std::string& stored) {
  OperationRecord record;
  record.kind = kind;
  readStoredParameters(record, row(stored));
  EXPECT_EQ(kindOf(record.parameters), kind);
  return record;
}

template <typename Parameters>
Parameters parametersIn(const std::string& stored) {
  return std::get<Parameters>(read(Parameters::kind, stored).parameters);
}

/// That what was read is written with the members and values that it was read from, and with no others.
void expectWrittenAsBefore(OperationKind kind, const std::string& stored) {
  json::object before = row(stored);
  json::object now = storedParametersOf(read(kind, stored));
  for (const char* name : {"config", "previous"}) {
    if (!before.contains(name)) continue;
    EXPECT_EQ(toJson(fromJson<InstanceConfig>(now.at(name))), toJson(fromJson<InstanceConfig>(before.at(name)))) << name;
    before.erase(name);
    now.erase(name);
  }
  EXPECT_EQ(now, before) << enumName(kind);
}

TEST(OperationParameters, ofOperationsThatSayNothingMoreThanTheirKindAreEmpty) {
  for (OperationKind kind : {OperationKind::create, OperationKind::start, OperationKind::stop, OperationKind::restart})
    expectWrittenAsBefore(kind, "{}");
  EXPECT_FALSE(parametersIn<StartParameters>("{}").emptyVolumes);
  EXPECT_FALSE(parametersIn<RestartParameters>("{}").stopped);
}

TEST(OperationParameters, areReadFromRowsOfBefore) {
  EXPECT_TRUE(parametersIn<StartParameters>(R"({"emptyVolumes":true})").emptyVolumes);
  EXPECT_TRUE(parametersIn<RestartParameters>(R"({"stopped":true})").stopped);
  EXPECT_TRUE(parametersIn<RemoveParameters>(R"({"volumes":true})").volumes);
  EXPECT_FALSE(parametersIn<RemoveParameters>(R"({"volumes":false})").volumes);

  auto update = parametersIn<UpdateParameters>(R"({"config":CONFIG,"previous":CONFIG,"version":7,"wasRunning":true})");
  EXPECT_EQ(update.config.env.at("A"), "1");
  EXPECT_EQ(update.config.resources.pids, ResourceConfig{}.pids) << "an early version did not have it";
  EXPECT_EQ(update.previous.network.exposedPorts, std::vector<std::int64_t>{80});
  EXPECT_EQ(update.version, 7);
  EXPECT_TRUE(update.wasRunning);
  EXPECT_FALSE(update.refreshImage) << "an early version did not have it";
  EXPECT_TRUE(parametersIn<UpdateParameters>(R"({"config":CONFIG,"previous":CONFIG,"version":7,"refreshImage":true})").refreshImage);

  auto snapshot = parametersIn<SnapshotParameters>(R"({"name":"before","place":"i-2","config":CONFIG,"wasRunning":true})");
  EXPECT_EQ(snapshot.name, "before");
  EXPECT_EQ(snapshot.place, PlaceId("i-2"));
  EXPECT_EQ(snapshot.config.storage.at(0).mountPath, "/home/coder");
}

TEST(OperationParameters, ofAMoveAreReadAsFarAsItCame) {
  auto move = parametersIn<MigrateParameters>(
      R"({"provider":"flyio","region":"ams","config":CONFIG,"place":"i-2","reused":true,"keepSource":true,"keepHours":48,)"
      R"("bandwidthLimit":1000000,"wasRunning":true})");
  EXPECT_EQ(move.provider, ProviderType::flyio);
  EXPECT_EQ(move.region, "ams");
  EXPECT_EQ(move.config.metadata.at("k").at(1), json::value(2.5));
  EXPECT_EQ(move.place, PlaceId("i-2"));
  EXPECT_TRUE(move.reused && move.keepSource && move.wasRunning);
  EXPECT_EQ(move.keepHours, 48);
  EXPECT_EQ(move.bandwidthLimit, 1'000'000);
  EXPECT_FALSE(move.phase);
  EXPECT_FALSE(move.former);

  move = parametersIn<MigrateParameters>(R"({"provider":"docker","region":"","place":"i-2","phase":"switched","former":"i-1"})");
  EXPECT_EQ(move.phase, SwitchPhase::switched);
  EXPECT_EQ(move.former, PlaceId("i-1"));
}

TEST(OperationParameters, ofAMoveOfAnEarlierVersionHaveTheRegionsOfTheTarget) {
  const std::string config = R"("config":{"network":{"docker":{"host":"box2"},"flyio":{"regions":["ams"]}}})";
  EXPECT_EQ(parametersIn<MigrateParameters>(R"({"provider":"flyio",)" + config + "}").config.network.regions,
            std::vector<std::string>{"ams"});
  EXPECT_EQ(parametersIn<MigrateParameters>(R"({"provider":"docker",)" + config + "}").config.network.regions,
            std::vector<std::string>{"box2"});
}

TEST(OperationParameters, ofARestoreAreReadWithAndWithoutAReader) {
  auto ours = parametersIn<RestoreParameters>(
      R"({"snapshot":"i-3","place":"i-4","config":CONFIG,"wasRunning":false,"wasFailed":true,"phase":"switched","former":"i-1"})");
  EXPECT_EQ(ours.snapshot, "i-3");
  EXPECT_EQ(ours.place, PlaceId("i-4"));
  EXPECT_TRUE(ours.wasFailed);
  EXPECT_FALSE(ours.reader);
  EXPECT_EQ(ours.phase, SwitchPhase::switched);
  EXPECT_EQ(ours.former, PlaceId("i-1"));
  auto theirs = parametersIn<RestoreParameters>(R"({"reader":"i-5","snapshot":"vs_1","place":"i-4","config":CONFIG,"wasRunning":true})");
  EXPECT_EQ(theirs.reader, PlaceId("i-5"));
  EXPECT_FALSE(theirs.phase);
}

TEST(OperationParameters, areWrittenAsBefore) {
  expectWrittenAsBefore(OperationKind::start, R"({"emptyVolumes":true})");
  expectWrittenAsBefore(OperationKind::restart, R"({"stopped":true,"cancelled":true})");
  expectWrittenAsBefore(OperationKind::remove, R"({"volumes":false})");
  expectWrittenAsBefore(OperationKind::update, R"({"config":CONFIG,"previous":CONFIG,"version":7,"wasRunning":false,"refreshImage":true})");
  expectWrittenAsBefore(OperationKind::snapshot, R"({"name":"before","place":"i-2","config":CONFIG,"wasRunning":false})");
  expectWrittenAsBefore(OperationKind::migrate,
                        R"({"provider":"docker","region":"box2","config":CONFIG,"place":"i-2","reused":false,"keepSource":false,)"
                        R"("keepHours":24,"bandwidthLimit":0,"wasRunning":true,"phase":"switched","former":"i-1"})");
  expectWrittenAsBefore(OperationKind::restore,
                        R"({"reader":"i-5","snapshot":"vs_1","place":"i-4","config":CONFIG,"wasRunning":true,"wasFailed":false})");
}

TEST(OperationParameters, knowWhetherAUserCancelled) {
  EXPECT_TRUE(read(OperationKind::create, R"({"cancelled":true})").cancelRequested);
  EXPECT_FALSE(read(OperationKind::create, "{}").cancelRequested);
}

TEST(OperationParameters, areReadLenientlyFromRowsOfOtherVersions) {
  auto move = parametersIn<MigrateParameters>(R"({"provider":"docker","place":"i-2","keepHours":"many","sails":3,"reused":true})");
  EXPECT_EQ(move.place, PlaceId("i-2"));
  EXPECT_EQ(move.keepHours, 0);
  EXPECT_TRUE(move.reused);
}

}  // namespace
}  // namespace swarm

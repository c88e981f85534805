// A Machine's plan in the Engine's API.
#include "emulator/docker/machine_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <set>

#include "base/error.h"
#include "base/text/format.h"
#include "net/connect.h"

namespace swarm::emulator {
namespace {

using ::testing::ElementsAre;
namespace json = boost::json;

ImageDetails image() {
  return readImage("swarm-workspace:latest", json::parse(R"({"Id":"sha256:aaa","RepoDigests":["team/image@sha256:bbb"],
    "Config":{"Entrypoint":["/agent"],"Cmd":["serve"],"Labels":{"k":"v"}}})"));
}

MachinePlan plan() {
  MachinePlan made;
  made.app = "app";
  made.network = "net";
  made.machineId = "m1";
  made.image = "swarm-workspace:latest";
  return made;
}

engine::Facts engine() {
  engine::Facts facts;
  facts.cpus = 2;
  return facts;
}

TEST(MachineImage, hasTheEnginesFacts) {
  EXPECT_EQ(image().facts.digest, "sha256:bbb") << "the registry's digest, if there is one";
  EXPECT_EQ(image().facts.labels.at("k"), "v");
  EXPECT_EQ(readImage("x", json::parse(R"({"Id":"sha256:aaa","RepoDigests":null,"Config":{}})")).facts.digest, "sha256:aaa");
}

TEST(MachineImage, ofFlysRegistryIsTheLocalOneToo) {
  EXPECT_THAT(imageCandidates("registry.fly.io/app/swarm-workspace:1"),
              ElementsAre("registry.fly.io/app/swarm-workspace:1", "swarm-workspace:1"));
  EXPECT_THAT(imageCandidates("registry.fly.io/app:deployment-1"), ElementsAre("registry.fly.io/app:deployment-1", "app:deployment-1"));
  EXPECT_THAT(imageCandidates("elsewhere.example/app:1"), ElementsAre("elsewhere.example/app:1"));
}

TEST(MachineProcess, isTheImagesWhereTheConfigurationSaysNothing) {
  MachinePlan made = plan();
  EXPECT_THAT(mainProcess(made, image()), ElementsAre("/agent", "serve"));
  made.command = {"other"};
  EXPECT_THAT(mainProcess(made, image()), ElementsAre("/agent", "other"));
  made.entrypoint = {"/entry"};
  EXPECT_THAT(mainProcess(made, image()), ElementsAre("/entry", "other"));
  made.exec = {"sleep", "1"};
  EXPECT_THAT(mainProcess(made, image()), ElementsAre("sleep", "1"));
}

TEST(MachineBody, limitsWhatTheGuestSays) {
  MachinePlan made = plan();
  made.cpus = 8;
  made.memoryMb = 2048;
  json::object host = machineBody(made, image(), "e1", engine()).at("HostConfig").as_object();
  EXPECT_EQ(host.at("NanoCpus").to_number<std::int64_t>(), 2'000'000'000) << "all CPUs of the Engine's machine";
  EXPECT_EQ(host.at("Memory").to_number<std::int64_t>(), 2048LL << 20);
  EXPECT_EQ(host.at("MemorySwap"), host.at("Memory"));
  EXPECT_FALSE(host.contains("Mounts"));
  made.volumeId = "vol_1";
  made.mountPath = "/data";
  json::value mount = machineBody(made, image(), "e1", engine()).at("HostConfig").at("Mounts").at(0);
  EXPECT_EQ(mount.at("Source").as_string(), "fly-e1-vol_1");
  EXPECT_TRUE(mount.at("VolumeOptions").at("NoCopy").as_bool()) << "a fresh volume is empty";
}

TEST(MachineBody, startsTheMainProcessUnderOurInit) {
  json::object body = machineBody(plan(), image(), "e1", engine());
  EXPECT_EQ(body.at("Entrypoint"), (json::array{"/.fly/init", "init"}));
  EXPECT_EQ(body.at("Cmd"), (json::array{"/agent", "serve"}));
  EXPECT_EQ(body.at("Labels").at("fly-emulator.machine").as_string(), "m1");
  ImageDetails empty;
  try {
    machineBody(plan(), empty, "e1", engine());
    FAIL() << "there is no command to run";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  }
}

TEST(MachineArchive, holdsTheInitTheFilesAndTheFreshFileSystemsFolder) {
  MachinePlan made = plan();
  made.files = {{"/etc/swarm/agent.json", "content", 0400}};
  EXPECT_FALSE(guestArchive(made, "tool").contains("lost+found"));
  made.volumeId = "vol_1";
  made.mountPath = "/data";
  std::string archive = guestArchive(made, "tool");
  for (const char* part : {".fly/init", "etc/swarm/agent.json", "data/lost+found/", "content"}) EXPECT_TRUE(archive.contains(part)) << part;
  for (std::string path : {std::string("relative"), std::string("/"), std::string("/etc/"), std::string("/a/../b"), std::string("/.."),
                           "/" + std::string(101, 'x')}) {
    made.files = {{path, "", 0644}};
    EXPECT_THROW(guestArchive(made, "tool"), Error) << path;
  }
}

TEST(MachineNetwork, hasItsOwnRangeOutOfAReservedOne) {
  std::set<std::string> subnets;
  for (int attempt = 0; attempt < 200; ++attempt) {
    json::object body = networkBody("e1", "net", attempt);
    std::string subnet(body.at("IPAM").at("Config").at(0).at("Subnet").as_string());
    int second = 0, third = 0, fourth = 0;
    ASSERT_EQ(std::sscanf(subnet.c_str(), "198.%d.%d.%d/26", &second, &third, &fourth), 3) << subnet;
    EXPECT_TRUE(second == 18 || second == 19) << subnet;
    EXPECT_LE(third, 255) << subnet;
    EXPECT_EQ(fourth % 64, 0) << subnet;
    subnets.insert(subnet);
  }
  EXPECT_GT(subnets.size(), 150U) << "each attempt uses another range";
  EXPECT_FALSE(networkBody("e1", "net", -1).contains("IPAM"));
  EXPECT_NE(networkName("e1", "a"), networkName("e1", "b"));
  EXPECT_NE(networkName("e1", "a"), networkName("e2", "a"));
}

}  // namespace
}  // namespace swarm::emulator

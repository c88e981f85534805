// Resources of a container: what its label keeps, and what an update of the container may have changed since.
#include "provider/docker/spec/container_state.h"

#include <gtest/gtest.h>

#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {
namespace {

ResourceConfig resourcesFrom(const json::value& kept, const json::object& host) {
  const json::object labels{{kLabelResources, kept}};
  return readContainer(json::object{{"Config", json::object{{"Labels", labels}}}, {"HostConfig", host}}, {}, EndedBy::Itself)
      .instance.resources;
}

TEST(ContainerState, hasTheResourcesOfItsSpecExceptWhatWasUpdated) {
  InstanceSpec spec;
  spec.config.resources.cpu = {1.5, 2000};
  spec.config.resources.storage = {20, false};
  spec.config.resources.shmSize = 512;
  json::object body = containerBody(spec, {}, "swarm-1", {}, {});
  json::object host = body.at("HostConfig").as_object();
  EXPECT_EQ(host.at("ShmSize").as_int64(), 512 * kMib);
  host["Memory"] = 128 * kMib;
  host["PidsLimit"] = 99;
  const ResourceConfig now = resourcesFrom(body.at("Labels").at(kLabelResources), host);
  EXPECT_EQ(now.cpu.cores, 1.5);
  EXPECT_EQ(now.cpu.limit, 2000);
  EXPECT_EQ(now.memory.max, 128);
  EXPECT_EQ(now.pids, 99);
  EXPECT_EQ(now.storage.size, 20);
  EXPECT_FALSE(now.storage.persistent);
  EXPECT_EQ(now.shmSize, 512);
  EXPECT_FALSE(containerBody({}, {}, "swarm-1", {}, {}).at("HostConfig").as_object().contains("ShmSize"));
}

TEST(ContainerState, readsWhatAnEarlierVersionKept) {
  const json::object host{{"NanoCpus", 2'000'000'000}, {"CpuShares", 1126}, {"Memory", 64 * kMib}, {"PidsLimit", 64}};
  const ResourceConfig now = resourcesFrom(R"({"cores":1.1,"size":20,"persistent":false})", host);
  EXPECT_EQ(now.cpu.cores, 1.1);
  EXPECT_EQ(now.storage.size, 20);
  EXPECT_FALSE(now.storage.persistent);
  EXPECT_EQ(now.shmSize, 0);
  EXPECT_EQ(resourcesFrom("{", host).storage.size, ResourceConfig{}.storage.size);
}

}  // namespace
}  // namespace swarm::docker

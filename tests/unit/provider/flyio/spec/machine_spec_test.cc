// An InstanceSpec as Fly's configuration.
#include "provider/flyio/spec/machine_spec.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/json_access.h"
#include "provider/flyio/spec/machine_patch.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {
namespace {

const PlaceId kPlace("i-01hq3zt7s0m9x4k2v8w6y1b5cd");

InstanceSpec makeSpec() {
  InstanceSpec spec{
      kPlace, "web1", "ada", {}, R"({"instanceId":"i-01","publicKey":"0a0b"})", Secret(R"({"instanceId":"i-01","secret":"00ff"})")};
  spec.config.name = "web1";
  spec.config.image = "registry.fly.io/team/work:1";
  spec.config.storage = {{10, true, "/home/coder", ""}, {5, false, "/scratch", ""}};
  return spec;
}

FlyIOProviderConfig makeConfig() {
  FlyIOProviderConfig config;
  config.apiToken = Secret("fm2_x");
  config.regions = {"ams", "fra"};
  return config;
}

std::string metadata(const InstancePlan& plan, std::string_view key) {
  return std::string(plan.config.at("metadata").as_object().at(key).as_string());
}

template <typename Work>
std::optional<Error> refusal(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

TEST(MachineSpec, namesAreFlysAndTheSameEachTime) {
  FlyIOProviderConfig config = makeConfig();
  std::string name = appName(config, "swarm-1", kPlace);
  EXPECT_EQ(name, appName(config, "swarm-1", kPlace));
  EXPECT_NE(name, appName(config, "swarm-2", kPlace));
  EXPECT_TRUE(name.starts_with("swarm-")) << name;
  EXPECT_TRUE(name.ends_with("-i-01hq3zt7s0m9x4k2v8w6y1b5cd")) << name;
  config.appPrefix = "My Company's Very Long Prefix That Never Ends";
  name = appName(config, "swarm-1", kPlace);
  EXPECT_LE(name.size(), 63u);
  EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string::npos) << name;
  EXPECT_LE(appName(config, "swarm-1", PlaceId(std::string(200, 'a'))).size(), 63u);
  EXPECT_NE(appName(config, "swarm-1", PlaceId(std::string(200, 'a'))), appName(config, "swarm-1", PlaceId(std::string(201, 'a'))));
}

TEST(MachineSpec, mapsTheWholeConfiguration) {
  InstanceSpec spec = makeSpec();
  spec.config.command = {"serve", "--fast"};
  spec.config.env = {{"GREETING", "good day"}};
  spec.config.network.exposedPorts = {8080};
  spec.config.labels = {{"team", "red"}, {"swarm_owner", "mallory"}};
  InstancePlan plan = planInstance(spec, makeConfig(), "swarm-1");
  json::value config = plan.config;
  EXPECT_EQ(stringAt(config, "image"), "registry.fly.io/team/work:1");
  EXPECT_EQ(stringAt(config, "env.GREETING"), "good day");
  EXPECT_EQ(json::serialize(*member(config, "init.cmd")), R"(["serve","--fast"])");
  EXPECT_EQ(json::serialize(*member(config, "guest")), R"({"cpu_kind":"shared","cpus":2,"memory_mb":4096})");
  EXPECT_EQ(stringAt(config, "restart.policy"), "no");
  EXPECT_EQ(metadata(plan, "team"), "red");
  EXPECT_EQ(metadata(plan, "swarm_owner"), "ada") << "a label cannot change the owner";
  EXPECT_EQ(metadata(plan, "swarm_instance"), spec.placeId.str());
  EXPECT_EQ(metadata(plan, "swarm_id"), "swarm-1");
  const json::array& services = arrayAt(config, "services");
  ASSERT_EQ(services.size(), 2u);
  EXPECT_EQ(integerAt(services[0], "internal_port"), 7777);
  EXPECT_EQ(stringAt(services[0], "autostop"), "off");
  EXPECT_FALSE(boolAt(services[0], "autostart"));
  EXPECT_EQ(json::serialize(*member(services[0], "ports")), R"([{"port":443,"handlers":["tls","http"]},{"port":80,"handlers":["http"]}])");
  EXPECT_EQ(integerAt(services[1], "internal_port"), 8080);
  EXPECT_EQ(plan.regions, (std::vector<std::string>{"ams", "fra"}));
}

TEST(MachineSpec, theRegionsOfAnInstanceTakePrecedenceInTheirOrder) {
  InstanceSpec spec = makeSpec();
  spec.config.network.regions = {"iad", "ams"};
  InstancePlan plan = planInstance(spec, makeConfig(), "swarm-1");
  EXPECT_EQ(plan.regions, (std::vector<std::string>{"iad", "ams"}));
  EXPECT_EQ(metadata(plan, "swarm_regions"), R"(["iad","ams"])");
}

TEST(MachineSpec, theAgentsSettingsAreInTheEnvironmentAndNoSecretIsAnywhere) {
  InstanceSpec spec = makeSpec();
  spec.config.env["SWARM_AGENT"] = "a person's";
  InstancePlan plan = planInstance(spec, makeConfig(), "swarm-1");
  json::value config = plan.config;
  json::value settings = json::parse(stringAt(config, "env.SWARM_AGENT"));
  EXPECT_EQ(stringAt(settings, "publicKey"), "0a0b");
  EXPECT_EQ(arrayAt(settings, "binds").size(), 2u);
  EXPECT_TRUE(arrayAt(config, "files").empty());
  EXPECT_TRUE(plan.agentFile.empty());
  EXPECT_EQ(metadata(plan, "swarm_agent"), "public-key");
  EXPECT_EQ(json::serialize(plan.config).find("00ff"), std::string::npos);
}

TEST(MachineSpec, theAgentResizesSharedMemory) {
  InstanceSpec spec = makeSpec();
  InstancePlan before = planInstance(spec, makeConfig(), "swarm-1");
  EXPECT_EQ(stringAt(before.config.at("env"), "SWARM_AGENT").find("shmSize"), std::string::npos);
  spec.config.resources.shmSize = 512;
  InstancePlan plan = planInstance(spec, makeConfig(), "swarm-1");
  EXPECT_EQ(json::parse(stringAt(plan.config.at("env"), "SWARM_AGENT")).at("shmSize").as_int64(), 512);
  EXPECT_NE(plan.hash, before.hash);
  Machine machine;
  machine.config = plan.config;
  EXPECT_EQ(resourcesOf(machine).shmSize, 512);
}

TEST(MachineSpec, resourcesThatAnEarlierVersionKeptAreRead) {
  Machine machine;
  machine.config["metadata"] = json::object{{kMetaResources, R"({"min":64,"pids":99,"size":20,"persistent":false})"}};
  ResourceConfig kept = resourcesOf(machine);
  EXPECT_EQ(kept.memory.min, 64);
  EXPECT_EQ(kept.pids, 99);
  EXPECT_EQ(kept.storage.size, 20);
  EXPECT_FALSE(kept.storage.persistent);
  for (const char* wrong : {"", "[]", "7", R"({"pids":"many","memory":7,"min":1})", "{"}) {
    machine.config["metadata"] = json::object{{kMetaResources, wrong}};
    EXPECT_EQ(resourcesOf(machine).pids, ResourceConfig{}.pids) << wrong;
  }
}

TEST(MachineSpec, anOlderAgentsSecretIsInTheFileAlone) {
  InstancePlan plan = planInstance(makeSpec(), makeConfig(), "swarm-1", AgentCredential::Secret);
  json::value older = plan.config;
  EXPECT_FALSE(member(older, "env.SWARM_AGENT"));
  EXPECT_FALSE(plan.config.at("metadata").as_object().contains("swarm_agent"));
  EXPECT_EQ(json::serialize(plan.config).find("00ff"), std::string::npos);
  json::value config = plan.config;
  const json::array& files = arrayAt(config, "files");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(stringAt(files[0], "guest_path"), "/etc/swarm/agent.json");
  EXPECT_EQ(stringAt(files[0], "secret_name"), "SWARM_AGENT_CONFIG");
  EXPECT_EQ(integerAt(files[0], "mode"), 0400);
  EXPECT_FALSE(member(config, "env.SWARM_AGENT_CONFIG"));
}

TEST(MachineSpec, everyStorageIsAFolderOfTheOneVolume) {
  InstanceSpec spec = makeSpec();
  spec.config.storage[1].volumeName = "cache";
  InstancePlan plan = planInstance(spec, makeConfig(), "swarm-1");
  EXPECT_EQ(plan.volumeGb, 15);
  EXPECT_EQ(plan.requestedVolumes, std::vector<std::string>{"cache"});
  json::value settings = json::parse(stringAt(json::value(plan.config), "env.SWARM_AGENT"));
  const json::array& binds = arrayAt(settings, "binds");
  ASSERT_EQ(binds.size(), 2u);
  EXPECT_EQ(stringAt(binds[0], "to"), "/home/coder");
  EXPECT_TRUE(stringAt(binds[0], "from").starts_with("/data/volumes/swarm-i-01hq")) << stringAt(binds[0], "from");
  EXPECT_EQ(stringAt(binds[1], "from"), "/data/volumes/cache");
  std::vector<StorageEntry> record = readStorage(metadata(plan, "swarm_storage"));
  ASSERT_EQ(record.size(), 2u);
  EXPECT_EQ(record[0].mountPath, "/home/coder");
  EXPECT_TRUE(record[0].persistent);
  EXPECT_FALSE(record[1].persistent);
  EXPECT_EQ(record[1].owner, "ada");
}

TEST(MachineSpec, theHashShowsWhetherAnUpdateWouldChangeAnything) {
  std::string hash = planInstance(makeSpec(), makeConfig(), "swarm-1").hash;
  EXPECT_EQ(hash, planInstance(makeSpec(), makeConfig(), "swarm-1").hash);
  InstanceSpec changed = makeSpec();
  changed.config.env["A"] = "b";
  EXPECT_NE(hash, planInstance(changed, makeConfig(), "swarm-1").hash);
  changed = makeSpec();
  changed.agentBoot = R"({"instanceId":"i-01","publicKey":"11"})";
  EXPECT_NE(hash, planInstance(changed, makeConfig(), "swarm-1").hash);
}

TEST(MachineSpec, aReadersNamesAreItsOwnAndOfNoGeneration) {
  SnapshotReader reader{"vs_1", PlaceId("i-01hq3zt7s0m9x4k2v8w6y1b5ce"), makeSpec(), {}};
  reader.of.config.network.exposedPorts = {8080};
  reader.of.config.labels["swarm_role"] = "instance";
  InstancePlan plan = planReader(reader, makeConfig(), "swarm-1", AgentCredential::PublicKey);
  EXPECT_EQ(plan.placeId, reader.placeId);
  EXPECT_EQ(metadata(plan, "swarm_instance"), reader.placeId.str());
  EXPECT_EQ(metadata(plan, "swarm_role"), "reader");
  EXPECT_EQ(metadata(plan, "swarm_reads"), reader.of.placeId.str());
  EXPECT_FALSE(plan.config.at("metadata").as_object().contains("swarm_storage"));
  EXPECT_EQ(plan.config.at("services").as_array().size(), 1u) << "the instance's ports are the instance's";
  EXPECT_EQ(plan.config.at("env").at("SWARM_AGENT"), planInstance(reader.of, makeConfig(), "swarm-1").config.at("env").at("SWARM_AGENT"));
  InstancePlan older = planReader(reader, makeConfig(), "swarm-1", AgentCredential::Secret);
  EXPECT_EQ(stringAt(older.config.at("files").at(0), "secret_name"), readerSecret(reader.placeId));
  Machine machine;
  machine.config = plan.config;
  EXPECT_TRUE(isReader(machine));
  Volume volume;
  volume.name = readerVolume(reader.placeId);
  EXPECT_TRUE(isReader(volume));
  EXPECT_LE(volume.name.size(), 30u);
  EXPECT_EQ(volume.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos);
  EXPECT_EQ(generationOf(volume), -1);
}

/// Labels cannot turn an instance into a reader, which is not listed.
TEST(MachineSpec, aLabelDoesNotMakeAReader) {
  InstanceSpec spec = makeSpec();
  spec.config.labels["swarm_role"] = "reader";
  spec.config.labels["swarm_reads"] = "i-other";
  Machine machine;
  machine.config = planInstance(spec, makeConfig(), "swarm-1").config;
  EXPECT_FALSE(isReader(machine));
  EXPECT_EQ(machine.metadata("swarm_reads"), "");
}

TEST(MachineSpec, theLocalImageIsThePushedOne) {
  FlyIOProviderConfig config = makeConfig();
  auto error = refusal([&] { imageAtFly("swarm-workspace:latest", config); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_NE(error->message().find("docker push"), std::string::npos);
  config.workspaceImage = "registry.fly.io/acme/swarm-workspace:3";
  EXPECT_EQ(imageAtFly("swarm-workspace:latest", config), "registry.fly.io/acme/swarm-workspace:3");
  EXPECT_EQ(imageAtFly("swarm-workspace", config), "registry.fly.io/acme/swarm-workspace:3");
  EXPECT_EQ(imageAtFly("", config), "registry.fly.io/acme/swarm-workspace:3");
  EXPECT_EQ(imageAtFly("alpine:3", config), "alpine:3");
}

TEST(MachineSpec, refusesWhatFlyCanNotDo) {
  auto field = [](auto change) {
    InstanceSpec spec = makeSpec();
    change(spec.config);
    auto error = refusal([&] { planInstance(spec, makeConfig(), "swarm-1"); });
    return error && error->code() == ErrorCode::Unprocessable && !error->fields().empty() ? error->fields()[0].pointer : "(not refused)";
  };
  EXPECT_EQ(field([](InstanceConfig& config) { config.network.internalNetwork = true; }), "/network/internalNetwork");
  EXPECT_EQ(field([](InstanceConfig& config) { config.security.noNewPrivileges = true; }), "/security/noNewPrivileges");
  EXPECT_EQ(field([](InstanceConfig& config) { config.security.readOnlyRoot = true; }), "/security/readOnlyRoot");
  EXPECT_EQ(field([](InstanceConfig& config) { config.network.exposedPorts = {7777}; }), "/network/exposedPorts/0");
  EXPECT_EQ(field([](InstanceConfig& config) { config.network.exposedPorts = {80, 10080}; }), "/network/exposedPorts/1");
  EXPECT_EQ(field([](InstanceConfig& config) { config.storage[0].size = 501; }), "/storage");
  EXPECT_EQ(field([](InstanceConfig& config) { config.storage[1].mountPath = "/etc/x"; }), "/storage/1/mountPath");
  EXPECT_EQ(field([](InstanceConfig& config) { config.storage[1].mountPath = "/home/coder"; }), "/storage/1/mountPath");
  EXPECT_EQ(field([](InstanceConfig& config) { config.storage[1].volumeName = "../up"; }), "/storage/1/volumeName");
}

TEST(MachineSpec, anUpdateKeepsWhatItDoesNotKnow) {
  json::object current =
      json::parse(R"({"image":"old","env":{"GONE":"1"},"guest":{"cpu_kind":"shared","cpus":1,"memory_mb":256,"kernel_args":["x"]},
      "init":{"cmd":["old"],"swap_size_mb":512},"mounts":[{"volume":"vol_1","path":"/data","size_gb_limit":9}],"metrics":{"port":9},
      "files":[{"guest_path":"/etc/other","raw_value":"eA=="},{"guest_path":"/etc/swarm/agent.json","secret_name":"OLD"}],
      "metadata":{"fly_platform_version":"v2","swarm_owner":"old"},"restart":{"policy":"always","max_retries":4},"services":[{"autostop":false}],
      "from_the_future":{"a":[1]}})")
          .as_object();
  json::value patched = patchedConfig(current, planInstance(makeSpec(), makeConfig(), "swarm-1").config);
  EXPECT_EQ(stringAt(patched, "image"), "registry.fly.io/team/work:1");
  EXPECT_FALSE(member(patched, "env.GONE"));
  EXPECT_TRUE(member(patched, "guest.kernel_args"));
  EXPECT_EQ(integerAt(patched, "guest.cpus"), 2);
  EXPECT_FALSE(member(patched, "init.cmd"));
  EXPECT_EQ(integerAt(patched, "init.swap_size_mb"), 512);
  EXPECT_EQ(json::serialize(*member(patched, "mounts")), R"([{"volume":"vol_1","path":"/data","size_gb_limit":9}])");
  EXPECT_TRUE(member(patched, "metrics.port"));
  EXPECT_TRUE(member(patched, "from_the_future.a"));
  EXPECT_EQ(stringAt(patched, "metadata.fly_platform_version"), "v2");
  EXPECT_EQ(stringAt(patched, "metadata.swarm_owner"), "ada");
  EXPECT_EQ(integerAt(patched, "restart.max_retries"), 4);
  EXPECT_EQ(json::serialize(*member(patched, "files")), R"([{"guest_path":"/etc/other","raw_value":"eA=="}])") << "the agent's is gone";
  EXPECT_EQ(arrayAt(patched, "services").size(), 1u);
}

TEST(MachineSpec, responsesAndRequestsDifferInAutostop) {
  json::value patched =
      patchedConfig(json::parse(R"({"services":[{"autostop":false},{"autostop":true},{"autostop":"suspend"}]})").as_object(), {});
  const json::array& services = arrayAt(patched, "services");
  EXPECT_EQ(stringAt(services[0], "autostop"), "off");
  EXPECT_EQ(stringAt(services[1], "autostop"), "stop");
  EXPECT_EQ(stringAt(services[2], "autostop"), "suspend");
}

TEST(MachineSpec, addressesFollowTheTemplate) {
  FlyIOProviderConfig config = makeConfig();
  EXPECT_EQ(appUrl(config, "a1"), "https://a1.fly.dev");
  EXPECT_EQ(privateAppUrl(config, "a1"), "http://a1.flycast");
  config.appUrl = "http://{app}.fly.localhost:4281";
  EXPECT_EQ(privateAppUrl(config, "a1"), "http://a1.fly.localhost:4281");
}

}  // namespace
}  // namespace swarm::flyio

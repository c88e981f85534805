// What a container's body says about its limits, and which seccomp profiles are read.
#include "provider/docker/spec/hardening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provider/docker/spec/image_agent.h"
#include "support/temp_dir.h"

namespace swarm::docker {
namespace {

using ::testing::HasSubstr;

json::object hostConfigOf(const SecurityConfig& security, const DockerProviderConfig& config = {}) {
  InstanceSpec spec;
  spec.config.security = security;
  spec.config.resources.memory.max = 1024;
  return containerBody(spec, config, "s1", {}, {{"home", "/home/coder"}}).at("HostConfig").as_object();
}

TEST(Hardening, isOffUnlessRequestedOrRequired) {
  json::object host = hostConfigOf({});
  for (const char* member : {"SecurityOpt", "ReadonlyRootfs", "Tmpfs"}) EXPECT_FALSE(host.contains(member)) << member;
  EXPECT_EQ(json::serialize(hostConfigOf({.noNewPrivileges = true}).at("SecurityOpt")), R"(["no-new-privileges"])");
  DockerProviderConfig required;
  required.noNewPrivileges = required.readOnlyRoot = true;
  host = hostConfigOf({}, required);
  EXPECT_EQ(json::serialize(host.at("SecurityOpt")), R"(["no-new-privileges"])");
  EXPECT_EQ(host.at("ReadonlyRootfs"), json::value(true));
}

TEST(Hardening, aReadOnlyRootHasFoldersInMemoryWhereNoVolumeIs) {
  const json::object folders = hostConfigOf({.readOnlyRoot = true}).at("Tmpfs").as_object();
  EXPECT_EQ(stringIn(folders, "/tmp"), "rw,nosuid,nodev,exec,size=524288k,mode=1777") << "half of the memory at most";
  for (const char* path : {"/var/tmp", "/run", "/var/lib/swarm"}) EXPECT_TRUE(folders.contains(path)) << path;
  EXPECT_FALSE(folders.contains("/home/coder")) << "a volume is there";
  InstanceSpec spec;
  spec.config.security.readOnlyRoot = true;
  const json::object body = containerBody(spec, {}, "s1", {}, {{"t", "/tmp/"}, {"all", "/var"}, {"one", "/home/coder/one"}});
  const json::object others = body.at("HostConfig").at("Tmpfs").as_object();
  EXPECT_EQ(others.size(), 2u) << json::serialize(others);
  EXPECT_TRUE(others.contains("/home/coder") && others.contains("/run")) << json::serialize(others);
}

TEST(Hardening, aContainerInheritsNoneOfOurLabelsFromItsImage) {
  json::object body = containerBody({}, {}, "s1", {}, {});
  fitToAgent(body, {}, {}, {});
  for (std::string_view label : {kLabelSwarm, kLabelInstance, kLabelOwner, kLabelName, kLabelNetwork, kLabelInternal, kLabelPorts,
                                 kLabelResources, kLabelSpec, kLabelRun, kLabelMetadata, kLabelAgent, kLabelAgentTls, kLabelHelper})
    EXPECT_TRUE(body.at("Labels").as_object().contains(label)) << label;
}

class SeccompProfile : public ::testing::Test {
 protected:
  std::string faultOf(std::string_view text) {
    try {
      readSeccompProfile(folder_.write("profile.json", text));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      EXPECT_THAT(error.message(), HasSubstr("profile.json"));
      return error.message();
    }
    return {};
  }
  test::TempDir folder_;
};

TEST_F(SeccompProfile, isSentWithoutItsSpaces) {
  const auto file = folder_.write("profile.json", R"({ "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [ { "names": ["mkdir"], "action": "SCMP_ACT_ERRNO" } ] })");
  DockerProviderConfig config;
  config.seccompText = readSeccompProfile(file);
  EXPECT_EQ(stringIn(json::object{{"first", hostConfigOf({}, config).at("SecurityOpt").at(0)}}, "first"),
            R"(seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]})");
}

TEST_F(SeccompProfile, thatCanNotBeUsedIsRefusedWithTheReason) {
  EXPECT_THAT(faultOf("unconfined"), HasSubstr("not JSON"));
  EXPECT_THAT(faultOf("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(faultOf("{}"), HasSubstr("defaultAction is not SCMP_ACT_ALLOW"));
  EXPECT_THAT(faultOf(R"({"defaultAction":"ALLOW"})"), HasSubstr("defaultAction"));
  EXPECT_THAT(faultOf(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":{}})"), HasSubstr("not a list"));
  EXPECT_THAT(faultOf(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"yes"}]})"),
              HasSubstr("action of syscalls[0]"));
  EXPECT_THAT(faultOf(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"action":"SCMP_ACT_ALLOW"}]})"), HasSubstr("no names"));
  EXPECT_THAT(faultOf(std::string(1024 * 1024 + 1, ' ')), HasSubstr("more than 1 MiB"));
  EXPECT_EQ(faultOf(R"({"defaultAction":"SCMP_ACT_ERRNO"})"), "");
}

TEST_F(SeccompProfile, thatIsMissingEndsTheStart) {
  DockerProviderConfig config;
  config.seccompProfile = folder_.path() / "none.json";
  EXPECT_THROW(makeDockerProvider(config, "s1"), Error);
  config.name = "one";
  DockerProviderConfig second;
  second.name = "two";
  EXPECT_THROW(makeDockerProvider(std::vector{second, config}, "s1"), Error);
}

TEST(HardeningCheck, saysWhatTheEngineHas) {
  DockerProviderConfig config;
  engine::Facts facts;
  EXPECT_EQ(hardeningCheck(config, facts).detail,
            "containers have no user namespaces (userns-remap): their root is that of the machine; no seccomp");
  facts.hasSeccomp = true;
  EXPECT_EQ(hardeningCheck(config, facts).detail,
            "containers have no user namespaces (userns-remap): their root is that of the machine; the Engine's own seccomp profile");
  config.noNewPrivileges = true;
  config.seccompProfile = "/etc/strict.json";
  facts.hasUserNamespaces = true;
  EXPECT_EQ(hardeningCheck(config, facts).detail, "containers have user namespaces; seccomp profile /etc/strict.json; no-new-privileges");
  EXPECT_TRUE(hardeningCheck(config, facts).ok);
  EXPECT_FALSE(hardeningCheck(config, engine::Facts()).ok) << "an Engine without seccomp has no profile";
}

}  // namespace
}  // namespace swarm::docker

// Which images and network names users may request.
#include "provider/docker/spec/request_policy.h"

#include <gtest/gtest.h>

#include "provider/docker/spec/container_changes.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {
namespace {

TEST(RequestPolicy, theWorkspaceImageAndListedOnesAreForEveryone) {
  DockerProviderConfig config;
  config.workspaceImage = "registry:5000/mine:3";
  config.allowedImages = {"ghcr.io/team/*", "127.0.0.1:5000/mine"};
  for (const char* image :
       {"registry:5000/mine:3", "swarm-workspace:latest", "swarm-workspace", "ghcr.io/team/tool:2", "127.0.0.1:5000/mine"})
    EXPECT_FALSE(imageRefusal(image, ImageChoice::Allowed, config)) << image;
  for (const char* image : {"debian:12", "ghcr.io/teams/tool", "registry:5000/mine:4", "127.0.0.1:5000/mine2"})
    EXPECT_TRUE(imageRefusal(image, ImageChoice::Allowed, config)) << image;
  EXPECT_FALSE(imageRefusal("debian:12", ImageChoice::Any, config));
  EXPECT_TRUE(imageRefusal("registry:5000/mine:4", ImageChoice::Any, config)) << "the Engine would reach into its own network";
}

/// The message and code of the refusal; nothing: they are accepted.
std::optional<Error> refusalOf(DockerNetworkConfig options, const DockerProviderConfig& engine = {}) {
  InstanceSpec spec;
  spec.config.network.docker = std::move(options);
  try {
    checkPolicy(spec, engine);
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

TEST(RequestPolicy, aNetworkNameCanNotBeTheBeginningOfAnId) {
  for (const std::string& wrong : {std::string(64, 'a'), std::string("cafe12")}) {
    std::optional<Error> refusal = refusalOf({.networkName = wrong});
    ASSERT_TRUE(refusal) << wrong;
    EXPECT_EQ(refusal->code(), ErrorCode::Unprocessable);
  }
  for (const char* name : {"team-net", "cafeteria", ""}) EXPECT_FALSE(refusalOf({.networkName = name})) << name;
}

TEST(RequestPolicy, malformedNetworkOptionsAreInvalidMembersOfTheRequest) {
  const auto messageOf = [](DockerNetworkConfig options) {
    std::optional<Error> refusal = refusalOf(std::move(options));
    return refusal && refusal->code() == ErrorCode::InvalidArgument ? refusal->message() : std::string();
  };
  EXPECT_EQ(messageOf({"host", "null"}),
            "The request has 2 invalid fields: /network/docker/networkName must be a network of its own: \"host\" and \"none\" are not "
            "isolated; /network/docker/networkDriver must be a network driver, like bridge.");
  EXPECT_EQ(messageOf({"container:abc", "bridge"}),
            "The request has 1 invalid field: /network/docker/networkName must be 2 to 64 letters, digits, \"_\", \".\" and \"-\".");
}

TEST(RequestPolicy, aNetworkOfSeveralWorkspacesIsRefusedWhereEachHasItsOwn) {
  DockerProviderConfig engine;
  engine.isolation = Isolation::instance;
  std::optional<Error> refusal = refusalOf({.networkName = "team-net"}, engine);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->fields().at(0).pointer, "/network/docker/networkName");
  EXPECT_FALSE(refusalOf({.networkName = ""}, engine));
}

TEST(Networks, areOfAnOwnerOrOfAPlace) {
  InstanceSpec one, two, others;
  one.placeId = PlaceId("i-1"), two.placeId = PlaceId("i-2"), others.placeId = PlaceId("i-3");
  one.owner = two.owner = "ada", others.owner = "eve";
  one.name = two.name = others.name = "web";
  DockerProviderConfig config;
  const auto name = [&](const InstanceSpec& spec) { return planNetwork(spec, config, "s1").name; };
  EXPECT_EQ(name(one), name(two));
  EXPECT_NE(name(one), name(others));
  config.isolation = Isolation::instance;
  EXPECT_NE(name(one), name(two));
  EXPECT_NE(planNetwork(one, config, "s2").name, name(one)) << "two swarms may share an Engine";
  EXPECT_FALSE(planNetwork(one, config, "s1").shared) << "it is removed with the instance";
}

TEST(ContainerChanges, whatIsInNoVolumeIsCountedByItsFolder) {
  const char* changes =
      R"([{"Path":"/usr","Kind":0},{"Path":"/usr/bin","Kind":0},{"Path":"/usr/bin/a","Kind":1},{"Path":"/usr/bin/b","Kind":1},
    {"Path":"/home","Kind":0},{"Path":"/home/coder","Kind":1},{"Path":"/home/coder/x","Kind":1},{"Path":"/etc/hosts2","Kind":2},{"Path":"/etc","Kind":0},
    {"Path":"/tmp","Kind":0},{"Path":"/tmp/c","Kind":1},
    {"Path":"/var/lib/swarm","Kind":1},{"Path":"/var/lib/swarm/setup.json","Kind":1}])";  // the agent's own
  ReplacementLoss loss = readChanges({changes, false}, {"/home/coder"});
  EXPECT_EQ(loss.files, 3);
  EXPECT_FALSE(loss.more);
  ASSERT_EQ(loss.folders.size(), 2u);
  EXPECT_EQ(loss.folders[0].path, "/usr/bin");
  EXPECT_EQ(loss.folders[0].files, 2);
  EXPECT_EQ(loss.folders[1].path, "/etc");
}

TEST(ContainerChanges, whatTheAgentRecordedForItselfIsNotALoss) {
  const char* changes =
      R"([{"Path":"/var","Kind":0},{"Path":"/var/lib","Kind":0},{"Path":"/var/lib/swarm","Kind":0},{"Path":"/var/lib/swarm/setup.json","Kind":1}])";
  EXPECT_EQ(readChanges({changes, false}, {"/home/coder"}).files, 0);
}

TEST(ContainerChanges, aListThatWasCutCountsUpToTheCut) {
  ReplacementLoss loss = readChanges({R"([{"Path":"/a/b","Kind":1},{"Path":"/a/c","Kind":1},{"Pat)", true}, {});
  EXPECT_EQ(loss.files, 2);
  EXPECT_TRUE(loss.more);
  EXPECT_EQ(readChanges({"", true}, {}).files, 0);
}

TEST(DockerRegion, isTheHostInTheConfiguration) {
  NetworkConfig network;
  EXPECT_EQ(hostOf(network), "") << "the provider chooses";
  network.regions = {"box2", "box3"};
  EXPECT_EQ(hostOf(network), "box2") << "an instance has one host";
}

}  // namespace
}  // namespace swarm::docker

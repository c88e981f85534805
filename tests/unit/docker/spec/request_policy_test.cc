// Which images and network names users may request.
#include "provider/docker/spec/request_policy.h"

#include <gtest/gtest.h>

#include "provider/docker/spec/container_changes.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {
namespace {

TEST(RequestPolicy, anImagesRegistryIsKnownByItsName) {
  EXPECT_EQ(registryOf("debian"), "docker.io");
  EXPECT_EQ(registryOf("team/tool:2"), "docker.io");
  EXPECT_EQ(registryOf("ghcr.io/team/tool"), "ghcr.io");
  EXPECT_EQ(registryOf("registry:5000/a"), "registry:5000");
  EXPECT_EQ(registryOf("[::1]:5000/a"), "[::1]:5000");
  EXPECT_EQ(registryOf("localhost/a"), "localhost");
  EXPECT_EQ(registryOf("UPPER/a"), "UPPER");
}

TEST(RequestPolicy, theEngineIsNotSentToAddressesAndInternalNames) {
  DockerProviderConfig config;
  for (const char* image : {"127.0.0.1:5000/a", "10.0.0.1/a", "169.254.169.254/latest", "127.1/a.b", "0x7f.1/a", "[::1]:5000/a",
                            "localhost/a", "localhost:7420/a", "a.localhost/b", "registry:5000/a", "db.internal/x", "nas.local:80/x",
                            "router.LAN/x", "metadata.google.internal./x", "10.in-addr.arpa/x"})
    EXPECT_FALSE(isImageAllowed(image, config)) << image;
  for (const char* image :
       {"debian", "debian:12", "team/tool", "ghcr.io/team/tool@sha256:00", "registry.example.com:5000/a", "swarm-workspace:latest"})
    EXPECT_TRUE(isImageAllowed(image, config)) << image;
}

TEST(RequestPolicy, aListOfAllowedImagesIsTheWholeTruth) {
  DockerProviderConfig config;
  config.allowedImages = {"ghcr.io/team/*", "docker.io/library/debian:*", "127.0.0.1:5000/mine"};
  for (const char* image :
       {"ghcr.io/team/tool:2", "debian:12", "docker.io/library/debian:13", "127.0.0.1:5000/mine", "swarm-workspace:latest"})
    EXPECT_TRUE(isImageAllowed(image, config)) << image;
  for (const char* image : {"ghcr.io/teams/tool", "debian-evil:12", "alpine:3", "127.0.0.1:5000/mine2", "evil.example.com/ghcr.io/team/x"})
    EXPECT_FALSE(isImageAllowed(image, config)) << image;
}

/// The message and code of the refusal; nothing: they are accepted.
std::optional<Error> refusalOf(DockerNetworkConfig options) {
  InstanceConfig config;
  config.network.docker = std::move(options);
  try {
    checkPolicy(config, {});
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

// Which images a pattern is for, and which ones no user may name.
#include "provider/image_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarm {
namespace {

using ::testing::HasSubstr;

TEST(ImagePolicy, anImagesRegistryIsKnownByItsName) {
  EXPECT_EQ(registryOf("debian"), "docker.io");
  EXPECT_EQ(registryOf("team/tool:2"), "docker.io");
  EXPECT_EQ(registryOf("ghcr.io/team/tool"), "ghcr.io");
  EXPECT_EQ(registryOf("registry:5000/a"), "registry:5000");
  EXPECT_EQ(registryOf("[::1]:5000/a"), "[::1]:5000");
  EXPECT_EQ(registryOf("localhost/a"), "localhost");
  EXPECT_EQ(registryOf("UPPER/a"), "UPPER");
}

TEST(ImagePolicy, noProviderIsSentToAddressesAndInternalNames) {
  for (const char* image : {"127.0.0.1:5000/a", "10.0.0.1/a", "169.254.169.254/latest", "127.1/a.b", "0x7f.1/a", "[::1]:5000/a",
                            "localhost/a", "localhost:7420/a", "a.localhost/b", "registry:5000/a", "db.internal/x", "nas.local:80/x",
                            "router.LAN/x", "metadata.google.internal./x", "10.in-addr.arpa/x"})
    EXPECT_TRUE(refusalOfUnlisted(image, ImageChoice::Any)) << image;
  for (const char* image : {"debian", "debian:12", "team/tool", "ghcr.io/team/tool@sha256:00", "registry.example.com:5000/a"})
    EXPECT_FALSE(refusalOfUnlisted(image, ImageChoice::Any)) << image;
}

TEST(ImagePolicy, whatIsNotListedIsRefusedWithWhatToDo) {
  const std::optional<Error> refusal = refusalOfUnlisted("debian:12", ImageChoice::Allowed);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code(), ErrorCode::Unprocessable);
  EXPECT_EQ(refusal->fields().at(0).pointer, "/image");
  EXPECT_THAT(refusal->message(), HasSubstr("Name no image to get the workspace image, or ask an administrator to allow this one"));
}

TEST(ImagePolicy, aPatternFitsNamesInShortAndInFull) {
  const std::vector<std::string> patterns{"ghcr.io/team/*", "docker.io/library/debian:*", "alpine:latest"};
  for (const char* image :
       {"ghcr.io/team/tool:2", "ghcr.io/team/tool", "debian:12", "debian", "docker.io/library/debian:13", "alpine", "alpine:latest"})
    EXPECT_TRUE(matchesAny(image, patterns)) << image;
  for (const char* image : {"ghcr.io/teams/tool", "debian-evil:12", "alpine:3", "evil.example.com/ghcr.io/team/x", "debian@sha256:00"})
    EXPECT_FALSE(matchesAny(image, patterns)) << image;
}

/// The Engine takes such a name for the id of an image, of whatever repository, when it has no image of that name.
TEST(ImagePolicy, aNameThatMayBeAnIdFitsNoPatternButItself) {
  const std::string id = "sha256:" + std::string(64, 'a');
  for (const std::string& image : {id, std::string("cafe"), std::string(12, '0')}) {
    EXPECT_FALSE(matchesAny(image, {"*", "docker.io/library/*", "sha256:*"})) << image;
    EXPECT_TRUE(matchesAny(image, {image})) << image;
  }
  EXPECT_TRUE(matchesAny("cafe:latest", {"docker.io/library/*"})) << "an id has no tag";
}

}  // namespace
}  // namespace swarm

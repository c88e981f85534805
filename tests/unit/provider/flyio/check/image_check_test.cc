// Names of images, and the challenges of registries.
#include "provider/flyio/check/image_check.h"

#include <gtest/gtest.h>

namespace swarm::flyio {
namespace {

TEST(ImageCheck, takesReferencesApart) {
  auto parts = [](const std::string& image) {
    ImageName name = parseImage(image);
    return name.registry + "|" + name.repository + "|" + name.reference;
  };
  EXPECT_EQ(parts("alpine"), "docker.io|library/alpine|latest");
  EXPECT_EQ(parts("team/work:1"), "docker.io|team/work|1");
  EXPECT_EQ(parts("registry.fly.io/acme:3"), "registry.fly.io|acme|3");
  EXPECT_EQ(parts("ghcr.io/a/b@sha256:12"), "ghcr.io|a/b|sha256:12");
  EXPECT_EQ(parts("localhost:5000/a/b:c"), "localhost:5000|a/b|c");
  EXPECT_EQ(parts("ghcr.io/a/b:tag@sha256:12"), "ghcr.io|a/b|sha256:12");
}

TEST(ImageCheck, distinguishesImagesByDigestOrName) {
  EXPECT_FALSE(isOtherImage("registry.fly.io/acme:3", "registry.fly.io/acme:3"));
  EXPECT_FALSE(isOtherImage("registry.fly.io/acme:3@sha256:12", "registry.fly.io/acme:3"));
  EXPECT_FALSE(isOtherImage("docker.io/library/alpine:latest", "alpine"));
  EXPECT_FALSE(isOtherImage("registry.fly.io/acme:3@sha256:12", "registry.fly.io/acme@sha256:12"));
  EXPECT_TRUE(isOtherImage("registry.fly.io/acme:3@sha256:12", "registry.fly.io/acme:4"));
  EXPECT_TRUE(isOtherImage("registry.fly.io/acme:3@sha256:12", "registry.fly.io/acme:3@sha256:34"));
  EXPECT_TRUE(isOtherImage("registry.fly.io/acme:3", "registry.fly.io/other:3"));
}

TEST(ImageCheck, readsAChallenge) {
  RegistryChallenge challenge =
      parseChallenge(R"(Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull")");
  EXPECT_EQ(challenge.realm, "https://auth.example/token");
  EXPECT_EQ(challenge.service, "registry.example");
  EXPECT_EQ(challenge.scope, "repository:a/b:pull");
  EXPECT_EQ(parseChallenge("Basic realm=\"x\"").realm, "");
}

}  // namespace
}  // namespace swarm::flyio

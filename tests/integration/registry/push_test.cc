// From this machine's image to a registry, and what the Fly provider's check then says of it.
#include <gtest/gtest.h>

#include <optional>

#include "base/text/format.h"
#include "provider/flyio/check/image_check.h"
#include "support/child_program.h"
#include "support/coroutine_test.h"
#include "support/net/test_certificates.h"
#include "support/temp_dir.h"

namespace swarm::flyio {
namespace {

constexpr const char* kToken = "fm2_registry";
/// bcrypt of kToken, as a registry's password file wants it.
constexpr const char* kPasswords = "x:$2b$04$bp/LALatb1PjL1svlAXIuuOm04EfKkHpBKfwVHRpLscPlZvD43aXy\n";

Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }

/// docker-registry with TLS and one user, on a port of its own.
class RealRegistry {
 public:
  RealRegistry() {
    test::CertificateFiles files = authority_.issue("127.0.0.1");
    folder_.write("passwords", kPasswords);
    std::filesystem::path config =
        folder_.write("config.yml", format("version: 0.1\n"
                                           "log: {{level: info, accesslog: {{disabled: true}}}}\n"
                                           "storage: {{filesystem: {{rootdirectory: {0}/data}}}}\n"
                                           "auth: {{htpasswd: {{realm: test, path: {0}/passwords}}}}\n"
                                           "http: {{addr: 127.0.0.1:0, secret: test, tls: {{certificate: {1}, key: {2}}}}}\n",
                                           folder_.path().string(), files.certificate.string(), files.key.string()));
    program_.emplace(std::vector<std::string>{"docker-registry", "serve", config.string()});
    port_ = test::numberAfter(program_->readUntil(", tls"), "listening on 127.0.0.1:");
  }
  std::string host() const { return format("127.0.0.1:{}", port_); }
  RegistryAccess access(std::string password = kToken) const {
    return {{true, "127.0.0.1", port_}, "x:" + password, net::makeTlsClient({.ca = authority_.ca()})};
  }

 private:
  test::TestAuthority authority_;
  test::TempDir folder_;
  std::optional<test::ChildProgram> program_;
  std::uint16_t port_ = 0;
};

struct Pushed {
  int status = 0;
  std::string text;  ///< stdout and stderr
};

Pushed push(std::vector<std::string> arguments, const std::string& token) {
  ::setenv("FLY_API_TOKEN", token.c_str(), 1);
  arguments.insert(arguments.begin(), SWARM_TEST_PUSH);
  test::ChildProgram program(std::move(arguments));
  Pushed pushed;
  pushed.text = program.readUntil("\n never printed");
  pushed.status = program.waitForExit();
  return pushed;
}

/// The text after `before` on its line.
std::string after(const std::string& text, const std::string& before) {
  auto at = text.find(before);
  if (at == std::string::npos) return {};
  at += before.size();
  return text.substr(at, text.find('\n', at) - at);
}

std::string testImage() {
  test::ChildProgram program({SWARM_TEST_IMAGE_PROGRAM});
  std::string text = program.readUntil("\n");
  return text.substr(0, text.find('\n'));
}

bool isThere(const std::string& image, RegistryAccess access) {
  return test::run(hasManifest(parseImage(image), std::move(access), soon()));
}

std::string refusal(const std::string& image, RegistryAccess access) {
  try {
    isThere(image, std::move(access));
  } catch (const Error& error) {
    return error.message();
  }
  return "it was let in";
}

TEST(PushedImage, isFoundInARealRegistryByTlsAndWithTheTokenAsPassword) {
  RealRegistry registry;
  Pushed pushed = push({"my-images", "--registry", registry.host(), "--test-image"}, std::string("FlyV1 ") + kToken);
  ASSERT_EQ(pushed.status, 0) << pushed.text;
  EXPECT_EQ(pushed.text.find(kToken), std::string::npos) << pushed.text;
  std::string name = after(pushed.text, "export FLY_TEST_IMAGE=");
  EXPECT_TRUE(name.starts_with(registry.host() + "/my-images:")) << pushed.text;
  EXPECT_TRUE(isThere(name, registry.access()));
  EXPECT_TRUE(isThere(format("{}/my-images@{}", registry.host(), after(pushed.text, "pushed, ")), registry.access()));
  EXPECT_FALSE(isThere(registry.host() + "/my-images:other", registry.access()));
  EXPECT_FALSE(isThere(registry.host() + "/others:1", registry.access()));
  EXPECT_EQ(registryPassword(std::string("FlyV1 ") + kToken), kToken);
}

TEST(PushedImage, isNotGivenToStrangersNorRequestedFromOnes) {
  RealRegistry registry;
  std::string name = registry.host() + "/my-images:1";
  EXPECT_NE(refusal(name, registry.access("wrong")).find("status 401"), std::string::npos);
  RegistryAccess anonymous = registry.access();
  anonymous.login.clear();
  EXPECT_NE(refusal(name, anonymous).find("status 401"), std::string::npos);
  test::TestAuthority other("Other CA");
  RegistryAccess misled = registry.access();
  misled.tls = net::makeTlsClient({.ca = other.ca()});
  EXPECT_NE(refusal(name, misled).find("certificate was rejected"), std::string::npos);
}

TEST(PushedImage, isNamedAsTheConfigurationWantsItAndLeavesNoNameBehind) {
  RealRegistry registry;
  std::string image = testImage();
  Pushed pushed = push({"acme", "--registry", registry.host(), "--image", image, "--tag", "v7"}, kToken);
  ASSERT_EQ(pushed.status, 0) << pushed.text;
  EXPECT_EQ(after(pushed.text, "workspaceImage = "), format("\"{}/acme:v7\"", registry.host()));
  Pushed again = push({"acme", "--registry", registry.host(), "--image", registry.host() + "/acme:v7"}, kToken);
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.text.find("has no image"), std::string::npos) << again.text;
}

TEST(PushedImage, isRefusedWithAReasonWhenTheTokenIsWrongOrMissing) {
  RealRegistry registry;
  Pushed wrong = push({"acme", "--registry", registry.host(), "--image", testImage()}, "fm2_wrong");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.text.find("was not pushed: unauthorized"), std::string::npos) << wrong.text;
  EXPECT_EQ(wrong.text.find("fm2_wrong"), std::string::npos) << wrong.text;
  Pushed missing = push({"acme", "--registry", registry.host()}, "");
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.text.find("FLY_API_TOKEN"), std::string::npos) << missing.text;
}

TEST(PushedImage, getsItsAppFirstWhereAnApiIsNamed) {
  RealRegistry registry;
  test::ChildProgram fly(
      {SWARM_TEST_FLY_EMULATOR, "--backend", "memory", "--token", kToken, "--strict", "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0"});
  std::string api = format("http://127.0.0.1:{}", test::numberAfter(fly.readUntil("ready"), "http://127.0.0.1:"));
  ::setenv("SWARM_FLYIO_API_BASE_URL", api.c_str(), 1);
  Pushed first = push({"acme-images", "--registry", registry.host(), "--image", testImage(), "--tag", "1"}, kToken);
  Pushed second = push({"acme-images", "--registry", registry.host(), "--image", testImage(), "--tag", "2"}, kToken);
  Pushed stranger = push({"acme-images", "--registry", registry.host(), "--image", testImage(), "--tag", "2"}, "fm2_stranger");
  ::unsetenv("SWARM_FLYIO_API_BASE_URL");
  EXPECT_EQ(first.status, 0) << first.text;
  EXPECT_NE(first.text.find("created the app acme-images in personal"), std::string::npos) << first.text;
  EXPECT_EQ(second.status, 0) << second.text;
  EXPECT_EQ(second.text.find("created the app"), std::string::npos) << second.text;
  EXPECT_EQ(stranger.status, 1);
  EXPECT_NE(stranger.text.find("refuses this token for the app"), std::string::npos) << stranger.text;
}

}  // namespace
}  // namespace swarm::flyio

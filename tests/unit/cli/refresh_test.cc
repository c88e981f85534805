// Stored credentials are refreshed before they expire.
#include "base/id.h"
#include "cli/context.h"
#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

using std::chrono::hours;

class Refresh : public ::testing::Test {
 protected:
  Refresh() {
    ::setenv("XDG_CONFIG_HOME", folder_.path().c_str(), 1);
    api_.on("GET /api/instances?limit=500", 200, {R"({"items":[]})"});
    api_.on("POST /api/auth/refresh", 200, {R"({"token":"later","user":"ada","role":"user","expiresAt":"2030-01-01T00:00:00Z"})"});
  }
  ~Refresh() override { ::unsetenv("XDG_CONFIG_HOME"); }

  /// A token with a life of 168 hours, of which `left` are left.
  static std::string tokenWith(hours left) {
    const std::int64_t now = std::chrono::floor<std::chrono::seconds>(RealClock().now()).time_since_epoch().count();
    const std::int64_t expires = now + std::chrono::seconds(left).count();
    const boost::json::object claims{{"iat", expires - std::chrono::seconds(hours(168)).count()}, {"exp", expires}};
    return "e30." + toBase64Url(boost::json::serialize(claims)) + ".c2ln";
  }
  void store(const std::string& token, const std::string& url, const std::string& server = {}) {
    writeCredentials(credentialsPath(), {url, Secret(token), "ada", server});
  }
  /// Runs a command, and returns the token that is stored afterwards.
  std::string tokenAfterACommand() {
    const Ran ran = runCommand(api_, {"list"}, "");
    EXPECT_EQ(ran.code, 0) << ran.err;
    return readCredentials(credentialsPath())->token.reveal();
  }
  bool wasRefreshed() {
    return std::ranges::any_of(api_.received(), [](const Received& one) { return one.line == "POST /api/auth/refresh"; });
  }

  test::TempDir folder_;
  ApiDouble api_;
};

TEST_F(Refresh, replacesATokenOfWhoseLifeLessThanAThirdIsLeft) {
  store(tokenWith(hours(57)), api_.url());
  EXPECT_NE(tokenAfterACommand(), "later");
  EXPECT_FALSE(wasRefreshed());
  store(tokenWith(hours(55)), api_.url());
  EXPECT_EQ(tokenAfterACommand(), "later");
  const auto stored = readCredentials(credentialsPath());
  EXPECT_EQ(stored->url, api_.url());
  EXPECT_EQ(stored->user, "ada");
}

TEST_F(Refresh, leavesEveryOtherTokenAsItIs) {
  for (const std::string& token :
       {tokenWith(hours(-1)), std::string("opaque"), std::string("a.b"), std::string("a.e30.b"), std::string(".")}) {
    store(token, api_.url());
    EXPECT_EQ(tokenAfterACommand(), token);
  }
  const std::string due = tokenWith(hours(1));
  store(due, api_.url(), "swarm-1");
  EXPECT_EQ(tokenAfterACommand(), due) << "the server renews it";
  store(due, "http://other.example.com");
  EXPECT_EQ(tokenAfterACommand(), due) << "it is not sent to this server";
  EXPECT_FALSE(wasRefreshed());
}

TEST_F(Refresh, leavesWhatAnotherCommandHasStoredInTheMeantime) {
  store(tokenWith(hours(1)), api_.url());
  api_.during("POST /api/auth/refresh", [&] { store("of another sign-in", api_.url()); });
  EXPECT_EQ(tokenAfterACommand(), "of another sign-in");
  store(tokenWith(hours(1)), api_.url());
  api_.during("POST /api/auth/refresh", [] { removeCredentials(credentialsPath()); });
  EXPECT_EQ(runCommand(api_, {"list"}, "").code, 0);
  EXPECT_FALSE(readCredentials(credentialsPath())) << "signed out";
}

TEST_F(Refresh, doesNotFailTheCommandWhenItFails) {
  store(tokenWith(hours(1)), api_.url());
  api_.on("POST /api/auth/refresh", 503, {R"({"code":"unavailable","detail":"Later."})"});
  EXPECT_NE(tokenAfterACommand(), "later");
  EXPECT_TRUE(wasRefreshed());
}

}  // namespace
}  // namespace swarm::cli::testing

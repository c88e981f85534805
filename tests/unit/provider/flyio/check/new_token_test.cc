// A new token is checked before it is used.
#include <gmock/gmock.h>

#include "provider/flyio/flyio_provider.h"
#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kTokens = "GET /v1/tokens/current";
constexpr const char* kApps = "GET /v1/apps";

class NewToken : public ScriptedParts {
 protected:
  NewToken() {
    fly_.respond(kTokens, {{200, R"({"tokens":[{"user":"ann@example.com"}]})"}});
    fly_.respond(kApps, {{200, R"({"total_apps":0,"apps":[]})"}});
  }
  FlyIOProviderConfig configuration() {
    FlyIOProviderConfig configuration = config();
    configuration.apiBaseUrl = fly_.url();
    return configuration;
  }
  std::optional<Error> refusal(const std::string& token) {
    try {
      loop_.run(provider_.apiToken()->checkToken(Secret(token), soon()));
    } catch (const Error& error) {
      EXPECT_THAT(error.message() + error.cause(), Not(HasSubstr("fm2_"))) << "the token";
      return error;
    }
    return std::nullopt;
  }

  RealClock clock_;
  FlyIOProvider provider_{configuration(), "swarm-1", clock_, quickTuning()};
};

TEST_F(NewToken, isCheckedWithRequestsOfItsOwnAndNotUsedYet) {
  EXPECT_FALSE(refusal("fm2_new"));
  ASSERT_FALSE(fly_.requests().empty());
  for (const SeenRequest& request : fly_.requests()) EXPECT_EQ(request.authorization, "FlyV1 fm2_new");
  EXPECT_EQ(provider_.apiToken()->describeToken().source, TokenSource::configuration);
}

TEST_F(NewToken, isRefusedWhenFlyRefusesItAndTextsOfFlyAreNotRepeated) {
  for (const int status : {401, 403}) {
    fly_.respond(kTokens, {{status, R"({"error":"no such token: fm2_new"})"}});
    const auto error = refusal("fm2_new");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
    EXPECT_THAT(error->message(), HasSubstr(std::to_string(status)));
  }
}

TEST_F(NewToken, isRefusedForOneAppOnly) {
  fly_.respond(kTokens, {{200, R"({"tokens":[{"user":"","apps":["a1"]}]})"}});
  const auto error = refusal("fm2_new");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
}

TEST_F(NewToken, isUnknownWhileFlyHasAnOutage) {
  fly_.respond(kTokens, {{503, "upstream of fm2_new"}});
  const auto error = refusal("fm2_new");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
}

TEST_F(NewToken, hasNoCharactersThatWouldEndAHeader) {
  const auto error = refusal("fm2_a\r\nX-Other: b");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::InvalidArgument);
  EXPECT_TRUE(fly_.requests().empty());
}

}  // namespace
}  // namespace swarm::flyio

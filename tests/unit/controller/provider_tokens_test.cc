// A token of a provider that an administrator stored.
#include "unit/controller/fixture.h"

#include <gmock/gmock.h>

namespace swarm::test {
namespace {

using ::testing::HasSubstr;

class ProviderTokensTest : public ControllerTest {
 protected:
  ProviderToken set(const std::string& token, bool unchecked = false) {
    return run(swarm().setProviderToken(ProviderType::fake, Secret(token), unchecked));
  }
  std::optional<Error> refusal(const std::string& token, bool unchecked = false) {
    try {
      set(token, unchecked);
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }
  TokenSource source() { return run(swarm().listProviders()).front().token->source; }
};

TEST_F(ProviderTokensTest, isUsedAtOnceAndAfterACrash) {
  boot();
  EXPECT_EQ(source(), TokenSource::none);
  const ProviderToken now = set("first");
  EXPECT_EQ(now.source, TokenSource::stored);
  EXPECT_EQ(provider().token().reveal(), "first");
  set("second");
  reboot();
  EXPECT_EQ(provider().token().reveal(), "second");
  EXPECT_EQ(source(), TokenSource::stored);
  EXPECT_GE(run(swarm().listProviders()).front().token->setAt, now.setAt);
}

TEST_F(ProviderTokensTest, isGoneAfterItsRemoval) {
  boot();
  set("first");
  EXPECT_EQ(run(swarm().removeProviderToken(ProviderType::fake)).source, TokenSource::none);
  EXPECT_TRUE(provider().token().empty());
  reboot();
  EXPECT_TRUE(provider().token().empty());
}

TEST_F(ProviderTokensTest, isNotReplacedByOneThatTheProviderRefuses) {
  boot();
  set("first");
  for (const bool unchecked : {false, true}) {
    const auto error = refusal("refused", unchecked);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  }
  EXPECT_EQ(provider().token().reveal(), "first");
  reboot();
  EXPECT_EQ(provider().token().reveal(), "first");
}

TEST_F(ProviderTokensTest, isReplacedWithoutACheckWhereThatIsRequestedAndTheProviderCannotBeReached) {
  boot();
  set("first");
  world_.setDown(true);
  const auto error = refusal("second");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  EXPECT_THAT(error->message(), HasSubstr("--force"));
  EXPECT_EQ(provider().token().reveal(), "first");
  set("second", true);
  EXPECT_EQ(provider().token().reveal(), "second");
}

TEST_F(ProviderTokensTest, staysWhereTheNewOneCannotBeStored) {
  boot();
  set("first");
  store_.failWrites = Error(ErrorCode::OutOfResources, "The disk is full.");
  store_.failWritesTimes = 1;
  const auto error = refusal("second");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::OutOfResources);
  EXPECT_EQ(provider().token().reveal(), "first");
}

TEST_F(ProviderTokensTest, aDamagedOneDoesNotStopTheServer) {
  boot();
  set("first");
  store_.secrets["provider.fake.token"] = Secret("not JSON");
  reboot();
  EXPECT_EQ(source(), TokenSource::none);
  set("second");
  EXPECT_EQ(provider().token().reveal(), "second");
}

}  // namespace
}  // namespace swarm::test

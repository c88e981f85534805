// Guessing gets slower; owners of a password are not locked out for long.
#include "auth/limits/throttle.h"

#include "base/error.h"
#include "gmock/gmock.h"
#include "support/manual_clock.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class Throttle : public testing::Test {
 protected:
  /// The message of the refusal, or "allowed".
  std::string attempt(const std::string& name = "ann", const std::string& address = "10.0.0.1", const std::string& device = "") {
    try {
      throttle_.attempt({.name = name, .address = address, .device = device});
      return "allowed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::TooManyRequests);
      std::string seconds = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(error.retryAfter()).count());
      EXPECT_THAT(error.message(), HasSubstr("try again in " + seconds + " second")) << "Retry-After has the same value";
      return error.message();
    }
  }
  void succeeded(const std::string& name, const std::string& address, const std::string& device = "") {
    throttle_.succeeded({.name = name, .address = address, .device = device});
  }
  ManualClock clock_;
  LoginThrottle throttle_{clock_};
};

TEST_F(Throttle, letsANameFailFiveTimesFromOneAddressThenDoublesTheWait) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt(), "allowed") << i;
  EXPECT_THAT(attempt(), HasSubstr("try again in 1 second."));
  clock_.advance(seconds(1));
  EXPECT_EQ(attempt(), "allowed");
  EXPECT_THAT(attempt(), HasSubstr("try again in 2 seconds."));
  clock_.advance(milliseconds(1999));
  EXPECT_THAT(attempt(), HasSubstr("try again in 1 second."));
  clock_.advance(milliseconds(1));
  EXPECT_EQ(attempt(), "allowed");
  EXPECT_THAT(attempt(), HasSubstr("try again in 4 seconds."));
}

TEST_F(Throttle, neverMakesANameWaitLongerThanAMinute) {
  for (int i = 0; i < 60; ++i) {
    attempt("ann", "10.0.0." + std::to_string(i));
    clock_.advance(seconds(60));
    EXPECT_EQ(attempt("ann", "10.0.1." + std::to_string(i)), "allowed");
    clock_.advance(seconds(60));
  }
}

TEST_F(Throttle, slowsAnAddressThatTriesManyNames) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(attempt("user" + std::to_string(i)), "allowed") << i;
  EXPECT_THAT(attempt("another"), HasSubstr("try again in 1 second."));
  EXPECT_EQ(attempt("another", "10.0.0.2"), "allowed") << "another address is free";
}

TEST_F(Throttle, locksNoUserOutWhileAnotherAddressGuesses) {
  for (int round = 0; round < 65; ++round) {
    attempt("ann", "10.6.6.6");
    attempt("ann", "10.6.6.6");
    EXPECT_EQ(attempt("ann", "10.0.0.1"), "allowed") << round;
    succeeded("ann", "10.0.0.1");
    clock_.advance(seconds(1));
  }
}

TEST_F(Throttle, countsAKnownDeviceSeparately) {
  for (int i = 0; i < 300; ++i) attempt("ann", "10.0." + std::to_string(i % 50) + ".1");
  for (int i = 0; i < 25; ++i) attempt("user" + std::to_string(i), "10.0.0.1");
  EXPECT_NE(attempt("ann", "10.0.0.1"), "allowed");
  EXPECT_EQ(attempt("ann", "10.0.0.1", "laptop"), "allowed") << "other clients have used up the address";
  succeeded("ann", "10.0.0.1", "laptop");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(attempt("ann", "10.0.0.1", "laptop"), "allowed") << i;
  EXPECT_THAT(attempt("ann", "10.0.0.1", "laptop"), HasSubstr("try again in 1 second.")) << "a stolen cookie guesses no faster";
}

TEST_F(Throttle, holdsManyAddressesTogetherToOneAttemptInTwoSeconds) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(attempt("ann", "10.0.1." + std::to_string(i)), "allowed") << i;
  EXPECT_THAT(attempt("ann", "10.0.2.1"), HasSubstr("try again in 2 seconds."));
  EXPECT_EQ(attempt("ben", "10.0.2.1"), "allowed") << "the limit is per name";
  for (int i = 0; i < 20; ++i) {
    clock_.advance(seconds(2));
    EXPECT_EQ(attempt("ann", "10.0.3." + std::to_string(i)), "allowed") << "its owner on a new device does not wait longer";
  }
}

TEST_F(Throttle, codesOfADayFindNoRightOne) {
  int unknown = 0, stolen = 0, known = 0;
  const auto isAllowed = [&](const std::string& address, const std::string& device) {
    try {
      throttle_.attempt({.name = "ann", .address = address, .device = device, .isCode = true});
    } catch (const Error&) {
      return false;
    }
    return true;
  };
  for (int second = 0; second < 24 * 3600; second += 10) {
    unknown += isAllowed("10.0.1." + std::to_string(second), "");
    stolen += isAllowed("10.0.0.1", "laptop");
    known += isAllowed("10.0.0.1", "device" + std::to_string(second));
    clock_.advance(seconds(10));
  }
  EXPECT_LE(unknown, 160);
  EXPECT_LE(stolen, 60);
  EXPECT_LE(stolen + known, 170) << "however many devices";
}

TEST_F(Throttle, codesOfOneDeviceDoNotLockOutAnother) {
  const auto isAllowed = [&](const std::string& device) {
    try {
      throttle_.attempt({.name = "ann", .address = "10.0.0.1", .device = device, .isCode = true});
    } catch (const Error&) {
      return false;
    }
    return true;
  };
  for (int i = 0; i < 30; ++i) isAllowed("");
  EXPECT_FALSE(isAllowed(""));
  for (int i = 0; i < 30; ++i) isAllowed("stolen");
  EXPECT_FALSE(isAllowed("stolen"));
  EXPECT_TRUE(isAllowed("laptop"));
  throttle_.succeeded({.name = "ann", .address = "10.0.0.1", .device = "laptop", .isCode = true});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(isAllowed("laptop")) << i;
  EXPECT_FALSE(isAllowed("laptop"));
}

TEST_F(Throttle, forgetsANamesFailuresAfterASuccess) {
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 4; ++i) ASSERT_EQ(attempt("ann", "10.0.1." + std::to_string(round)), "allowed");
    succeeded("ann", "10.0.1." + std::to_string(round));
  }
}

TEST_F(Throttle, doesNotForgetAnAddressForOneRightPassword) {
  for (int i = 0; i < 19; ++i) attempt("user" + std::to_string(i));
  EXPECT_EQ(attempt("own"), "allowed");
  succeeded("own", "10.0.0.1");
  EXPECT_EQ(attempt("next"), "allowed");
  EXPECT_THAT(attempt("next2"), HasSubstr("try again"));
}

TEST_F(Throttle, countsAttemptsThatAreStillRunning) {
  for (int i = 0; i < 5; ++i) attempt();
  EXPECT_NE(attempt(), "allowed") << "concurrent attempts have no advantage";
}

TEST_F(Throttle, forgetsAfterAQuietQuarterOfAnHour) {
  for (int i = 0; i < 5; ++i) attempt();
  clock_.advance(minutes(15) + seconds(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt(), "allowed");
}

TEST_F(Throttle, staysBoundedUnderVeryManyAddresses) {
  for (int i = 0; i < 30'000; ++i) EXPECT_EQ(attempt("n" + std::to_string(i), "a" + std::to_string(i)), "allowed");
}

}  // namespace
}  // namespace swarm

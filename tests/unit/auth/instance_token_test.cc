// Instance tokens: one instance, one scope, until one second, under one key.
#include "auth/instance_token.h"

#include "base/id.h"
#include "gtest/gtest.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TokenScope kScopes[] = {TokenScope::Status, TokenScope::Exec, TokenScope::Vscode,
                                  TokenScope::Port,   TokenScope::Ssh,  TokenScope::Files};

class InstanceToken : public testing::Test {
 protected:
  std::string sign(TokenScope scope = TokenScope::Exec, seconds ttl = seconds(60)) {
    return signInstanceToken(key_, "i-1", scope, ttl, clock_);
  }
  std::expected<void, TokenFault> verify(std::string_view token, TokenScope scope = TokenScope::Exec) {
    return verifyInstanceToken(token, key_, "i-1", scope, clock_);
  }
  /// A token with any payload text, rightly signed.
  std::string signPayload(std::string_view payload, bool encode = true) {
    std::string signed_part = "v1." + (encode ? toBase64Url(payload) : std::string(payload));
    return signed_part + "." + toBase64Url(hmacSha256(key_.reveal(), signed_part));
  }

  Secret key_{randomBytes(32)};
  ManualClock clock_;
};

TEST_F(InstanceToken, opensItsOwnScopeAndNoOther) {
  for (TokenScope signed_for : kScopes) {
    std::string token = sign(signed_for);
    for (TokenScope asked : kScopes) {
      auto result = verify(token, asked);
      if (asked == signed_for) {
        EXPECT_TRUE(result) << toString(asked);
      } else {
        ASSERT_FALSE(result) << toString(signed_for) << " opened " << toString(asked);
        EXPECT_EQ(result.error(), TokenFault::WrongScope);
      }
    }
  }
}

TEST_F(InstanceToken, isRefusedByAnotherInstance) {
  auto result = verifyInstanceToken(sign(), key_, "i-2", TokenScope::Exec, clock_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), TokenFault::WrongAudience);
  EXPECT_FALSE(verifyInstanceToken(sign(), key_, "", TokenScope::Exec, clock_));
}

TEST_F(InstanceToken, isRefusedUnderAnotherKey) {
  for (Secret other : {Secret(randomBytes(32)), Secret(key_.reveal().substr(1)), Secret()}) {
    auto result = verifyInstanceToken(sign(), other, "i-1", TokenScope::Exec, clock_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), TokenFault::BadSignature);
  }
}

TEST_F(InstanceToken, endsAtItsSecondExactly) {
  std::string token = sign(TokenScope::Exec, seconds(60));
  clock_.advance(milliseconds(59'999));
  EXPECT_TRUE(verify(token));
  clock_.advance(milliseconds(1));
  auto result = verify(token);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), TokenFault::Expired);
}

TEST_F(InstanceToken, livesAnHourAtMost) {
  std::string token = sign(TokenScope::Exec, std::chrono::hours(48));
  clock_.advance(std::chrono::minutes(60) - seconds(1));
  EXPECT_TRUE(verify(token));
  clock_.advance(seconds(1));
  EXPECT_FALSE(verify(token));
}

TEST_F(InstanceToken, isBornExpiredWithNoLifeOrANegativeOne) {
  EXPECT_FALSE(verify(sign(TokenScope::Exec, seconds(0))));
  EXPECT_FALSE(verify(sign(TokenScope::Exec, seconds(-5))));
}

TEST_F(InstanceToken, isRefusedWithAnyOneCharacterChanged) {
  std::string token = sign();
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (char replacement : {'A', 'b', '.', '=', '-'}) {
      if (token[i] == replacement) continue;
      std::string changed = token;
      changed[i] = replacement;
      EXPECT_FALSE(verify(changed)) << i << " " << changed;
    }
  }
}

TEST_F(InstanceToken, isRefusedTruncatedOrExtended) {
  std::string token = sign();
  for (std::size_t length = 0; length < token.size(); ++length) EXPECT_FALSE(verify(token.substr(0, length))) << length;
  for (std::string_view tail : {"A", "=", ".", " ", "\n", "AAAA"}) EXPECT_FALSE(verify(token + std::string(tail)));
  EXPECT_FALSE(verify(" " + token));
}

TEST_F(InstanceToken, callsWrongShapesMalformed) {
  std::string good = sign();
  std::string signature = good.substr(good.rfind('.'));
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("v1"), "v2" + good.substr(2), "V1" + good.substr(2), good.substr(3),
        "v1" + signature, good + ".more", good + "=", std::string(2000, 'A'), "v1." + std::string(2000, 'A') + signature}) {
    auto result = verify(token);
    ASSERT_FALSE(result) << token;
    EXPECT_EQ(result.error(), TokenFault::Malformed) << token;
  }
}

TEST_F(InstanceToken, refusesPayloadsThatAreSignedButWrong) {
  std::string expiry = std::to_string(std::chrono::floor<seconds>(clock_.now()).time_since_epoch().count() + 60);
  ASSERT_TRUE(verify(signPayload(R"({"aud":"i-1","scope":"exec","exp":)" + expiry + "}")));
  for (const std::string& payload :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"), R"({"aud":"i-1","scope":"exec"})" + std::string(),
        R"({"aud":"i-1","scope":"exec","exp":")" + expiry + "\"}", R"({"aud":"i-1","scope":"exec","exp":1e99})" + std::string(),
        R"({"aud":["i-1"],"scope":"exec","exp":)" + expiry + "}", R"({"aud":"i-1","scope":1,"exp":)" + expiry + "}",
        R"({"aud":"i-1","scope":"exec","more":1,"exp":)" + expiry + "}", R"({"aud":"i-1","scope":"exec","exp":)" + expiry + "} x"}) {
    auto result = verify(signPayload(payload));
    ASSERT_FALSE(result) << payload;
    EXPECT_EQ(result.error(), TokenFault::Malformed) << payload;
  }
  for (std::string_view encoded : {"e30=", "e3 0", "e3+0", "e", "e31"}) EXPECT_FALSE(verify(signPayload(encoded, false))) << encoded;
}

TEST_F(InstanceToken, refusesASecondSpellingOfItsSignature) {
  std::string token = sign();  // 32 bytes leave two unused bits in the last digit
  std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  auto value = digits.find(token.back());
  ASSERT_EQ(value % 4, 0u);
  for (std::size_t twin = value + 1; twin < value + 4; ++twin) {
    std::string other = token;
    other.back() = digits[twin];
    EXPECT_FALSE(verify(other));
  }
}

}  // namespace
}  // namespace swarm

// Instance tokens: one instance, one scope, until one second, under one key; the same for both algorithms.
#include "protocol/instance_token.h"

#include "base/id.h"
#include "gtest/gtest.h"
#include "protocol/ed25519.h"
#include "support/manual_clock.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TokenScope kScopes[] = {TokenScope::Status, TokenScope::Exec,  TokenScope::Vscode, TokenScope::Port,
                                  TokenScope::Ssh,    TokenScope::Files, TokenScope::Control};

class InstanceToken : public testing::TestWithParam<TokenAlgorithm> {
 protected:
  std::string sign(TokenScope scope = TokenScope::Exec, seconds ttl = seconds(60)) {
    return signInstanceToken(key_, "i-1", scope, ttl, clock_);
  }
  std::expected<TokenClaims, TokenFault> verify(std::string_view token, TokenScope scope = TokenScope::Exec) {
    return verifyInstanceToken(token, verifyingKeyOf(key_), "i-1", scope, clock_);
  }
  bool isHmac() const { return GetParam() == TokenAlgorithm::Hmac; }
  std::string version() const { return isHmac() ? "v1" : "v2"; }
  std::string otherVersion() const { return isHmac() ? "v2" : "v1"; }
  /// A token with any payload text, correctly signed.
  std::string signPayload(std::string_view payload, bool encode = true) {
    std::string signed_part = version() + "." + (encode ? toBase64Url(payload) : std::string(payload));
    return signed_part + "." +
           toBase64Url(isHmac() ? hmacSha256(key_.bytes.reveal(), signed_part) : ed25519::sign(key_.bytes, signed_part));
  }

  SigningKey key_{GetParam(), Secret(randomBytes(32))};
  ManualClock clock_;
};

INSTANTIATE_TEST_SUITE_P(Algorithms, InstanceToken, testing::Values(TokenAlgorithm::Ed25519, TokenAlgorithm::Hmac),
                         [](const auto& info) { return info.param == TokenAlgorithm::Hmac ? "hmac" : "ed25519"; });

TEST_P(InstanceToken, opensItsOwnScopeAndNoOther) {
  for (TokenScope signed_for : kScopes) {
    std::string token = sign(signed_for);
    for (TokenScope requested : kScopes) {
      auto result = verify(token, requested);
      if (requested == signed_for) {
        EXPECT_TRUE(result) << toString(requested);
      } else {
        ASSERT_FALSE(result) << toString(signed_for) << " opened " << toString(requested);
        EXPECT_EQ(result.error(), TokenFault::WrongScope);
      }
    }
  }
}

TEST_P(InstanceToken, isRefusedByAnotherInstance) {
  auto result = verifyInstanceToken(sign(), verifyingKeyOf(key_), "i-2", TokenScope::Exec, clock_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), TokenFault::WrongAudience);
  EXPECT_FALSE(verifyInstanceToken(sign(), verifyingKeyOf(key_), "", TokenScope::Exec, clock_));
}

TEST_P(InstanceToken, isRefusedUnderAnotherKey) {
  const std::string own = verifyingKeyOf(key_).bytes.reveal();
  for (const std::string& other : {randomBytes(32), own.substr(1), std::string()}) {
    auto result = verifyInstanceToken(sign(), {GetParam(), Secret(other)}, "i-1", TokenScope::Exec, clock_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), TokenFault::BadSignature);
  }
}

TEST_P(InstanceToken, endsAtItsSecondExactly) {
  std::string token = sign(TokenScope::Exec, seconds(60));
  clock_.advance(milliseconds(59'999));
  EXPECT_TRUE(verify(token));
  clock_.advance(milliseconds(1));
  auto result = verify(token);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), TokenFault::Expired);
}

TEST_P(InstanceToken, livesAnHourAtMost) {
  std::string token = sign(TokenScope::Exec, std::chrono::hours(48));
  clock_.advance(std::chrono::minutes(60) - seconds(1));
  EXPECT_TRUE(verify(token));
  clock_.advance(seconds(1));
  EXPECT_FALSE(verify(token));
}

TEST_P(InstanceToken, isBornExpiredWithNoLifeOrANegativeOne) {
  EXPECT_FALSE(verify(sign(TokenScope::Exec, seconds(0))));
  EXPECT_FALSE(verify(sign(TokenScope::Exec, seconds(-5))));
}

TEST_P(InstanceToken, isRefusedWithAnyOneCharacterChanged) {
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

TEST_P(InstanceToken, isRefusedTruncatedOrExtended) {
  std::string token = sign();
  for (std::size_t length = 0; length < token.size(); ++length) EXPECT_FALSE(verify(token.substr(0, length))) << length;
  for (std::string_view tail : {"A", "=", ".", " ", "\n", "AAAA"}) EXPECT_FALSE(verify(token + std::string(tail)));
  EXPECT_FALSE(verify(" " + token));
}

TEST_P(InstanceToken, callsWrongShapesMalformed) {
  std::string good = sign();
  std::string signature = good.substr(good.rfind('.'));
  for (const std::string& token : {std::string(), std::string("."), std::string(".."), version(), otherVersion() + good.substr(2),
                                   "V1" + good.substr(2), good.substr(3), version() + signature, good + ".more", good + "=",
                                   std::string(2000, 'A'), version() + "." + std::string(2000, 'A') + signature}) {
    auto result = verify(token);
    ASSERT_FALSE(result) << token;
    EXPECT_EQ(result.error(), TokenFault::Malformed) << token;
  }
}

TEST_P(InstanceToken, refusesPayloadsThatAreSignedButWrong) {
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

TEST_P(InstanceToken, refusesASecondSpellingOfItsSignature) {
  std::string token = sign();
  const unsigned spellings = isHmac() ? 4 : 16;  // 32 bytes leave two unused bits in the last digit, 64 leave four
  std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  auto value = digits.find(token.back());
  ASSERT_EQ(value % spellings, 0u);
  for (std::size_t twin = value + 1; twin < value + spellings; ++twin) {
    std::string other = token;
    other.back() = digits[twin];
    EXPECT_FALSE(verify(other));
  }
}

TEST(InstanceTokens, carryTheSessionThatTheyDieWith) {
  ManualClock clock;
  SigningKey key{TokenAlgorithm::Ed25519, Secret(randomBytes(32))};
  auto sessionOf = [&](std::string_view session) {
    auto claims = verifyInstanceToken(signInstanceToken(key, "i-1", TokenScope::Port, seconds(60), clock, session), verifyingKeyOf(key),
                                      "i-1", TokenScope::Port, clock);
    return claims ? claims->session : "refused";
  };
  EXPECT_EQ(sessionOf("s-1"), "s-1");
  EXPECT_EQ(sessionOf(""), "");
  EXPECT_EQ(sessionOf(std::string(129, 's')), "refused");
}

TEST(InstanceTokens, ofOneAlgorithmOpenNothingUnderAKeyOfTheOther) {
  ManualClock clock;
  SigningKey pair{TokenAlgorithm::Ed25519, Secret(randomBytes(32))};
  const Secret public_key = verifyingKeyOf(pair).bytes;
  auto faultOf = [&](const std::string& token, const VerifyingKey& key) {
    auto result = verifyInstanceToken(token, key, "i-1", TokenScope::Exec, clock);
    return result ? std::nullopt : std::optional(result.error());
  };
  auto sign = [&](const SigningKey& key) { return signInstanceToken(key, "i-1", TokenScope::Exec, seconds(60), clock); };
  // The classic: the public key, which is not confidential, used as a secret.
  std::string forged = sign({TokenAlgorithm::Hmac, public_key});
  EXPECT_EQ(faultOf(forged, verifyingKeyOf(pair)), TokenFault::Malformed);
  EXPECT_EQ(faultOf("v2" + forged.substr(2), verifyingKeyOf(pair)), TokenFault::BadSignature);
  // A secret's agent and a key's token.
  EXPECT_EQ(faultOf(sign(pair), {TokenAlgorithm::Hmac, public_key}), TokenFault::Malformed);
  EXPECT_EQ(faultOf("v1" + sign(pair).substr(2), {TokenAlgorithm::Hmac, public_key}), TokenFault::BadSignature);
  EXPECT_EQ(faultOf(sign({TokenAlgorithm::Hmac, pair.bytes}), verifyingKeyOf(pair)), TokenFault::Malformed);
}

TEST(Ed25519, signsAsTheStandardSays) {  // RFC 8032, section 7.1, test 2
  Secret seed(fromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").value_or(""));
  std::string message = fromHex("72").value_or("");
  EXPECT_EQ(toHex(ed25519::publicKeyOf(seed)), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  std::string signature = ed25519::sign(seed, message);
  EXPECT_EQ(
      toHex(signature),
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(ed25519::verify(ed25519::publicKeyOf(seed), message, signature));
  EXPECT_FALSE(ed25519::verify(ed25519::publicKeyOf(seed), "other", signature));
  EXPECT_FALSE(ed25519::verify(std::string(32, '\0'), message, std::string(64, '\0')));
  EXPECT_FALSE(ed25519::verify("short", message, signature));
  EXPECT_FALSE(ed25519::verify(ed25519::publicKeyOf(seed), message, signature + "x"));
}

}  // namespace
}  // namespace swarm

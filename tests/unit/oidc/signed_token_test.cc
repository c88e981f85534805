// Keys and signatures: the closed list of algorithms, and tokens that confuse them.
#include "oidc/jose/signed_token.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "fuzz/oidc/checks.h"
#include "oidc/jose/strict_json.h"
#include "test_keys.h"

namespace swarm::oidc::testing {
namespace {

using ::testing::HasSubstr;

WebKeySet setOf(const boost::json::array& keys) {
  return WebKeySet::parse(boost::json::serialize(boost::json::object{{"keys", keys}})).value_or(WebKeySet());
}

/// The claims of a token if one of the keys signed it.
std::optional<boost::json::object> claimsOf(const std::string& text, const WebKeySet& keys) {
  const UnverifiedToken token = UnverifiedToken::parse(text);
  const WebKey* key = keys.find(token.algorithm(), token.keyId());
  return key == nullptr ? std::nullopt : token.claimsSignedBy(*key);
}

std::string faultOf(const std::string& text) {
  try {
    UnverifiedToken::parse(text);
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(SignedToken, isVerifiedWithEachAlgorithmOfTheList) {
  for (const char* algorithm : {"RS256", "PS256", "ES256", "EdDSA"}) {
    const TestKey key("one", algorithm), other("one", algorithm);
    const std::string token = key.sign({{"sub", "ada"}});
    const auto claims = claimsOf(token, setOf({key.publicKey()}));
    ASSERT_TRUE(claims) << algorithm;
    EXPECT_EQ(claims->at("sub"), "ada");
    EXPECT_FALSE(claimsOf(token, setOf({other.publicKey()}))) << algorithm;
    std::string changed = token;
    changed[token.find('.') + 3] ^= 1;
    const auto parsed = faultOf(changed);
    if (parsed.empty()) EXPECT_FALSE(claimsOf(changed, setOf({key.publicKey()}))) << algorithm;
  }
}

TEST(SignedToken, ofNoneOrASharedSecretIsRefused) {
  const TestKey key("one"), confused("one", "HS256");
  EXPECT_THAT(faultOf(confused.sign({{"sub", "ada"}})), HasSubstr("algorithm \"HS256\""));
  for (const char* algorithm : {"none", "None", "NONE", "", "HS512", "rs256", "RS1", "ES512"})
    EXPECT_THAT(faultOf(key.signText(format(R"({{"alg":"{}","kid":"one"}})", algorithm), "{}")), HasSubstr("algorithm")) << algorithm;
  EXPECT_THAT(faultOf(toBase64Url(R"({"alg":"none"})") + "." + toBase64Url("{}") + "."), HasSubstr("algorithm"));
  EXPECT_THAT(faultOf(toBase64Url(R"({"alg":"RS256"})") + "." + toBase64Url("{}") + "."), HasSubstr("no valid signature"));
}

TEST(SignedToken, isOnlyVerifiedWithTheKindOfItsAlgorithm) {
  const TestKey rsa("one", "RS256"), ec("one", "ES256");
  // The key of that id is of another kind.
  EXPECT_FALSE(claimsOf(rsa.sign({}), setOf({ec.publicKey()})));
  boost::json::object only_ps = rsa.publicKey();
  only_ps["alg"] = "PS256";
  EXPECT_FALSE(claimsOf(rsa.sign({}), setOf({only_ps})));
  boost::json::object for_encryption = rsa.publicKey();
  for_encryption["use"] = "enc";
  EXPECT_FALSE(claimsOf(rsa.sign({}), setOf({for_encryption})));
}

TEST(SignedToken, keyIsTheOneThatItNames) {
  const TestKey one("one"), two("two");
  const WebKeySet keys = setOf({one.publicKey(), two.publicKey()});
  EXPECT_TRUE(claimsOf(two.sign({}), keys));
  EXPECT_FALSE(claimsOf(two.signText(R"({"alg":"RS256","kid":"one"})", "{}"), keys));
  EXPECT_FALSE(claimsOf(two.signText(R"({"alg":"RS256","kid":"three"})", "{}"), keys));
  // Without a name there must be one alone.
  EXPECT_FALSE(claimsOf(two.signText(R"({"alg":"RS256"})", "{}"), keys));
  EXPECT_TRUE(claimsOf(two.signText(R"({"alg":"RS256"})", "{}"), setOf({two.publicKey()})));
  EXPECT_FALSE(claimsOf(two.sign({}), setOf({two.publicKey(), two.publicKey()})));
}

TEST(SignedToken, withItsOwnKeyOrExtensionsIsNotTrusted) {
  const TestKey ours("one"), attacker("one");
  const std::string header =
      format(R"({{"alg":"RS256","kid":"one","jku":"http://127.0.0.1/keys","jwk":{}}})", boost::json::serialize(attacker.publicKey()));
  EXPECT_FALSE(claimsOf(attacker.signText(header, "{}"), setOf({ours.publicKey()})));
  EXPECT_THAT(faultOf(ours.signText(R"({"alg":"RS256","crit":["exp"]})", "{}")), HasSubstr("extension"));
  EXPECT_THAT(faultOf(ours.signText(R"({"alg":"RS256","b64":false})", "{}")), HasSubstr("extension"));
}

TEST(SignedToken, withARepeatedNameIsRefused) {
  const TestKey key("one");
  EXPECT_THAT(faultOf(key.signText(key.header(), R"({"sub":"ada","sub":"root"})")), HasSubstr("repeated"));
  EXPECT_THAT(faultOf(key.signText(key.header(), R"({"a":{"b":1,"\u0062":2}})")), HasSubstr("repeated"));
  EXPECT_THAT(faultOf(key.signText(R"({"alg":"none","alg":"RS256"})", "{}")), HasSubstr("repeated"));
}

TEST(SignedToken, isRefusedWhenItIsNotOneOrTooLarge) {
  const TestKey key("one");
  for (const std::string& text : {std::string(), std::string("."), std::string(".."), std::string("a.b.c.d"), std::string("a.b.c.d.e"),
                                  key.signText(key.header(), "[]"), key.signText(key.header(), "{"), key.signText("\"x\"", "{}")})
    EXPECT_FALSE(faultOf(text).empty()) << text;
  EXPECT_THAT(faultOf(key.sign({{"sub", std::string(kMaxTokenBytes, 'a')}})), HasSubstr("more than"));
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += "[";
  EXPECT_FALSE(faultOf(key.signText(key.header(), R"({"a":)" + deep)).empty());
}

TEST(WebKeySet, leavesOutWhatItCannotUse) {
  const TestKey weak("weak", "RS256", 1024), good("good");
  boost::json::object point = TestKey("point", "ES256").publicKey();
  point["x"] = toBase64Url(std::string(32, '\x01'));  // not on the curve
  boost::json::object even = good.publicKey();
  even["e"] = toBase64Url(std::string(1, '\x02'));
  boost::json::object one = good.publicKey();
  one["e"] = toBase64Url(std::string(1, '\x01'));
  const boost::json::object secret{{"kty", "oct"}, {"kid", "s"}, {"k", "c2VjcmV0"}, {"alg", "HS256"}};
  EXPECT_EQ(setOf({weak.publicKey(), point, even, one, secret, good.publicKey()}).size(), 1u);
}

TEST(WebKeySet, isRefusedWhenMalformedOrVeryLarge) {
  for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":["x"]})", R"({"keys":[],"keys":[]})"})
    EXPECT_FALSE(WebKeySet::parse(text)) << text;
  boost::json::array many;
  for (std::size_t i = 0; i <= WebKeySet::kMaxKeys; ++i) many.push_back(boost::json::object{{"kty", "oct"}});
  EXPECT_FALSE(WebKeySet::parse(boost::json::serialize(boost::json::object{{"keys", many}})));
}

TEST(OidcFuzz, corpusBreaksNoInvariant) {
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(SWARM_FUZZ_CORPUS)) {
    std::ifstream stream(file.path(), std::ios::binary);
    fuzzOidc(std::string(std::istreambuf_iterator<char>(stream), {}));
    ++files;
  }
  EXPECT_GE(files, 5u);
}

TEST(NumericDate, isANumberOfSeconds) {
  const boost::json::object object{{"whole", 5}, {"part", 5.5}, {"text", "5"}, {"below", -1}, {"huge", 1e300}};
  EXPECT_EQ(numericDate(object, "whole"), 5);
  EXPECT_EQ(numericDate(object, "part"), 5);
  for (const char* name : {"text", "below", "huge", "absent"}) EXPECT_FALSE(numericDate(object, name)) << name;
}

}  // namespace
}  // namespace swarm::oidc::testing

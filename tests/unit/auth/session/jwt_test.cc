// Signing and verification with HS256 only.
#include "auth/session/jwt.h"

#include <boost/json/serialize.hpp>

#include "base/id.h"
#include "gtest/gtest.h"

namespace swarm {
namespace {

namespace json = boost::json;

const Secret kKey(std::string(32, 'k'));
const json::object kClaims{{"sub", "ann"}, {"exp", 5}};

std::string signWith(std::string_view header, const Secret& key = kKey) {
  std::string signed_part = toBase64Url(header) + "." + toBase64Url(json::serialize(kClaims));
  return signed_part + "." + toBase64Url(hmacSha256(key.reveal(), signed_part));
}

TEST(Jwt, returnsTheClaimsThatItSigned) { EXPECT_EQ(verifyJwt(kKey, signJwt(kKey, kClaims)), kClaims); }

TEST(Jwt, hasTheFormOfTheStandard) {
  // Key and form of RFC 7515 A.1 with our header, checked against an independent HMAC.
  EXPECT_EQ(signJwt(Secret("secret"), {{"a", 1}}),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ." +
                toBase64Url(hmacSha256("secret", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ")));
}

TEST(Jwt, refusesEveryOtherAlgorithmEvenWithAValidSignature) {
  ASSERT_TRUE(verifyJwt(kKey, signWith(R"({"alg":"HS256","typ":"JWT"})")));
  for (std::string_view header : {R"({"alg":"none","typ":"JWT"})", R"({"alg":"None","typ":"JWT"})", R"({"alg":"HS512","typ":"JWT"})",
                                  R"({"alg":"RS256","typ":"JWT"})", R"({"typ":"JWT"})", R"({})", R"({"alg":"HS256","typ":"JWT","kid":"x"})",
                                  R"({"alg":"HS256","typ":"JWT" })", "", "null"})
    EXPECT_FALSE(verifyJwt(kKey, signWith(header))) << header;
}

TEST(Jwt, refusesNoSignature) {
  std::string token = signJwt(kKey, kClaims);
  EXPECT_FALSE(verifyJwt(kKey, token.substr(0, token.rfind('.') + 1)));
  EXPECT_FALSE(verifyJwt(kKey, token.substr(0, token.rfind('.'))));
  EXPECT_FALSE(verifyJwt(kKey, toBase64Url(R"({"alg":"none","typ":"JWT"})") + "." + toBase64Url("{}") + "."));
}

TEST(Jwt, refusesAnotherKey) {
  EXPECT_FALSE(verifyJwt(Secret(std::string(32, 'l')), signJwt(kKey, kClaims)));
  EXPECT_FALSE(verifyJwt(Secret(), signJwt(kKey, kClaims)));
}

TEST(Jwt, refusesEveryTruncationAndEveryChangedCharacter) {
  std::string token = signJwt(kKey, kClaims);
  for (std::size_t i = 0; i < token.size(); ++i) {
    EXPECT_FALSE(verifyJwt(kKey, token.substr(0, i)));
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verifyJwt(kKey, changed)) << i;
  }
  EXPECT_FALSE(verifyJwt(kKey, token + "A"));
  EXPECT_FALSE(verifyJwt(kKey, token + "."));
  EXPECT_FALSE(verifyJwt(kKey, " " + token));
  EXPECT_FALSE(verifyJwt(kKey, std::string(100'000, 'A')));
}

}  // namespace
}  // namespace swarm

// API tokens: what is signed is read, and nothing else.
#include "auth/session/api_token.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>

#include "auth/session/jwt.h"
#include "base/id.h"
#include "fuzz/api_token/checks.h"
#include "protocol/ed25519.h"

namespace swarm {
namespace {

const ApiTokenKey& ownKey() {
  static const ApiTokenKey key(Secret(std::string(32, 'k')));
  return key;
}

const ApiTokenClaims kTokenClaims{.issuer = "swarm.localhost",
                                  .audience = "swarm-api",
                                  .user = "ann",
                                  .session = "1.abc",
                                  .issuedAt = 1'700'000'000,
                                  .validFrom = 1'700'000'000,
                                  .expiresAt = 1'700'003'600};
constexpr std::string_view kTokenPayload =
    R"({"iss":"swarm.localhost","aud":"swarm-api","sub":"ann","jti":"1.abc","iat":1700000000,"nbf":1700000000,"exp":1700003600})";

/// A token of any header and payload with a valid Ed25519 signature.
std::string forge(std::string_view header, std::string_view payload = kTokenPayload) {
  const std::string signed_part = toBase64Url(header) + "." + toBase64Url(payload);
  return signed_part + "." + toBase64Url(ed25519::sign(ownKey().seed(), signed_part));
}

std::string headerOf(std::string_view algorithm, std::string_view kid) {
  return R"({"alg":")" + std::string(algorithm) + R"(","kid":")" + std::string(kid) + R"(","typ":"JWT"})";
}

/// Key, thumbprint and signature of RFC 8037, appendix A.
TEST(ApiToken, hasKeysAsInTheStandard) {
  const ApiTokenKey key(Secret(*fromBase64Url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")));
  EXPECT_EQ(toBase64Url(key.publicKey()), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  EXPECT_EQ(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  EXPECT_EQ(toBase64Url(ed25519::sign(key.seed(), "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

TEST(ApiToken, hasTheClaimsThatWereSigned) {
  const std::string token = signApiToken(ownKey(), kTokenClaims);
  EXPECT_EQ(readApiToken(ownKey(), token), kTokenClaims);
  EXPECT_EQ(token, forge(headerOf("EdDSA", ownKey().id())));
  EXPECT_FALSE(readApiToken(ApiTokenKey(Secret(std::string(32, 'l'))), token)) << "another key";
}

TEST(ApiToken, refusesEveryOtherHeaderEvenWithAValidSignature) {
  const std::string& kid = ownKey().id();
  ASSERT_TRUE(readApiToken(ownKey(), forge(headerOf("EdDSA", kid))));
  const std::string others[] = {headerOf("none", kid),
                                headerOf("None", kid),
                                headerOf("HS256", kid),
                                headerOf("RS256", kid),
                                headerOf("EdDSA", ""),
                                headerOf("EdDSA", "another"),
                                headerOf("EdDSA", "../" + kid),
                                R"({"alg":"EdDSA","typ":"JWT"})",
                                R"({"kid":")" + kid + R"(","alg":"EdDSA","typ":"JWT"})",
                                R"({"alg":"none","alg":"EdDSA","kid":")" + kid + R"(","typ":"JWT"})",
                                R"({"alg":"EdDSA","kid":")" + kid + R"(","typ":"JWT","jwk":{}})",
                                R"({"alg":"EdDSA","kid":")" + kid + R"(","typ":"JWT","crit":["b64"],"b64":false})",
                                headerOf("EdDSA", kid) + " ",
                                "{}",
                                "null",
                                ""};
  for (const std::string& header : others) EXPECT_FALSE(readApiToken(ownKey(), forge(header))) << header;
}

TEST(ApiToken, refusesTheAlgorithmsThatAForgerCanComputeAlone) {
  const std::string kid = ownKey().id();
  for (const std::string_view algorithm : {"none", "EdDSA"}) {
    const std::string unsigned_part = toBase64Url(headerOf(algorithm, kid)) + "." + toBase64Url(kTokenPayload);
    EXPECT_FALSE(readApiToken(ownKey(), unsigned_part));
    EXPECT_FALSE(readApiToken(ownKey(), unsigned_part + "."));
  }
  // An HMAC with the public key as its secret, as every encoding of the key that a library may take.
  for (const std::string& secret : {ownKey().publicKey(), toBase64Url(ownKey().publicKey()), toHex(ownKey().publicKey())}) {
    for (const std::string_view algorithm : {"HS256", "EdDSA"}) {
      const std::string signed_part = toBase64Url(headerOf(algorithm, kid)) + "." + toBase64Url(kTokenPayload);
      EXPECT_FALSE(readApiToken(ownKey(), signed_part + "." + toBase64Url(hmacSha256(secret, signed_part))));
    }
    EXPECT_FALSE(readApiToken(ownKey(), signJwt(Secret(secret), boost::json::parse(kTokenPayload).as_object())));
  }
}

TEST(ApiToken, refusesEveryTruncationAndEveryChangedCharacter) {
  const std::string token = signApiToken(ownKey(), kTokenClaims);
  for (std::size_t i = 0; i < token.size(); ++i) {
    EXPECT_FALSE(readApiToken(ownKey(), token.substr(0, i)));
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(readApiToken(ownKey(), changed)) << i;
  }
  for (const std::string& other : {token + "A", token + ".", token + "=", " " + token, token + "." + token, std::string(100'000, 'A')})
    EXPECT_FALSE(readApiToken(ownKey(), other));
}

TEST(ApiToken, refusesEveryOtherPayloadEvenWithAValidSignature) {
  const std::string payload(kTokenPayload);
  ASSERT_TRUE(readApiToken(ownKey(), ownKey().sign(payload)));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = payload;
    return changed.replace(changed.find(from), from.size(), to);
  };
  const std::string others[] = {with(R"("sub":"ann")", R"("sub":"ann","sub":"admin")"),
                                with(R"("sub":"ann")", R"("sub":"admin","sub":"ann")"),
                                with(R"("sub":"ann")", R"("sub":["ann"])"),
                                with(R"("sub":"ann",)", ""),
                                with(R"("sub":"ann")", R"("SUB":"ann")"),
                                with(R"("ann")", R"("\u0061nn")"),
                                with(R"("exp":1700003600)", R"("exp":1.7000036e9)"),
                                with(R"("exp":1700003600)", R"("exp":"1700003600")"),
                                with(R"("exp":1700003600)", R"("exp":99999999999999999999)"),
                                with(R"("exp":1700003600)", R"("exp":null)"),
                                with(R"(,"exp":1700003600)", ""),
                                with(R"("exp")", R"("role":"admin","exp")"),
                                with(",", ", "),
                                payload + " ",
                                "[" + payload + "]",
                                payload + payload,
                                "{}",
                                "",
                                "null",
                                std::string(2000, '[')};
  for (const std::string& other : others) EXPECT_FALSE(readApiToken(ownKey(), ownKey().sign(other))) << other;
}

TEST(ApiToken, refusesAnOversizedTokenEvenWithAValidSignature) {
  ApiTokenClaims claims = kTokenClaims;
  claims.user = std::string(2000, 'a');
  EXPECT_TRUE(readApiToken(ownKey(), signApiToken(ownKey(), claims)));
  claims.user = std::string(4000, 'a');
  EXPECT_FALSE(readApiToken(ownKey(), signApiToken(ownKey(), claims)));
}

TEST(ApiToken, keepsItsInvariantsForTheFuzzCorpus) {
  int inputs = 0;
  for (const auto& file : std::filesystem::directory_iterator(SWARM_FUZZ_CORPUS)) {
    std::ifstream in(file.path(), std::ios::binary);
    fuzzApiToken(std::string{std::istreambuf_iterator<char>(in), {}});
    ++inputs;
  }
  EXPECT_GE(inputs, 8);
}

}  // namespace
}  // namespace swarm

// Codes of authenticator apps, against the vectors of the standards.
#include "auth/second_factor/totp.h"

#include "auth/second_factor/recovery_codes.h"
#include "gmock/gmock.h"

namespace swarm {
namespace {

SystemTime at(std::int64_t seconds) { return SystemTime(std::chrono::seconds(seconds)); }

/// RFC 6238, appendix B (SHA-1, 8 digits).
TEST(Totp, hasTheCodesOfRfc6238) {
  const Secret seed("12345678901234567890");
  const std::pair<std::int64_t, std::string> vectors[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                                                          {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
  for (const auto& [seconds, code] : vectors) {
    EXPECT_EQ(totp::codeOf(seed, totp::stepAt(at(seconds)), 8), code) << seconds;
    EXPECT_EQ(totp::codeOf(seed, totp::stepAt(at(seconds))), code.substr(2)) << "6 digits are its end";
  }
}

/// RFC 4226, appendix D.
TEST(Totp, hasTheCodesOfRfc4226) {
  const char* codes[] = {"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"};
  for (std::int64_t step = 0; step < 10; ++step) EXPECT_EQ(totp::codeOf(Secret("12345678901234567890"), step), codes[step]);
}

TEST(Totp, acceptsOneStepBeforeAndAfterAndEachOnce) {
  const Secret seed = totp::makeSeed();
  EXPECT_EQ(seed.reveal().size(), 20u);
  const SystemTime now = at(1'800'000'015);
  const std::int64_t present = totp::stepAt(now);
  for (std::int64_t away = -3; away <= 3; ++away) {
    const bool near = away >= -1 && away <= 1;
    EXPECT_EQ(totp::match(seed, totp::codeOf(seed, present + away), now, 0).has_value(), near) << away;
  }
  EXPECT_EQ(totp::match(seed, totp::codeOf(seed, present), now, present - 1), present);
  EXPECT_FALSE(totp::match(seed, totp::codeOf(seed, present), now, present)) << "used";
  EXPECT_FALSE(totp::match(seed, totp::codeOf(seed, present - 1), now, present)) << "older than the last used";
  EXPECT_EQ(totp::match(seed, totp::codeOf(seed, present + 1), now, present), present + 1);
  for (const char* wrong : {"", "12345", "1234567", "abcdef"}) EXPECT_FALSE(totp::match(seed, wrong, now, 0)) << wrong;
}

/// RFC 4648, section 10, without padding.
TEST(Totp, writesBase32) {
  const std::pair<std::string, std::string> vectors[] = {
      {"", ""}, {"f", "MY"}, {"fo", "MZXQ"}, {"foo", "MZXW6"}, {"foob", "MZXW6YQ"}, {"fooba", "MZXW6YTB"}, {"foobar", "MZXW6YTBOI"}};
  for (const auto& [bytes, text] : vectors) EXPECT_EQ(totp::toBase32(bytes), text);
}

TEST(Totp, describesTheAccountForApps) {
  EXPECT_EQ(totp::uriOf(Secret("foobar"), "Swarm swarm.example.com", "ada").reveal(),
            "otpauth://totp/Swarm%20swarm.example.com:ada?secret=MZXW6YTBOI&issuer=Swarm%20swarm.example.com");
}

TEST(RecoveryCodes, areTenDifferentOnes) {
  const auto codes = makeRecoveryCodes();
  EXPECT_EQ(codes.size(), 10u);
  EXPECT_EQ(std::set<std::string>(codes.begin(), codes.end()).size(), 10u);
  EXPECT_THAT(codes, testing::Each(testing::MatchesRegex("[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}")));
}

TEST(RecoveryCodes, areTheSameHoweverTheyAreTyped) {
  EXPECT_EQ(recoveryDigest("abcd-efgh-jkmn-pqrs"), recoveryDigest(" ABCDEFGH jkmnpqrs"));
  EXPECT_NE(recoveryDigest("abcd-efgh-jkmn-pqrs"), recoveryDigest("abcd-efgh-jkmn-pqrt"));
}

}  // namespace
}  // namespace swarm

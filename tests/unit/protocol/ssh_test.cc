// Public keys of SSH come from clients, agents and servers, and become parts of lines that sshd and ssh read.
#include "protocol/ssh.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/id.h"
#include "fuzz/ssh_key/checks.h"
#include "gtest/gtest.h"

namespace swarm::agent {
namespace {

std::string keyOf(std::string_view type, std::string_view inside) {
  const std::string bytes = std::string{'\0', '\0', '\0', static_cast<char>(inside.size())} + std::string(inside) + "the key itself";
  return std::string(type) + " " + toBase64(bytes);
}
std::string keyOf(std::string_view type) { return keyOf(type, type); }

TEST(SshPublicKey, isReadWithAndWithoutItsComment) {
  for (const char* type : {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"}) {
    const std::string key = keyOf(type);
    EXPECT_EQ(readSshPublicKey(key), key);
    EXPECT_EQ(readSshPublicKey(key + " me@home\n"), key);
  }
}

TEST(SshPublicKey, isNothingElse) {
  const std::string key = keyOf("ssh-ed25519");
  for (const std::string& text :
       {std::string(), std::string("ssh-ed25519"), std::string("ssh-ed25519 "), keyOf("ssh-dss"), keyOf("ssh-ed25519", "ssh-rsa"),
        "command=\"id\" " + key, key + "\n" + key, key + "\ncommand=\"id\" " + key, std::string("ssh-ed25519 AAAA"),
        std::string("ssh-ed25519 !!!!"), key + std::string("\0x", 2), key + std::string(kMaxSshKey, 'x'), "\t" + key, key + "="})
    EXPECT_FALSE(readSshPublicKey(text)) << text;
}

TEST(SshAuthority, isALineForCertificatesOfOneUser) {
  const std::string key = keyOf("ssh-ed25519");
  EXPECT_EQ(readSshAuthority("ann.b-c_9 " + key + " a comment"), "cert-authority,principals=\"ann.b-c_9\" " + key);
  EXPECT_FALSE(readSshAuthority(key));
  EXPECT_FALSE(readSshAuthority("ann"));
  for (const std::string user : {"", " ann", "ann ", "ann,bob", "*", "ann\"", "\"ann\"", "ann\\", "ann\n", "ann\t", "!ann"})
    EXPECT_FALSE(readSshAuthority(user + ' ' + key)) << user;
  for (const std::string& other : {std::string(), key + "\n" + key, "command=\"id\" " + key, std::string("ssh-dss AAAA")})
    EXPECT_FALSE(readSshAuthority("ann " + other)) << other;
}

struct KnownKey {
  std::string_view line;
  std::string_view fingerprint;  ///< as ssh-keygen printed it
};
/// Made with ssh-keygen.
constexpr KnownKey kKnownKeys[] = {
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMiRGFFAnAe2D9r67j43/ZFu+XrXMSeA4NiZT6KOVu9Y me@ed25519-256",
     "SHA256:z74YnDdElK/VPI8b+Gb0RCSgfdJk4F/zt/qoDP080nY"},
    {"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJaxRwx1qNhSo5DaUk/dY4M26CmjRvGkEHPOxp"
     "6CPJhMQXjIFB8E53EEmPXc4wVsS63mdX+6KEqE4TovCM/7vRU= me@ecdsa-256",
     "SHA256:vNu9z9ResApi5CXFutjva3eVq+nLwSJX5y605sGcNvg"},
    {"ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBB+BJ1t991s20xZ5cu0O8Qe50A2/HXeRQWf1iC"
     "mw3w6HlVEMaGv/+3garNLbe29iZjjnf31aAWy9TiVy/LHB6xDZ73DzzbmZ+HSXh0pqhlNAjeX32pScmiTFpJb98rfqRQ== me@ecdsa-384",
     "SHA256:orhCZHT8WIxJesC7A0P8yDRNSwx+DDXBEjnPai/66sE"},
    {"ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGgjUuPtEOcaTfcsLNMKBlg6G0KoJu8vUu4sv"
     "fWqq/BqH8W2m1/POxLCNUthb01SsMo0I0zEteUQYuLzAN8dAmtvwAh3YxvKML/5PFDbHjIXJ7YRACc/XQbzcD2wtyMVMwxXQSPR4lSSN92HKqU"
     "dMABUPARMvdxVyb2g/9hYZXmX9vwCg== me@ecdsa-521",
     "SHA256:LJ0yyvacf2R8cXWTLnGvV58Mu6cAjnMpj24PO0S8EsY"},
    {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDXD6UMwZifGoP0/iaJg+jgY6GzwnpwpPcamOXSuaLveCn1gOG/bJuctYCs0kAfUuxd6BpVeE"
     "kexx7BDhww5sJlXGGVlrEZSgorZdR2nekByl2MD1ytb3s/4HnO7h8iQAKjKJ5vS7DBaZrp1Aor4LaizjmIBDitzzcFrlMd0XykAsuS/2f0aohi"
     "yuxlBxQZNKTZP1VBSiH8bZtpxbyf+t8PtWkdOSYX1pvzMBZZIPsgP3kqLGqZtWZp7K1QunRfFujq3V+qolBrefUyqZAzAhpGoBNN0Dh1McxbZN"
     "oX3t41t6BdJIEOpaJUYjh6UEXGyLGSBxYHx27rz0LjKmrsfxFCBp53R7K31Xc5y3aBSu8htkKfEG0FspjsRwQDGvHAOwHY21laccMmZ/CSyLfk"
     "MOJWXf+gBg20WTDh5otIqYZwvLyE5o5vYMv4N6EVxG9De9YJ59Z5kaiH07VwVJ8uHf38dch8K0a9EonC9gPbrNV3rBJH5E7eGz0MsfwE+2ySBI"
     "k= me@rsa-3072",
     "SHA256:4I3aX+Xs/y/vStkG9q5jfFzak/lQLcFZrYNFJS7r5lE"}};
constexpr std::string_view kShortRsaKey =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCu+RcfMZz8EuMpzwVDV3zUl2V5TNmR0hZ5bAHNfkULKLH1+rCvZRwD6tJwY2digJCgmBRUN2"
    "jFimZm7uAqYQ+ffzQoF62ZcNhZV0KrhrFONqWwAmal5cxd+YbJrFSysMgY0BBeYzFAvvVkv83NRITvlWTTukj8+xxBwZoz1M9ecLxe1gVysaLs"
    "FGK4r/qKDLdXhv+3UYnxYig8jFXjmpgvu/gmT7ZvFFS0x8vH6p6yARZa5Pzr3/jINSCebSkdZpwv5gbhILA63rIkI3vYb2qSSBLwc7XQXuxbFv"
    "C4IwxusZXUYjYNQyswbKqSWXM+4x7/srK3JqQiuYVx0qk5+cwn me@rsa-2048";

std::string field(std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
  return out + std::string(text);
}
std::string lineOf(std::string_view type, const std::string& fields) { return std::string(type) + ' ' + toBase64(field(type) + fields); }

TEST(RegisteredSshKey, isReadWithItsFingerprintAndComment) {
  for (const KnownKey& known : kKnownKeys) {
    const auto key = parseSshPublicKey(std::string(known.line) + "\n");
    ASSERT_TRUE(key) << known.line;
    EXPECT_EQ(key->fingerprint, known.fingerprint);
    EXPECT_TRUE(known.line.starts_with(key->line + " me@"));
    EXPECT_TRUE(key->comment.starts_with("me@")) << key->comment;
    EXPECT_TRUE(known.line.starts_with(key->type));
    EXPECT_EQ(parseSshPublicKey(key->line)->line, key->line);
  }
}

TEST(RegisteredSshKey, mayBeThatOfASecurityKey) {
  const std::string ed25519 = "sk-ssh-ed25519@openssh.com", ecdsa = "sk-ecdsa-sha2-nistp256@openssh.com";
  const std::string point = '\x04' + std::string(64, 'p');
  EXPECT_TRUE(parseSshPublicKey(lineOf(ed25519, field(std::string(32, 'k')) + field("ssh:"))));
  EXPECT_TRUE(parseSshPublicKey(lineOf(ecdsa, field("nistp256") + field(point) + field("ssh:"))));
  EXPECT_FALSE(parseSshPublicKey(lineOf(ed25519, field(std::string(32, 'k')))));
  EXPECT_FALSE(parseSshPublicKey(lineOf(ecdsa, field("nistp384") + field(point) + field("ssh:"))));
}

TEST(RegisteredSshKey, isCompleteAndNothingMore) {
  const std::string ed25519 = "ssh-ed25519", rsa = "ssh-rsa", p256 = "ecdsa-sha2-nistp256";
  const std::string exponent = field(std::string("\x01\x00\x01", 3)), modulus(384, '\x7f');
  ASSERT_TRUE(parseSshPublicKey(lineOf(rsa, exponent + field(std::string(1, '\0') + std::string(384, '\xff')))));
  for (const std::string& line :
       {lineOf(ed25519, field(std::string(31, 'k'))), lineOf(ed25519, field(std::string(33, 'k'))),
        lineOf(ed25519, field(std::string(32, 'k')) + "x"), lineOf(ed25519, ""), lineOf(ed25519, std::string("\xff\xff\xff\xff", 4)),
        lineOf(p256, field("nistp384") + field('\x04' + std::string(64, 'p'))),
        lineOf(p256, field("nistp256") + field(std::string(65, '\x02'))), lineOf(rsa, field("") + field(modulus)),
        lineOf(rsa, field("\x01") + field(modulus)), lineOf(rsa, field("\x04") + field(modulus)), lineOf(rsa, exponent + field("")),
        lineOf(rsa, exponent + field('\xff' + modulus)), lineOf(rsa, exponent + field(std::string(2, '\0') + modulus)),
        lineOf(rsa, exponent + field(std::string(2049, '\x7f'))), lineOf(rsa, field(std::string(9, '\x7f')) + field(modulus)),
        lineOf("ssh-dss", field("x")), lineOf("ssh-ed25519-cert-v01@openssh.com", field("x")),
        std::string(kKnownKeys[0].line) + std::string("\0", 1)}) {
    const auto key = parseSshPublicKey(line);
    ASSERT_FALSE(key) << line;
    EXPECT_TRUE(key.error().starts_with("must be a public key")) << line;
  }
}

TEST(RegisteredSshKey, isRefusedWhenItIsWeak) {
  const auto key = parseSshPublicKey(kShortRsaKey);
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().find("3072"), std::string_view::npos);
}

TEST(RegisteredSshKey, keepsItsInvariantsForTheFuzzCorpus) {
  int inputs = 0;
  for (const auto& file : std::filesystem::directory_iterator(SWARM_FUZZ_CORPUS)) {
    std::ifstream in(file.path(), std::ios::binary);
    fuzzSshKey(std::string{std::istreambuf_iterator<char>(in), {}});
    ++inputs;
  }
  EXPECT_GE(inputs, 8);
}

}  // namespace
}  // namespace swarm::agent

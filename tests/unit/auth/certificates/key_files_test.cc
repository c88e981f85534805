// The files of [ssh]: trusted CAs, and what is revoked.
#include <gmock/gmock.h>

#include <fstream>

#include "auth/certificates/revoked_keys.h"
#include "auth/certificates/trusted_authorities.h"
#include "base/error.h"
#include "support/auth/ssh_certificates.h"
#include "support/temp_dir.h"

namespace swarm {
namespace {

using test::SshCertificateText;
using test::sshKeyOf;
using ::testing::HasSubstr;

/// Of a call that must fail.
template <typename Call>
std::string messageOf(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    return error.message();
  }
  return "nothing was thrown";
}

TEST(TrustedAuthorities, areReadFromLinesOfPublicKeys) {
  const std::string one = sshKeyOf("one").line, two = sshKeyOf("two").line;
  const auto authorities = parseTrustedAuthorities("# ours\r\n" + one + " ca@example.com\r\n\n  " + two);
  ASSERT_EQ(authorities.size(), 2U);
  EXPECT_EQ(authorities[0].fingerprint, sshKeyOf("one").fingerprint);
  EXPECT_EQ(authorities[1].fingerprint, sshKeyOf("two").fingerprint);
}

TEST(TrustedAuthorities, nameTheLineThatIsNotOne) {
  const std::string key = sshKeyOf("one").line;
  EXPECT_EQ(messageOf([] { parseTrustedAuthorities("# none\n"); }), "it contains no key");
  EXPECT_THAT(messageOf([&] { parseTrustedAuthorities(key + "\ncert-authority " + key); }), HasSubstr("line 2: the key of a CA must be"));
  const std::string type = "sk-ssh-ed25519@openssh.com";
  const std::string security_key = ssh::wireText(type) + ssh::wireText(std::string(32, 'k')) + ssh::wireText("ssh:");
  EXPECT_THAT(messageOf([&] { parseTrustedAuthorities(type + ' ' + toBase64(security_key)); }), HasSubstr("must be Ed25519, ECDSA or RSA"));
  EXPECT_THAT(messageOf([] { readTrustedAuthorities("/missing/ca.pub"); }),
              ::testing::AllOf(HasSubstr("trustedUserCAKeys, /missing/ca.pub"), HasSubstr("No such file")));
  EXPECT_THAT(messageOf([] { readTrustedAuthorities("/"); }), HasSubstr("cannot be used"));
  EXPECT_TRUE(readTrustedAuthorities({}).empty());
}

bool revokes(std::string_view text, const SshCertificateText& certificate = {}) {
  return RevokedKeyList::parse(text).has(*parseSshCertificate(certificate.bytes()));
}

TEST(RevokedKeyList, hasCertificatesBySerialKeyIdKeyAndCa) {
  EXPECT_FALSE(revokes(""));
  EXPECT_FALSE(revokes("# serial: 7\n\n"));
  EXPECT_TRUE(revokes("serial: 7"));
  EXPECT_TRUE(revokes("serial:5-7\n"));
  EXPECT_TRUE(revokes("id: bob\r\nserial: 7-18446744073709551615\r\n"));
  EXPECT_FALSE(revokes("serial: 8-9\nserial: 70"));
  EXPECT_TRUE(revokes("serial: 0", {.serial = 0}));
  EXPECT_TRUE(revokes("id: ann's laptop"));
  EXPECT_FALSE(revokes("id: ann"));
  EXPECT_TRUE(revokes("id: a: b", {.keyId = "a: b"}));
  EXPECT_TRUE(revokes("hash: " + sshKeyOf("laptop").fingerprint));
  EXPECT_TRUE(revokes("hash: " + sshKeyOf("ca").fingerprint));
  EXPECT_FALSE(revokes("hash: " + sshKeyOf("desk").fingerprint));
}

TEST(RevokedKeyList, hasPlainKeysByFingerprintAlone) {
  const RevokedKeyList list = RevokedKeyList::parse("hash: " + sshKeyOf("laptop").fingerprint + "\nid: desk");
  EXPECT_TRUE(list.hasKey(sshKeyOf("laptop").fingerprint));
  EXPECT_FALSE(list.hasKey("desk"));
}

TEST(RevokedKeyList, namesTheLineThatItCannotRead) {
  for (const char* line :
       {"serial", "serial:", "serial: x", "serial: -1", "serial: 3-2", "serial: 1-", "serial: 18446744073709551616", "serial: 1 2",
        "id:", "hash:", "hash: MD5:00", "hash: SHA256:short", "key: ssh-ed25519 AAAA", "Serial: 1", "7", "ssh-ed25519 AAAA", ":"})
    EXPECT_THAT(messageOf([&] { RevokedKeyList::parse(std::string("id: a\n") + line); }), HasSubstr("line 2: expected ")) << line;
}

class RevokedKeysTest : public ::testing::Test {
 protected:
  /// As an editor does: another file gets the name.
  void write(std::string_view text) {
    std::ofstream(folder_ / "next") << text;
    std::filesystem::rename(folder_ / "next", file_);
  }
  test::TempDir folder_;
  const std::filesystem::path file_ = folder_ / "revoked";
  int changes_ = 0;
};

TEST_F(RevokedKeysTest, followTheirFile) {
  const SshCertificate certificate = *parseSshCertificate(SshCertificateText{}.bytes());
  write("serial: 1");
  RevokedKeys revoked(file_, [&] { ++changes_; });
  EXPECT_FALSE(revoked.list()->has(certificate));
  revoked.refresh();
  EXPECT_EQ(changes_, 0) << "nothing has changed";
  write("serial: 7");
  revoked.refresh();
  EXPECT_EQ(changes_, 1);
  EXPECT_TRUE(revoked.list()->has(certificate));
  revoked.refresh();
  EXPECT_EQ(changes_, 1);
}

TEST_F(RevokedKeysTest, areUnknownWhileTheFileCannotBeUsed) {
  write("serial: 7");
  RevokedKeys revoked(file_, [&] { ++changes_; });
  const SshCertificate certificate = *parseSshCertificate(SshCertificateText{}.bytes());
  for (const bool exists : {true, false}) {
    if (exists)
      write("serial: 7\nnonsense");
    else
      std::filesystem::remove(file_);
    revoked.refresh();
    revoked.refresh();
    EXPECT_TRUE(revoked.isUnknown());
    EXPECT_TRUE(revoked.list()->has(certificate)) << "what was revoked stays so";
    write("serial: 7");
    revoked.refresh();
    EXPECT_FALSE(revoked.isUnknown());
  }
  EXPECT_EQ(changes_, 2);
}

TEST_F(RevokedKeysTest, requireAUsableFileAtFirst) {
  EXPECT_THAT(messageOf([&] { RevokedKeys(file_, [] {}); }), ::testing::AllOf(HasSubstr("revokedKeys, "), HasSubstr("No such file")));
  write("nonsense");
  EXPECT_THAT(messageOf([&] { RevokedKeys(file_, [] {}); }), HasSubstr("line 1: expected"));
  write(std::string(5 << 20, '#'));
  EXPECT_THAT(messageOf([&] { RevokedKeys(file_, [] {}); }), HasSubstr("4 MiB"));
  RevokedKeys none({}, [] {});
  none.refresh();
  EXPECT_FALSE(none.isUnknown());
}

}  // namespace
}  // namespace swarm

// Certificates of SSH come from clients that are not signed in.
#include "protocol/ssh_certificate.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/ssh_certificate/checks.h"
#include "gmock/gmock.h"
#include "support/auth/ssh_certificates.h"

namespace swarm {
namespace {

namespace fs = std::filesystem;
using ssh::wireText;
using test::SshCertificateText;
using test::sshOption;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

const fs::path kCorpus = SWARM_FUZZ_CERTIFICATES;

std::string readBytes(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Of the whole check of the form and the signature; empty: there is none.
std::string faultOf(std::string_view bytes) {
  const auto certificate = parseSshCertificate(bytes);
  if (!certificate) return certificate.error();
  const auto is_signed = checkSshSignature(*certificate);
  return is_signed ? std::string() : std::string(is_signed.error());
}

TEST(SshCertificate, ofSshKeygenIsReadForKeysAndCasOfEachType) {
  int count = 0;
  for (const auto& file : fs::directory_iterator(kCorpus)) {
    const std::string name = file.path().filename();
    if (!name.contains("_by_")) continue;
    SCOPED_TRACE(name);
    const auto certificate = parseSshCertificate(readBytes(file.path()));
    ASSERT_TRUE(certificate) << certificate.error();
    EXPECT_TRUE(checkSshSignature(*certificate)) << checkSshSignature(*certificate).error();
    EXPECT_EQ(certificate->keyId, name);
    EXPECT_EQ(certificate->serial, 42U);
    EXPECT_EQ(certificate->type, SshCertificate::kForUsers);
    EXPECT_THAT(certificate->principals, ElementsAre("ann", "bob"));
    EXPECT_EQ(certificate->validAfter, SystemTime(std::chrono::seconds(1'767'225'600)));
    EXPECT_EQ(certificate->validBefore, SystemTime(std::chrono::seconds(2'082'758'400)));
    EXPECT_TRUE(certificate->criticalOptions.empty());
    EXPECT_THAT(certificate->extensions, ::testing::Contains(Field(&SshCertificate::Option::name, "permit-port-forwarding")));
    ++count;
  }
  EXPECT_GE(count, 10);
}

TEST(SshCertificate, ofSshKeygenHasItsFingerprintsAndOptions) {
  const auto certificate = parseSshCertificate(readBytes(kCorpus / "options"));
  ASSERT_TRUE(certificate);
  // As ssh-keygen -L printed them.
  EXPECT_EQ(certificate->key.fingerprint, "SHA256:qP0qGEy5EH1YIlYuBg2tb3eABcrbrr8aw831rKWQLfY");
  EXPECT_EQ(certificate->authority.fingerprint, "SHA256:8RteApm35RQNCtBF1w7vNB5g5OgIOQdbMEOee1QDRiE");
  ASSERT_EQ(certificate->criticalOptions.size(), 2U);
  EXPECT_EQ(certificate->criticalOptions[0].name, "force-command");
  EXPECT_EQ(certificate->criticalOptions[0].data, wireText("id"));
  EXPECT_EQ(certificate->criticalOptions[1].data, wireText("192.0.2.0/24,2001:db8::/32"));
  EXPECT_EQ(certificate->extensions[0].name, "a@example.com");
  EXPECT_EQ(parseSshCertificate(readBytes(kCorpus / "host"))->type, 2U);
}

TEST(SshCertificate, mayBeForASecurityKey) {
  const std::string application = wireText("ssh:"), point = '\x04' + std::string(64, 'p');
  EXPECT_EQ(
      faultOf(SshCertificateText{.type = "sk-ssh-ed25519-cert-v01@openssh.com", .keyFields = wireText(std::string(32, 'k')) + application}
                  .bytes()),
      "");
  EXPECT_EQ(faultOf(SshCertificateText{.type = "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
                                       .keyFields = wireText("nistp256") + wireText(point) + application}
                        .bytes()),
            "");
}

TEST(SshCertificate, signedWithSha1IsRefused) { EXPECT_THAT(faultOf(readBytes(kCorpus / "sha1")), HasSubstr("SHA-1")); }

TEST(SshCertificate, thatIsIncompleteOrTooLongIsMalformed) {
  for (const char* name : {"options", "ed25519_by_rsa_512", "ecdsa521_by_ed25519"}) {
    const std::string whole = readBytes(kCorpus / name);
    for (std::size_t size = 0; size < whole.size(); ++size)
      ASSERT_FALSE(parseSshCertificate(std::string_view(whole).substr(0, size))) << name << ' ' << size;
    EXPECT_EQ(faultOf(whole + '\0'), "is malformed");
  }
}

TEST(SshCertificate, isRefusedWithAnyOtherByte) {
  for (const char* name : {"options", "ed25519_by_ecdsa256"}) {
    std::string text = readBytes(kCorpus / name);
    for (char& byte : text) {
      for (const char flip : {'\x01', '\x80'}) {
        byte = static_cast<char>(byte ^ flip);
        ASSERT_NE(faultOf(text), "") << name << ' ' << &byte - text.data();
        byte = static_cast<char>(byte ^ flip);
      }
    }
  }
}

TEST(SshCertificate, ofAnotherFormIsRefused) {
  const std::string a = sshOption("a"), b = sshOption("b", "x"), huge("\xff\xff\xff\xff", 4);
  ASSERT_EQ(faultOf(SshCertificateText{}.bytes()), "");
  ASSERT_EQ(faultOf(SshCertificateText{.keyId = "", .principals = {}, .extensions = a + b, .reserved = "later"}.bytes()), "");
  for (const SshCertificateText& text : {
           SshCertificateText{.criticalOptions = b + a},
           SshCertificateText{.criticalOptions = a + a},
           SshCertificateText{.criticalOptions = wireText("a")},
           SshCertificateText{.criticalOptions = a + "x"},
           SshCertificateText{.criticalOptions = huge},
           SshCertificateText{.extensions = b + a},
           SshCertificateText{.extensions = a + huge},
       })
    EXPECT_EQ(faultOf(text.bytes()), "is malformed");
  for (const std::string& type : {std::string("ssh-ed25519"), std::string("ssh-dss-cert-v01@openssh.com"),
                                  std::string("ssh-rsa-cert-v00@openssh.com"), std::string(), std::string(5000, 'x')})
    EXPECT_EQ(faultOf(SshCertificateText{.type = type}.bytes()), "is not a certificate of a type that is accepted") << type;
  for (const std::string& fields : {wireText(std::string(31, 'k')), wireText(std::string(33, 'k')), wireText("")})
    EXPECT_THAT(faultOf(SshCertificateText{.keyFields = fields}.bytes()), HasSubstr("is not for a key that is accepted"));
  EXPECT_NE(faultOf(SshCertificateText{.keyFields = ""}.bytes()), "");
  EXPECT_NE(faultOf(SshCertificateText{.keyFields = huge}.bytes()), "");
}

TEST(SshCertificate, isRefusedWhenAKeyIsWeak) {
  const std::string exponent = wireText(std::string("\x01\x00\x01", 3)), modulus = wireText('\0' + std::string(256, '\xff'));
  EXPECT_THAT(faultOf(SshCertificateText{.type = "ssh-rsa-cert-v01@openssh.com", .keyFields = exponent + modulus}.bytes()),
              HasSubstr("3072"));
  EXPECT_THAT(faultOf(SshCertificateText{.authorityKey = wireText("ssh-rsa") + exponent + modulus}.bytes()), HasSubstr("3072"));
}

TEST(SshCertificate, isRefusedWhenItsCaCannotBeOne) {
  const std::string nested = SshCertificateText{}.bytes();
  for (const std::string& key : {std::string(), nested, wireText("ssh-ed25519"), test::ed25519KeyBytes("ca") + '\0'})
    EXPECT_THAT(faultOf(SshCertificateText{.authorityKey = key}.bytes()), HasSubstr("is not signed by a CA that is accepted"));
  const std::string security_key = wireText("sk-ssh-ed25519@openssh.com") + wireText(std::string(32, 'k')) + wireText("ssh:");
  EXPECT_EQ(faultOf(SshCertificateText{.authorityKey = security_key}.bytes()), "is signed with an algorithm that is not accepted");
}

TEST(SshCertificate, isRefusedWhenAnotherCaHasSignedIt) {
  EXPECT_EQ(faultOf(SshCertificateText{.authority = "thief", .authorityKey = test::ed25519KeyBytes("ca")}.bytes()),
            "was not signed by the CA that it names");
}

TEST(SshCertificate, isRefusedWithASignatureOfAnotherForm) {
  const std::string text = SshCertificateText{}.signedBytes(), type = wireText("ssh-ed25519"),
                    signature = wireText(ed25519::sign(test::ed25519Seed("ca"), text));
  ASSERT_EQ(faultOf(text + wireText(type + signature)), "");
  for (const std::string& other :
       {std::string(), type, type + wireText(""), type + signature + '\0', wireText("ssh-rsa") + signature,
        wireText("rsa-sha2-512") + signature, wireText("ecdsa-sha2-nistp256") + signature, wireText("") + signature})
    EXPECT_NE(faultOf(text + wireText(other)), "");
  const std::string ecdsa = readBytes(kCorpus / "ed25519_by_ecdsa256");
  auto certificate = *parseSshCertificate(ecdsa);
  for (const std::string& numbers : {std::string(), wireText(""), wireText("") + wireText(""), wireText("\x01") + wireText("\x01"),
                                     wireText(std::string(600, '\x7f')) + wireText("\x01")}) {
    certificate.signature = wireText("ecdsa-sha2-nistp256") + wireText(numbers);
    EXPECT_FALSE(checkSshSignature(certificate));
  }
  // A point that is not on the curve.
  certificate = *parseSshCertificate(ecdsa);
  certificate.authorityKey.back() = static_cast<char>(certificate.authorityKey.back() ^ 1);
  EXPECT_FALSE(checkSshSignature(certificate));
}

TEST(SshCertificate, hasTimesThatDoNotOverflow) {
  const auto end = [](std::uint64_t seconds) {
    return parseSshCertificate(SshCertificateText{.validBefore = seconds}.bytes())->validBefore;
  };
  EXPECT_EQ(end(0), SystemTime());
  EXPECT_EQ(end(1), SystemTime(std::chrono::seconds(1)));
  EXPECT_EQ(end(UINT64_MAX), SystemTime::max());
  EXPECT_EQ(end(INT64_MAX), SystemTime::max());
  EXPECT_EQ(end(std::uint64_t{1} << 63), SystemTime::max());
}

TEST(SshCertificate, keepsItsInvariantsForTheFuzzCorpus) {
  int inputs = 0;
  for (const auto& file : fs::directory_iterator(kCorpus)) {
    fuzzSshCertificate(readBytes(file.path()));
    ++inputs;
  }
  EXPECT_GE(inputs, 12);
}

TEST(SshAuthority, isEd25519EcdsaOrRsa) {
  EXPECT_TRUE(isSshAuthorityType("ssh-ed25519") && isSshAuthorityType("ssh-rsa") && isSshAuthorityType("ecdsa-sha2-nistp521"));
  EXPECT_FALSE(isSshAuthorityType("sk-ssh-ed25519@openssh.com") || isSshAuthorityType("sk-ecdsa-sha2-nistp256@openssh.com"));
}

}  // namespace
}  // namespace swarm

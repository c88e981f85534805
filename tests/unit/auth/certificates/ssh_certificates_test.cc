// Who signs in with a certificate, until when, and what the audit log has of it.
#include "auth/certificates/ssh_certificates.h"

#include <gmock/gmock.h>

#include <fstream>

#include "audit/audit.h"
#include "auth/accounts/accounts.h"
#include "auth/accounts/ssh_keys.h"
#include "store/sqlite/sqlite_store.h"
#include "support/auth/low_cost.h"
#include "support/auth/ssh_certificates.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/memory_audit.h"
#include "support/temp_dir.h"

namespace swarm {
namespace {

using test::SshCertificateText;
using ::testing::HasSubstr;

class SshCertificatesTest : public ::testing::Test {
 protected:
  SshCertificatesTest() {
    std::ofstream(folder_ / "ca.pub") << test::sshKeyOf("other ca").line << '\n' << test::sshKeyOf("ca").line << '\n';
    revoke("");
    auth_ = makeAuth(*store_, clock_, {.audit = &audit_, .passwordCost = test::kLowCost, .ssh = {folder_ / "ca.pub", folder_ / "revoked"}});
    loop_.run(auth_->initialise());
    for (const char* user : {"ann", "bob"}) loop_.run(auth_->putUser(user, Secret(), Role::user));
  }
  void revoke(std::string_view text) {
    std::ofstream(folder_ / "next") << text;
    std::filesystem::rename(folder_ / "next", folder_ / "revoked");
    if (auth_) auth_->revokedKeys().refresh();
  }
  SshCertificates& certificates() { return auth_->sshCertificates(); }
  std::optional<Principal> signIn(const SshCertificateText& text = {}, const std::string& user = "ann") {
    return loop_.run(certificates().signIn(user, text.bytes(), kOrigin));
  }
  bool isAccepted(const SshCertificateText& text, const std::string& user = "ann") {
    return loop_.run(certificates().isAccepted(user, text.bytes(), kOrigin));
  }

  const LoginOrigin kOrigin{.address = "192.0.2.7", .client = "SSH"};
  test::TempDir folder_;
  ManualClock clock_;
  test::TestLoop loop_;
  test::MemoryAudit records_;
  Audit audit_{records_, clock_};
  std::unique_ptr<Store> store_ = openSqliteStore(folder_ / "data");
  std::unique_ptr<Auth> auth_;
};

TEST_F(SshCertificatesTest, proveAUserWhoIsAPrincipal) {
  EXPECT_TRUE(isAccepted({}));
  const auto principal = signIn();
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->user, "ann");
  EXPECT_EQ(principal->role, Role::user);
  EXPECT_EQ(principal->sessionId, agent::sshFingerprint(SshCertificateText{}.bytes()));
  EXPECT_EQ(principal->expiresAt, SystemTime::max());
  EXPECT_TRUE(certificates().find(*principal));
  EXPECT_FALSE(signIn({}, "bob"));
  EXPECT_TRUE(signIn({.principals = {"ann", "bob"}}, "bob"));
  EXPECT_FALSE(signIn({.principals = {"carl"}}, "carl")) << "there is no such user";
  EXPECT_FALSE(signIn({.principals = {""}}, ""));
}

/// A stranger learns nothing about users.
TEST_F(SshCertificatesTest, areAcceptedWhetherThereIsSuchAUserOrNot) {
  EXPECT_TRUE(isAccepted({.principals = {"carl"}}, "carl"));
  EXPECT_FALSE(isAccepted({}, "carl"));
}

TEST_F(SshCertificatesTest, requireATrustedCa) {
  EXPECT_TRUE(signIn({.authority = "other ca"}));
  EXPECT_FALSE(isAccepted({.authority = "thief"}));
  EXPECT_FALSE(signIn({.authority = "thief"}));
  EXPECT_FALSE(isAccepted({.authority = "thief", .authorityKey = test::ed25519KeyBytes("ca")})) << "a signature of another";
  EXPECT_FALSE(signIn({.authority = "thief", .authorityKey = test::ed25519KeyBytes("ca")}));
  for (const std::string& bytes : {std::string(), std::string("x"), test::ed25519KeyBytes("laptop")}) {
    EXPECT_FALSE(loop_.run(certificates().isAccepted("ann", bytes, kOrigin)));
    EXPECT_FALSE(loop_.run(certificates().signIn("ann", bytes, kOrigin)));
  }
  auto none = makeAuth(*store_, clock_);
  EXPECT_FALSE(loop_.run(none->sshCertificates().isAccepted("ann", SshCertificateText{}.bytes(), kOrigin)));
}

TEST_F(SshCertificatesTest, areCheckedAgainWhenTheClientHasProvenItsKey) {
  for (const SshCertificateText& text :
       {SshCertificateText{.kind = 2}, SshCertificateText{.validBefore = 1}, SshCertificateText{.extensions = ""},
        SshCertificateText{.criticalOptions = test::sshOption("source-address", "192.0.2.8")}}) {
    EXPECT_FALSE(isAccepted(text));
    EXPECT_FALSE(signIn(text));
  }
}

TEST_F(SshCertificatesTest, endWithTheirValidity) {
  const auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count());
  const auto principal = signIn({.validBefore = now + 60});
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->expiresAt, clock_.now() + std::chrono::seconds(60));
  clock_.advance(std::chrono::milliseconds(59'999));
  EXPECT_TRUE(certificates().find(*principal));
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(certificates().find(*principal));
  EXPECT_FALSE(signIn({.validBefore = now + 60}));
}

TEST_F(SshCertificatesTest, endWithTheirUserAndRole) {
  const Principal principal = *signIn();
  loop_.run(auth_->accounts().setRole("ann", Role::operator_));
  EXPECT_FALSE(certificates().find(principal)) << "it was opened with another role";
  const Principal again = *signIn();
  EXPECT_EQ(again.role, Role::operator_);
  loop_.run(auth_->accounts().setDisabled("ann", true));
  EXPECT_FALSE(certificates().find(again));
  EXPECT_FALSE(signIn());
  EXPECT_TRUE(isAccepted({})) << "says nothing about the user";
}

TEST_F(SshCertificatesTest, endWhenTheyAreRevoked) {
  for (const std::string& line : {std::string("serial: 7"), std::string("id: ann's laptop"),
                                  "hash: " + test::sshKeyOf("laptop").fingerprint, "hash: " + test::sshKeyOf("ca").fingerprint}) {
    SCOPED_TRACE(line);
    const Principal principal = *signIn();
    const auto epoch = auth_->revocationEpoch();
    revoke(line);
    EXPECT_GT(auth_->revocationEpoch(), epoch);
    EXPECT_FALSE(certificates().find(principal));
    EXPECT_FALSE(isAccepted({}));
    EXPECT_FALSE(signIn());
    revoke("");
  }
}

TEST_F(SshCertificatesTest, signInNoUserWhileTheListOfRevokedKeysCannotBeRead) {
  const Principal principal = *signIn();
  revoke("nonsense");
  EXPECT_FALSE(isAccepted({}));
  EXPECT_FALSE(signIn());
  EXPECT_TRUE(certificates().find(principal)) << "what is open stays open";
  revoke("");
  EXPECT_TRUE(signIn());
}

TEST_F(SshCertificatesTest, areInTheAuditLogWithKeyIdSerialAndCa) {
  signIn();
  const auto signed_in = records_.of("signIn").back();
  EXPECT_EQ(signed_in.user, "ann");
  EXPECT_EQ(signed_in.session, agent::sshFingerprint(SshCertificateText{}.bytes()));
  EXPECT_EQ(signed_in.after.at("by"), "SSH certificate");
  EXPECT_EQ(signed_in.after.at("keyId"), "ann's laptop");
  EXPECT_EQ(signed_in.after.at("serial"), "7");
  EXPECT_EQ(signed_in.after.at("caFingerprint").as_string(), test::sshKeyOf("ca").fingerprint);
  isAccepted({.keyId = "old", .validBefore = 1});
  const auto refused = records_.of("signIn").back();
  EXPECT_EQ(refused.result, AuditResult::refused);
  EXPECT_EQ(refused.user, "");
  EXPECT_EQ(refused.object, "ann");
  EXPECT_EQ(refused.detail, "The SSH certificate has expired.");
  EXPECT_EQ(refused.after.at("keyId"), "old");
  // Every client can send what no trusted CA has signed.
  const auto count = records_.of("signIn").size();
  isAccepted({.authority = "thief"});
  isAccepted({.authority = "thief", .authorityKey = test::ed25519KeyBytes("ca")});
  EXPECT_EQ(records_.of("signIn").size(), count);
  signIn({.keyId = "stolen", .authority = "thief"});
  EXPECT_FALSE(records_.of("signIn").back().after.contains("keyId"));
}

TEST_F(SshCertificatesTest, areInTheAuditLogWithPrintableTexts) {
  signIn({.keyId = "a\x1b[2J\n\xff" + std::string(5000, 'x')});
  const AuditRecord record = records_.of("signIn").back();
  const std::string key_id(record.after.at("keyId").as_string());
  EXPECT_EQ(key_id.find_first_of("\x1b\n\xff"), std::string::npos);
  EXPECT_EQ(record.after.at("serial"), "7") << "a long text does not displace what follows";
}

TEST_F(SshCertificatesTest, thatCannotBeRecordedSignInNoUser) {
  records_.failure = Error(ErrorCode::OutOfResources, "The disk is full.");
  EXPECT_THROW(signIn(), Error);
}

TEST_F(SshCertificatesTest, andRegisteredKeysAreRevokedByTheSameList) {
  const agent::SshPublicKey key = test::sshKeyOf("desk");
  SshKeys& keys = auth_->sshKeys();
  loop_.run(keys.add({.name = "k", .owner = "ann", .type = key.type, .fingerprint = key.fingerprint, .publicKey = key.line}));
  const auto with_key = [&] { return loop_.run(keys.signIn("ann", key.fingerprint, kOrigin)); };
  const Principal principal = *with_key();
  EXPECT_EQ(keys.publicKeysOf(principal).size(), 1U);
  revoke("nonsense");
  EXPECT_FALSE(keys.isRegistered(key.fingerprint));
  EXPECT_FALSE(with_key());
  EXPECT_TRUE(keys.find(principal)) << "what is open stays open";
  revoke("hash: " + key.fingerprint);
  EXPECT_FALSE(keys.find(principal));
  EXPECT_FALSE(keys.isRegistered(key.fingerprint));
  EXPECT_FALSE(with_key());
  EXPECT_THAT(records_.of("signIn").back().detail, HasSubstr("revoked"));
  EXPECT_TRUE(keys.publicKeysOf(principal).empty());
  revoke("");
  EXPECT_TRUE(with_key());
}

}  // namespace
}  // namespace swarm

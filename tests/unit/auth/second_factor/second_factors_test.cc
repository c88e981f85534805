// Sign-in with a second factor over the real store: each code counts once, also after a restart, and neither half is enough.
#include "auth/second_factor/second_factors.h"

#include <boost/asio/co_spawn.hpp>
#include <fstream>

#include "auth/second_factor/pending_sign_ins.h"
#include "auth/second_factor/totp.h"
#include "support/auth/authenticator.h"
#include "unit/auth/fixture.h"

namespace swarm {
namespace {

using testing::HasSubstr;

class SecondFactorTest : public test::AuthTest {
 protected:
  SecondFactorTest() { run(auth_->putUser("root", Secret("correct horse"), Role::admin)); }

  /// On the same store, as after a restart.
  void reopen(SecondFactorPolicy policy = SecondFactorPolicy::none) {
    open({.access = {.requireSecondFactor = policy}, .passwordCost = test::kLowCost});
  }
  SecondFactors& factors() { return auth_->secondFactors(); }
  LoginOrigin origin() const { return {.address = address_}; }
  awaitable<LoginResult> login(std::string code = {}) { return auth_->login("ann", Secret("correct horse"), origin(), std::move(code)); }
  std::string codeNow() { return totp::codeOf(run(store_->getSecondFactor("ann"))->seed, totp::stepAt(clock_.now())); }
  /// Of the next step: the present one may have been used.
  std::string nextCode() {
    clock_.advance(std::chrono::seconds(totp::kStepSeconds));
    return codeNow();
  }
  std::vector<std::string> enable() {
    const Principal ann = run(login()).principal;
    const Enrolment enrolment = run(factors().enrol(ann, Secret("correct horse"), origin()));
    return run(factors().confirm(enrolment.ticket, codeOf(enrolment), origin())).recoveryCodes;
  }
  std::string codeOf(const Enrolment& enrolment) { return test::Authenticator(enrolment.secret.reveal()).codeAt(clock_.now()); }

  std::string address_ = "10.0.0.1";
};

TEST_F(SecondFactorTest, needsPasswordAndCode) {
  enable();
  const Error missing = errorOf(login());
  EXPECT_EQ(missing.code(), ErrorCode::Unauthenticated);
  ASSERT_EQ(missing.fields().size(), 1u);
  EXPECT_EQ(missing.fields()[0].pointer, "/code");
  const std::string code = nextCode();
  const Error wrong = errorOf(auth_->login("ann", Secret("wrong"), origin(), code));
  EXPECT_EQ(wrong.message(), "The name or the password is wrong.") << "nothing is said of the code";
  EXPECT_TRUE(wrong.fields().empty());
  EXPECT_EQ(errorOf(login("000000")).fields().at(0).pointer, "/code");
  EXPECT_EQ(run(login(code)).principal.user, "ann") << "the code of the refused sign-in was not used up";
}

TEST_F(SecondFactorTest, acceptsACodeOnceAlsoAfterARestart) {
  enable();
  EXPECT_EQ(errorOf(login(codeNow())).code(), ErrorCode::Unauthenticated) << "it confirmed the second factor";
  const std::string code = nextCode();
  run(login(code));
  EXPECT_EQ(errorOf(login(code)).code(), ErrorCode::Unauthenticated);
  reopen();
  EXPECT_EQ(errorOf(login(code)).code(), ErrorCode::Unauthenticated);
  run(login(nextCode()));
}

TEST_F(SecondFactorTest, acceptsOneOfTwoConcurrentUses) {
  enable();
  const std::string code = nextCode();
  int accepted = 0;
  boost::asio::io_context context;
  for (int i = 0; i < 2; ++i)
    boost::asio::co_spawn(context, factors().useCode("ann", code, origin()),
                          [&](const std::exception_ptr&, bool used) { accepted += used ? 1 : 0; });
  context.run();
  EXPECT_EQ(accepted, 1);
}

TEST_F(SecondFactorTest, acceptsEachRecoveryCodeOnce) {
  const auto codes = enable();
  ASSERT_EQ(codes.size(), 10u);
  run(login(codes[3]));
  EXPECT_EQ(errorOf(login(codes[3])).code(), ErrorCode::Unauthenticated);
  reopen();
  EXPECT_EQ(errorOf(login(codes[3])).code(), ErrorCode::Unauthenticated);
  std::string typed = codes[4];
  std::ranges::transform(typed, typed.begin(), [](unsigned char c) { return std::toupper(c); });
  run(login(typed));
  const auto status = run(factors().status(*run(auth_->accounts().find("ann"))));
  EXPECT_TRUE(status.enabled);
  EXPECT_EQ(status.recoveryCodes, 8);
  EXPECT_THAT(run(store_->getSecondFactor("ann"))->recoveryDigests, testing::Not(testing::Contains(HasSubstr(codes[5]))));
}

TEST_F(SecondFactorTest, countsOnlyAfterACodeOfTheApp) {
  const Principal ann = run(login()).principal;
  EXPECT_EQ(errorOf(factors().enrol(ann, Secret("wrong"), origin())).fields().at(0).pointer, "/password");
  const Enrolment enrolment = run(factors().enrol(ann, Secret("correct horse"), origin()));
  EXPECT_EQ(errorOf(factors().confirm(enrolment.ticket, "000000", origin())).code(), ErrorCode::InvalidArgument);
  EXPECT_NO_THROW(run(login()));
  EXPECT_EQ(errorOf(factors().signIn(enrolment.ticket, "000000", origin())).code(), ErrorCode::NotFound) << "it does not sign in";
  run(factors().confirm(enrolment.ticket, codeOf(enrolment), origin()));
  EXPECT_EQ(errorOf(factors().confirm(enrolment.ticket, codeOf(enrolment), origin())).code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf(factors().enrol(ann, Secret("correct horse"), origin())).code(), ErrorCode::Conflict);
  EXPECT_TRUE(auth_->stillSignedIn(ann)) << "open sessions stay";
}

TEST_F(SecondFactorTest, doesNotBeginASessionForAUserWhoHasChanged) {
  enable();
  auto step = run(factors().beginSignIn("ann", Secret("correct horse"), origin()));
  const std::string ticket = std::get<CodeRequired>(step).ticket;
  run(auth_->accounts().resetPassword("ann", Secret("another horse")));
  EXPECT_EQ(errorOf(factors().signIn(ticket, nextCode(), origin())).code(), ErrorCode::Unauthenticated);
}

TEST_F(SecondFactorTest, forgetsTicketsInTime) {
  enable();
  auto step = run(factors().beginSignIn("ann", Secret("correct horse"), origin()));
  clock_.advance(kPendingSignInLife);
  EXPECT_EQ(errorOf(factors().signIn(std::get<CodeRequired>(step).ticket, nextCode(), origin())).code(), ErrorCode::NotFound);
}

TEST_F(SecondFactorTest, slowsGuessesDownWithoutLockingTheUserOut) {
  const auto codes = enable();
  // Each from an address of its own, and with the password.
  int tried = 0;
  for (int i = 0; i < 40; ++i) {
    address_ = "10.1.0." + std::to_string(i);
    if (errorOf(login("000000")).code() != ErrorCode::TooManyRequests) ++tried;
  }
  EXPECT_EQ(tried, 10);
  address_ = "10.0.0.2";
  EXPECT_EQ(errorOf(login(codeNow())).code(), ErrorCode::TooManyRequests);
  EXPECT_NO_THROW(run(login(codes[0]))) << "a recovery code is long enough";
  clock_.advance(std::chrono::minutes(10));
  EXPECT_NO_THROW(run(login(codeNow())));
  // A password alone does not make the throttle forget wrong codes.
  address_ = "10.0.0.3";
  clock_.advance(std::chrono::minutes(16));
  int refused = 0;
  for (int i = 0; i < 8; ++i) {
    EXPECT_NE(errorOf(login()).code(), ErrorCode::Internal);
    if (errorOf(login("000000")).code() == ErrorCode::TooManyRequests) ++refused;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(SecondFactorTest, aDeviceIsKnownToCodesAfterOne) {
  const Principal before = run(login()).principal;
  const std::string old = auth_->issueDevice(before, "");
  enable();
  const Principal after = run(login(nextCode())).principal;
  const std::string known = auth_->issueDevice(after, old);
  EXPECT_NE(known, old);
  EXPECT_EQ(auth_->issueDevice(after, known), known) << "another sign-in there makes no other device";
  for (int i = 0; i < 10; ++i) {
    address_ = "10.1.0." + std::to_string(i);
    errorOf(login("000000"));
  }
  const auto from = [&](const std::string& device) {
    return auth_->login("ann", Secret("correct horse"), LoginOrigin{.address = "10.0.0.9", .device = device}, codeNow());
  };
  clock_.advance(std::chrono::seconds(totp::kStepSeconds));
  EXPECT_EQ(errorOf(from(old)).code(), ErrorCode::TooManyRequests) << "it has had the password alone";
  EXPECT_NO_THROW(run(from(known)));
}

TEST_F(SecondFactorTest, aFloodOfSignInsDoesNotEndOneThatWaitsForItsCode) {
  enable();
  const auto begin = [&](const std::string& address) {
    const SignInStep step = run(factors().beginSignIn("ann", Secret("correct horse"), {.address = address}));
    return std::get<CodeRequired>(step).ticket;
  };
  const std::string mine = begin("10.0.0.1");
  for (int i = 0; i < 20; ++i) begin("10.6.6.6");
  EXPECT_NO_THROW(run(factors().signIn(mine, nextCode(), origin())));
}

TEST_F(SecondFactorTest, manySignInsWithThePasswordAloneAreNotFailures) {
  enable();
  for (int i = 0; i < 30; ++i) EXPECT_EQ(errorOf(login()).code(), ErrorCode::Unauthenticated) << i;
}

TEST_F(SecondFactorTest, isDisabledWithPasswordAndCode) {
  enable();
  const Principal ann = run(login(nextCode())).principal;
  EXPECT_EQ(errorOf(factors().disable(ann, Secret("correct horse"), "000000", origin())).fields().at(0).pointer, "/code");
  EXPECT_EQ(errorOf(factors().disable(ann, Secret("wrong"), nextCode(), origin())).fields().at(0).pointer, "/password");
  run(factors().disable(ann, Secret("correct horse"), nextCode(), origin()));
  EXPECT_NO_THROW(run(login()));
}

TEST_F(SecondFactorTest, isResetByAnAdministratorWhoEndsTheSessions) {
  enable();
  const LoginResult session = run(login(nextCode()));
  run(factors().reset("ann"));
  EXPECT_FALSE(auth_->verifyApiToken(session.token.reveal()));
  EXPECT_NO_THROW(run(login()));
}

TEST_F(SecondFactorTest, isNotBypassedByAnInvitation) {
  enable();
  const Invitation invitation = run(auth_->accounts().invite("ann"));
  const auto step = run(auth_->accounts().acceptInvitation(invitation.code.reveal(), Secret("a new password"), origin()));
  ASSERT_TRUE(step);
  ASSERT_TRUE(std::holds_alternative<CodeRequired>(*step));
  EXPECT_NO_THROW(run(factors().signIn(std::get<CodeRequired>(*step).ticket, nextCode(), origin())));
}

TEST_F(SecondFactorTest, isSetUpBeforeAnythingElseWhereItIsRequired) {
  reopen(SecondFactorPolicy::admins);
  EXPECT_NO_THROW(run(login())) << "not an administrator";
  const auto as_root = [&](std::string code = {}) { return auth_->login("root", Secret("correct horse"), origin(), std::move(code)); };
  EXPECT_THAT(errorOf(as_root()).message(), HasSubstr("Sign in with a browser"));
  auto step = run(factors().beginSignIn("root", Secret("correct horse"), origin()));
  const auto enrolment = std::get<Enrolment>(step);
  EXPECT_EQ(auth_->listSessions("root").size(), 0u);
  const auto enrolled = run(factors().confirm(enrolment.ticket, codeOf(enrolment), origin()));
  ASSERT_TRUE(enrolled.login);
  EXPECT_EQ(enrolled.login->principal.user, "root");
  EXPECT_EQ(enrolled.recoveryCodes.size(), 10u);
  EXPECT_EQ(errorOf(as_root()).fields().at(0).pointer, "/code");
  EXPECT_EQ(errorOf(factors().disable(enrolled.login->principal, Secret("correct horse"), enrolled.recoveryCodes[0], origin())).code(),
            ErrorCode::Conflict);
  reopen(SecondFactorPolicy::all);
  EXPECT_EQ(errorOf(login()).code(), ErrorCode::PermissionDenied);
}

TEST_F(SecondFactorTest, isRemovedByTheRecoveryOfAnAdministrator) {
  auto step = run(factors().beginSignIn("admin", *password_, origin()));
  const Enrolment enrolment = run(factors().enrol(std::get<LoginResult>(step).principal, *password_, origin()));
  run(factors().confirm(enrolment.ticket, codeOf(enrolment), origin()));
  const auto recovered = run(auth_->accounts().recoverAdmin());
  EXPECT_EQ(recovered.name, "admin");
  EXPECT_NO_THROW(run(auth_->login("admin", recovered.password, origin())));
}

TEST_F(SecondFactorTest, storesNoSeedAndNoCodeInPlainText) {
  const auto codes = enable();
  const std::string seed = run(store_->getSecondFactor("ann"))->seed.reveal();
  auth_.reset();
  store_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(content.find(seed), std::string::npos) << entry.path();
    EXPECT_EQ(content.find(codes[0]), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace swarm

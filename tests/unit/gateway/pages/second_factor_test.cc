// The pages of second factors: the code after the password, setting up, and who may post their forms.
#include "gateway/accounts/qr_code.h"
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

class SecondFactorPage : public BrowserTest {
 protected:
  awaitable<Response> submit(std::string path, std::string form, std::string origin = {}) {
    return post(std::move(path), "Origin: " + (origin.empty() ? base("") : origin) + "\r\n" + cookiesFor(hostName("")), std::move(form));
  }
  static bool isSignedIn(const Response& response, const std::string& cookie) { return !response.cookie(cookie).empty(); }
};

TEST_F(SecondFactorPage, requiresTheCodeAfterThePassword) {
  auth_.secondFactors().enabled.insert("ada");
  run([&]() -> awaitable<void> {
    const auto wrong = co_await submit("/login", "user=ada&password=wrong&next=%2Fx");
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.body.find("Enter the code"), std::string::npos);
    const auto password = co_await submit("/login", "user=ada&password=pw-ada&next=%2Fx");
    EXPECT_EQ(password.status, 200);
    EXPECT_NE(password.body.find("<h1>Enter the code</h1>"), std::string::npos) << password.body;
    EXPECT_NE(password.body.find("name=\"next\" value=\"/x\""), std::string::npos);
    EXPECT_FALSE(isSignedIn(password, names().session));

    const auto code = co_await submit("/login/code", "ticket=ticket-ada&user=ada&next=%2Fx&code=000000");
    EXPECT_EQ(code.status, 401);
    EXPECT_NE(code.body.find("The code is wrong"), std::string::npos);
    EXPECT_NE(code.body.find("value=\"ticket-ada\""), std::string::npos) << "another try needs no password";
    EXPECT_FALSE(isSignedIn(code, names().session));
    for (const auto& origin : {std::string("http://evil.com"), instance("")}) {
      const auto foreign = co_await submit("/login/code", "ticket=ticket-ada&code=123456", origin);
      EXPECT_EQ(foreign.status, 403) << origin;
      EXPECT_FALSE(isSignedIn(foreign, names().session));
    }
    EXPECT_EQ((co_await submit("/login/code", "ticket=other&code=123456")).status, 403);
    const auto done = co_await submit("/login/code", "ticket=ticket-ada&user=ada&next=%2Fx&code=123456");
    EXPECT_EQ(done.status, 303);
    EXPECT_EQ(done.header("Location"), "/x");
    EXPECT_TRUE(isSignedIn(done, names().session));
    const auto elsewhere = co_await submit("/login/code", "ticket=ticket-ada&user=ada&next=%2F%2Fevil.com&code=123456");
    EXPECT_EQ(elsewhere.header("Location"), "/") << "only to paths of its own";
  });
}

TEST_F(SecondFactorPage, leadsWhoMustHaveOneToSettingItUp) {
  auth_.secondFactors().required.insert("ada");
  run([&]() -> awaitable<void> {
    const auto page = co_await submit("/login", "user=ada&password=pw-ada&next=%2F");
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.body.find("<svg class=\"qr\""), std::string::npos) << page.body;
    EXPECT_NE(page.body.find("JBSWY3DP"), std::string::npos);
    EXPECT_EQ(page.header("Cache-Control"), "no-store");
    EXPECT_FALSE(isSignedIn(page, names().session)) << "before anything else";
    const auto wrong = co_await submit("/second-factor/confirm", "ticket=ticket-ada&code=1&next=%2F");
    EXPECT_EQ(wrong.status, 400);
    EXPECT_NE(wrong.body.find("<svg class=\"qr\""), std::string::npos) << "the same secret again";
    const auto done = co_await submit("/second-factor/confirm", "ticket=ticket-ada&code=123456&next=%2F");
    EXPECT_EQ(done.status, 200);
    EXPECT_NE(done.body.find("aaaa-bbbb-cccc-dddd"), std::string::npos);
    EXPECT_TRUE(isSignedIn(done, names().session));
  });
}

TEST_F(SecondFactorPage, setsUpAndDisablesWithThePassword) {
  run([&]() -> awaitable<void> {
    const auto anonymous = co_await visit(base("/second-factor"));
    EXPECT_EQ(anonymous.status, 303);
    EXPECT_EQ(anonymous.header("Location"), "/login?next=/second-factor");
    EXPECT_EQ((co_await submit("/second-factor/setup", "password=pw-ada")).status, 303);
    signInAs("ada");
    EXPECT_NE((co_await visit(base("/second-factor"))).body.find("Set up"), std::string::npos);
    EXPECT_EQ((co_await submit("/second-factor/setup", "password=wrong")).status, 400);
    const auto page = co_await submit("/second-factor/setup", "password=pw-ada");
    EXPECT_NE(page.body.find("ticket-ada"), std::string::npos) << page.body;
    EXPECT_EQ((co_await submit("/second-factor/confirm", "ticket=ticket-ada&code=123456")).status, 200);
    EXPECT_NE((co_await visit(base("/second-factor"))).body.find("9 recovery codes are left"), std::string::npos);
    EXPECT_EQ((co_await submit("/second-factor/disable", "password=pw-ada&code=1")).status, 400);
    EXPECT_TRUE(auth_.secondFactors().enabled.contains("ada"));
    EXPECT_EQ((co_await submit("/second-factor/disable", "password=pw-ada&code=123456", instance(""))).status, 403);
    EXPECT_EQ((co_await submit("/second-factor/disable", "password=pw-ada&code=123456")).status, 303);
    EXPECT_FALSE(auth_.secondFactors().enabled.contains("ada"));
  });
}

TEST_F(SecondFactorPage, isOfferedToTheInvited) {
  auth_.accounts().codes["secret-code"] = "ben";
  run([&]() -> awaitable<void> {
    (void)co_await visit(base("/invite?code=secret-code"));
    EXPECT_NE((co_await visit(base("/invite"))).body.find("Set up a second factor"), std::string::npos);
    const auto next = co_await submit("/invite", "password=long+enough&again=long+enough&secondFactor=yes");
    EXPECT_EQ(next.status, 200);
    EXPECT_NE(next.body.find("ticket-ben"), std::string::npos) << next.body;
    EXPECT_NE(next.cookie(names().invite).find("Max-Age=0"), std::string::npos);
  });
}

TEST(QrCode, isOnePathOfModulesWithItsQuietZone) {
  const std::string svg = qrCodeSvg(Secret("otpauth://totp/a:b?secret=JBSWY3DP"));
  EXPECT_TRUE(svg.starts_with("<svg class=\"qr\""));
  EXPECT_NE(svg.find("M4 4h1v1h-1z"), std::string::npos) << "the corner of the finder pattern";
  EXPECT_EQ(svg.find("M3 "), std::string::npos);
  EXPECT_EQ(svg.find("JBSWY3DP"), std::string::npos);
}

}  // namespace
}  // namespace swarm::gateway::testing

// The pages on which a user lets a program sign in as them.
#include "base/id.h"
#include "model/comparison_code.h"
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

class ProgramPages : public BrowserTest {
 protected:
  const std::string challenge_ = toBase64Url(sha256("verifier"));
  const std::string path_ = "/login/program?port=4711&challenge=" + challenge_ + "&state=st4te";
  awaitable<Response> submit(std::string path, std::string form, std::string origin) {
    return post(path, "Origin: " + origin + "\r\n" + cookiesFor(hostName("")), form);
  }
  awaitable<void> signIn() { (void)co_await submit("/login", "user=ada&password=pw-ada", base("")); }
};

TEST_F(ProgramPages, requireASignInFirst) {
  run([&]() -> awaitable<void> {
    const auto sent = co_await visit(base(path_));
    EXPECT_EQ(sent.status, 302);
    EXPECT_TRUE(sent.header("Location").starts_with("/login?next=%2Flogin%2Fprogram")) << sent.header("Location");
    EXPECT_EQ((co_await submit("/login/device", "code=x&decision=approve", base(""))).status, 303);
  });
}

TEST_F(ProgramPages, bringACodeToThisMachineAfterAConfirmation) {
  run([&]() -> awaitable<void> {
    co_await signIn();
    const auto page = co_await visit(base(path_));
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.body.find("act as <strong>ada</strong>"), std::string::npos) << page.body;
    EXPECT_NE(page.body.find(comparisonCode(challenge_)), std::string::npos) << page.body;
    EXPECT_NE(page.body.find("port 4711"), std::string::npos);
    EXPECT_EQ(page.header("X-Frame-Options"), "DENY");
    const std::string form = "port=4711&challenge=" + challenge_ + "&state=st4te";
    EXPECT_EQ((co_await submit("/login/program", form, "http://evil.com")).status, 403);
    const auto confirmed = co_await submit("/login/program", form, base(""));
    const std::string begin = "http://127.0.0.1:4711/?code=";
    EXPECT_EQ(confirmed.status, 303);
    EXPECT_TRUE(confirmed.header("Location").starts_with(begin)) << confirmed.header("Location");
    const std::string rest = confirmed.header("Location").substr(begin.size());
    EXPECT_EQ(rest.substr(rest.find('&')), "&state=st4te");
    EXPECT_EQ(auth_.programs().takeCode(rest.substr(0, rest.find('&')), "verifier")->user, "ada");
  });
}

TEST_F(ProgramPages, refuseAnIncompleteLink) {
  run([&]() -> awaitable<void> {
    co_await signIn();
    const std::vector<std::string> queries{"", "?port=0&challenge=" + challenge_ + "&state=s",
                                           "?port=80@evil.com&challenge=" + challenge_ + "&state=s", "?port=4711&challenge=short&state=s",
                                           "?port=4711&challenge=" + challenge_ + "&state=a%0d%0ab"};
    for (const std::string& query : queries) EXPECT_EQ((co_await visit(base("/login/program" + query))).status, 400) << query;
  });
}

TEST_F(ProgramPages, approveADeviceByItsCodeAfterShowingWhereItIs) {
  run([&]() -> awaitable<void> {
    co_await signIn();
    const auto begun = auth_.programs().begin({.address = "203.0.113.9", .client = "swarm/0.1 <b>"});
    EXPECT_NE((co_await visit(base("/login/device"))).body.find("Type the code"), std::string::npos);
    EXPECT_NE((co_await submit("/login/device", "code=BBBB-BBBB", base(""))).body.find("This code is wrong"), std::string::npos);
    const auto shown = co_await submit("/login/device", "code=" + begun.userCode, base(""));
    EXPECT_NE(shown.body.find("203.0.113.9"), std::string::npos) << shown.body;
    EXPECT_EQ(shown.body.find("<b>"), std::string::npos);
    EXPECT_EQ((co_await submit("/login/device", "code=" + begun.userCode + "&decision=approve", "http://evil.com")).status, 403);
    EXPECT_EQ(auth_.programs().poll(begun.deviceCode.reveal()).state, ProgramSignIns::State::Waiting);
    const auto approved = co_await submit("/login/device", "code=" + begun.userCode + "&decision=approve", base(""));
    EXPECT_NE(approved.body.find("The program is signed in"), std::string::npos) << approved.body;
    EXPECT_EQ(auth_.programs().poll(begun.deviceCode.reveal()).by->user, "ada");
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

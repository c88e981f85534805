// The page of an invitation: who may set a password with it, and what of it a browser keeps.
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

class Invited : public BrowserTest {
 protected:
  Invited() { auth_.accounts().codes["secret-code"] = "ben"; }
  awaitable<Response> choose(std::string password, std::string again, std::string origin) {
    return post("/invite", "Origin: " + origin + "\r\n" + cookiesFor(hostName("")), "password=" + password + "&again=" + again);
  }
  awaitable<Response> choose(std::string password) { return choose(password, password, base("")); }
};

TEST_F(Invited, setTheirPasswordAndAreSignedIn) {
  run([&]() -> awaitable<void> {
    const auto opened = co_await visit(base("/invite?code=secret-code"));
    EXPECT_EQ(opened.status, 303);
    EXPECT_EQ(opened.header("Location"), "/invite") << "the code leaves the address";
    EXPECT_EQ(opened.header("Referrer-Policy"), "no-referrer");
    const auto cookie = opened.cookie(names().invite);
    for (const auto* part : {"__Host-", "; HttpOnly", "; SameSite=Lax", "; Secure"})
      EXPECT_NE(cookie.find(part), std::string::npos) << cookie;
    const auto page = co_await visit(base("/invite"));
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.body.find("Welcome, ben"), std::string::npos) << page.body;
    EXPECT_EQ(page.body.find("secret-code"), std::string::npos);
    EXPECT_EQ(page.header("X-Frame-Options"), "DENY");

    const auto differ = co_await choose("long enough", "long enougH", base(""));
    EXPECT_EQ(differ.status, 400);
    EXPECT_NE(differ.body.find("The two passwords differ."), std::string::npos);
    EXPECT_EQ((co_await choose("short")).status, 400);
    EXPECT_TRUE(auth_.accounts().passwords.empty());

    const auto accepted = co_await choose("long enough");
    EXPECT_EQ(accepted.status, 303);
    EXPECT_EQ(accepted.header("Location"), "/");
    EXPECT_EQ(auth_.accounts().passwords.at("ben"), "long enough");
    EXPECT_TRUE(accepted.cookie(names().invite).find("Max-Age=0") != std::string::npos);
    EXPECT_NE((co_await visit(base("/"))).body.find("<span class=\"who\">ben</span>"), std::string::npos);
  });
}

TEST_F(Invited, areOnlyThoseWhoseBrowserOpenedAValidLink) {
  run([&]() -> awaitable<void> {
    EXPECT_EQ((co_await visit(base("/invite?code=other"))).status, 403);
    EXPECT_EQ((co_await visit(base("/invite"))).status, 403);
    EXPECT_EQ((co_await choose("long enough")).status, 403) << "a form without the link's cookie";
    (void)co_await visit(base("/invite?code=secret-code"));
    for (const auto& origin : {instance(""), std::string("http://evil.com"), std::string("null")})
      EXPECT_EQ((co_await choose("long enough", "long enough", origin)).status, 403) << origin;
    EXPECT_TRUE(auth_.accounts().passwords.empty());
    auth_.accounts().codes.clear();
    const auto used = co_await choose("long enough");
    EXPECT_EQ(used.status, 403);
    EXPECT_NE(used.body.find("An invitation works once"), std::string::npos) << used.body;
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

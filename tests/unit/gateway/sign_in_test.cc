// Sign-in: the way from an instance's host over the base domain and back, and everything that must not get through.
#include "harness.h"

namespace swarm::gateway::testing {
namespace {

class SignInFlow : public GatewayTest {
 protected:
  /// The browser: follows one address with the cookies of its host.
  awaitable<Answer> visit(const std::string& url, std::string_view fields = "Accept: text/html\r\n") {
    const std::string_view rest = std::string_view(url).substr(std::string_view("http://").size());
    const auto slash = rest.find('/');
    const std::string host(rest.substr(0, slash));
    const std::string path(rest.substr(slash));
    std::string cookies;
    for (const auto& [name, value] : jar_[host]) cookies += (cookies.empty() ? "Cookie: " : "; ") + name + "=" + value;
    if (!cookies.empty()) cookies += "\r\n";
    auto client = co_await connect();
    auto answer = co_await client.ask("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + std::string(fields) + cookies + "\r\n");
    store(host, answer);
    co_return answer;
  }
  void store(const std::string& host, const Answer& answer) {
    const auto set = answer.header("Set-Cookie");
    const auto equals = set.find('=');
    if (equals == std::string::npos || !keepsCookies_) return;
    jar_[host][set.substr(0, equals)] = set.substr(equals + 1, set.find(';') - equals - 1);
  }
  awaitable<Answer> post(const std::string& path, std::string fields, const std::string& form) {
    auto client = co_await connect();
    auto answer = co_await client.ask("POST " + path + " HTTP/1.1\r\nHost: " + hostName("") +
                                      "\r\nContent-Type: application/x-www-form-urlencoded\r\n" + fields +
                                      "Content-Length: " + std::to_string(form.size()) + "\r\n\r\n" + form);
    store(hostName(""), answer);
    co_return answer;
  }
  /// Follows redirects to the end; fails beyond ten.
  awaitable<Answer> browse(std::string url) {
    trail_.clear();
    for (int i = 0; i < 10; ++i) {
      auto answer = co_await visit(url);
      trail_.push_back(url);
      if (answer.status != 302 && answer.status != 303) co_return answer;
      const auto next = answer.header("Location");
      url = next.starts_with('/') ? url.substr(0, url.find('/', 7)) + next : next;
    }
    ADD_FAILURE() << "a redirect loop: " << trail_.back();
    co_return Answer{};
  }
  std::string base(const std::string& path) const { return "http://" + hostName("") + path; }
  std::string instance(const std::string& path, const std::string& label = "ws") const { return "http://" + hostName(label) + path; }
  void signInAs(const std::string& user) { jar_[hostName("")]["swarm_session"] = auth_.signIn(user).token.reveal(); }

  std::map<std::string, std::map<std::string, std::string>> jar_;
  std::vector<std::string> trail_;
  bool keepsCookies_ = true;
};

TEST_F(SignInFlow, leadsFromAnInstanceOverTheFormBackToTheVerySamePath) {
  run([&]() -> awaitable<void> {
    const auto form = co_await browse(instance("/?folder=/home/coder&x=a%20b"));
    EXPECT_EQ(form.status, 200);
    EXPECT_NE(form.body.find("type=\"password\""), std::string::npos);
    const auto next_at = form.body.find("name=\"next\" value=\"") + 19;
    auto next = form.body.substr(next_at, form.body.find('"', next_at) - next_at);
    for (std::size_t at = 0; (at = next.find("&amp;", at)) != std::string::npos; ++at) next.replace(at, 5, "&");

    const auto wrong = co_await post("/login", "Origin: " + base("") + "\r\n", "user=ada&password=no&next=" + net::percentEncode(next));
    EXPECT_EQ(wrong.status, 401);
    EXPECT_NE(wrong.body.find("role=\"alert\""), std::string::npos);
    EXPECT_NE(wrong.body.find("value=\"ada\""), std::string::npos);

    const auto right = co_await post("/login", "Origin: " + base("") + "\r\n", "user=ada&password=pw-ada&next=" + net::percentEncode(next));
    EXPECT_EQ(right.status, 303);
    const auto cookie = right.header("Set-Cookie");
    for (const auto* part : {"swarm_session=token-", "; Path=/", "; HttpOnly", "; SameSite=Lax"})
      EXPECT_NE(cookie.find(part), std::string::npos);
    EXPECT_EQ(cookie.find("Domain"), std::string::npos);
    EXPECT_EQ(cookie.find("Secure"), std::string::npos);

    const auto landed = co_await browse(base(right.header("Location")));
    EXPECT_EQ(landed.status, 200);
    EXPECT_EQ(landed.body, "hello");
    EXPECT_EQ(trail_.back(), instance("/?folder=/home/coder&x=a%20b"));
    EXPECT_NE(application_->heads.at(0).find("GET /?folder=/home/coder&x=a%20b HTTP/1.1"), std::string::npos);
    EXPECT_EQ(application_->heads.at(0).find("swarm_"), std::string::npos);
  });
}

TEST_F(SignInFlow, goesWithoutAFormForThoseSignedIn) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    EXPECT_EQ((co_await browse(instance("/a"))).body, "hello");
    EXPECT_EQ((co_await browse(instance("/b", "8080--ws"))).body, "hello");
    EXPECT_EQ(application_->ports.back(), 8080);
  });
}

TEST_F(SignInFlow, givesEachHostACookieThatOpensNoOther) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    (void)co_await browse(instance("/", "8080--ws"));
    const auto& [name, value] = *jar_[hostName("8080--ws")].begin();
    auto client = co_await connect();
    const auto own_name = instanceCookie(ada_.principal).substr(0, instanceCookie(ada_.principal).find('='));
    const auto answer = co_await client.ask(request("GET /", "Cookie: " + name + "=" + value + "; " + own_name + "=" + value + "\r\n"));
    EXPECT_EQ(answer.status, 401);
  });
}

TEST_F(SignInFlow, neverLoopsWhenTheBrowserKeepsNoCookie) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    keepsCookies_ = false;
    const auto answer = co_await browse(instance("/a"));
    EXPECT_EQ(answer.status, 403);
    EXPECT_NE(answer.body.find("cookie"), std::string::npos);
    EXPECT_NE(answer.body.find("href=\"/a\""), std::string::npos);
  });
}

TEST_F(SignInFlow, worksBesideStaleAndDuplicateCookies) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    (void)co_await browse(instance("/"));
    const auto& [name, value] = *jar_[hostName("ws")].begin();
    auto client = co_await connect();
    const auto answer = co_await client.ask(
        request("GET /", "Cookie: " + name + "=stale; a=b; " + name + "=\"\"; " + name + "=" + value + "; " + name + "=later\r\n"));
    EXPECT_EQ(answer.body, "hello");
    EXPECT_NE(application_->heads.back().find("Cookie: a=b\r\n"), std::string::npos);
    jar_[hostName("ws")][name] = "stale";
    EXPECT_EQ((co_await browse(instance("/"))).body, "hello");
    auto base_client = co_await connect();
    const auto landing = co_await base_client.ask("GET / HTTP/1.1\r\nHost: " + hostName("") +
                                                  "\r\nCookie: swarm_session=old; swarm_session=" + ada_.token.reveal() + "\r\n\r\n");
    EXPECT_EQ(landing.status, 200);
  });
}

TEST_F(SignInFlow, takesACodeOnceAndForOneHostOnly) {
  run([&]() -> awaitable<void> {
    publish({}, "other");
    const auto code = auth_.issueCode(ada_.principal, "i-ws");
    EXPECT_EQ((co_await visit(instance("/.swarm/auth?code=" + code + "&to=/x", "other"))).status, 403);
    const auto first = co_await visit(instance("/.swarm/auth?code=" + code + "&to=/x"));
    EXPECT_EQ(first.status, 302);
    EXPECT_EQ(first.header("Location"), "/.swarm/arrive?to=%2Fx");
    EXPECT_EQ(first.header("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(first.header("Cache-Control"), "no-store");
    jar_.clear();
    EXPECT_EQ((co_await visit(instance("/.swarm/auth?code=" + code + "&to=/x"))).status, 403);
    EXPECT_TRUE(application_->heads.empty());
  });
}

TEST_F(SignInFlow, redirectsNowhereElse) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    for (const std::string evil : {"//evil.com", "/\\evil.com", "https://evil.com", "%2F%2Fevil.com", "%2F%09%2Fevil.com",
                                   "javascript:alert(1)", "/%0d%0aSet-Cookie:x=y", "@evil.com", ""}) {
      const auto login = co_await visit(base("/login?next=" + evil));
      EXPECT_EQ(login.header("Location"), "/") << evil;
      const auto code = auth_.issueCode(ada_.principal, "i-ws");
      const auto taken = co_await visit(instance("/.swarm/auth?code=" + code + "&to=" + evil));
      EXPECT_EQ(taken.header("Location"), "/.swarm/arrive?to=%2F") << evil;
      const auto arrived = co_await visit(instance("/.swarm/arrive?to=" + evil));
      EXPECT_EQ(arrived.header("Location"), "/") << evil;
      const auto sent = co_await visit(base("/auth/instance?name=ws&path=" + evil));
      EXPECT_TRUE(sent.header("Location").starts_with(instance("/.swarm/auth?code="))) << evil;
      EXPECT_TRUE(sent.header("Location").ends_with("&to=%2F")) << evil << " " << sent.header("Location");
    }
    for (const std::string name : {"evil.com", "ws@evil.com", "ws/../", "WS", "", "ws%00"})
      EXPECT_EQ((co_await visit(base("/auth/instance?name=" + name))).status, 404) << name;
    EXPECT_EQ((co_await visit(base("/auth/instance?name=ws&port=65536"))).status, 404);
    EXPECT_EQ((co_await visit(base("/auth/instance?name=ws&port=8080x"))).status, 404);
  });
}

TEST_F(SignInFlow, tellsStrangersNothing) {
  run([&]() -> awaitable<void> {
    const auto strip = [](Answer answer, const std::string& name) {
      auto text = answer.head.substr(0, answer.head.find("Date:")) + answer.header("Location");
      for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) text.replace(at, name.size(), "NAME");
      return text;
    };
    // Not signed in: a known name and an unknown one answer alike.
    EXPECT_EQ(strip(co_await visit(instance("/")), "ws"), strip(co_await visit(instance("/", "nope")), "nope"));
    EXPECT_EQ((co_await visit(instance("/"), "")).status, 401);
    EXPECT_EQ((co_await visit(instance("/", "nope"), "")).status, 401);
    EXPECT_EQ((co_await visit(instance("/.swarm/status"), "")).status, 401);
    EXPECT_EQ((co_await visit(instance("/.swarm/status", "nope"), "")).status, 401);
    // Signed in as somebody else: not found, both.
    signInAs("bob");
    const auto theirs = co_await browse(instance("/"));
    const auto nobodys = co_await browse(instance("/", "nope"));
    EXPECT_EQ(theirs.status, 404);
    EXPECT_EQ(nobodys.status, 404);
    EXPECT_EQ(theirs.body.size(), nobodys.body.size());
    // A cookie of bob's for ada's instance is worth nothing, however he got it.
    const auto bob = auth_.signIn("bob");
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + instanceCookie(bob.principal) + "\r\n"))).status, 401);
    EXPECT_EQ(application_->connections, 0);
  });
}

TEST_F(SignInFlow, letsAdminsInAndViewersOnlySee) {
  run([&]() -> awaitable<void> {
    publish([](Route& route) { route.owner = "vic"; }, "seen");
    signInAs("root");
    EXPECT_EQ((co_await browse(instance("/"))).body, "hello");
    jar_.clear();
    signInAs("vic");
    EXPECT_EQ((co_await browse(instance("/", "seen"))).status, 403);
    const auto landing = co_await browse(base("/"));
    EXPECT_NE(landing.body.find(">seen</a>"), std::string::npos);
    EXPECT_EQ(landing.body.find(">ws</a>"), std::string::npos);
  });
}

TEST_F(SignInFlow, landingTellsWhereAWorkspaceMovesAndHowFarItIs) {
  run([&]() -> awaitable<void> {
    publish([](Route& route) {
      route.moving = std::make_shared<const MoveProgress>(
          MoveProgress{.to = "Fly.io (ams)", .step = "copy", .percent = 45, .paused = false, .secondsLeft = -1});
    });
    signInAs("ada");
    const auto landing = co_await browse(base("/"));
    EXPECT_NE(landing.body.find("moving to Fly.io (ams), 45 %"), std::string::npos) << landing.body;
  });
}

TEST_F(SignInFlow, refusesForgedPosts) {
  run([&]() -> awaitable<void> {
    const std::string form = "user=ada&password=pw-ada";
    for (const std::string fields :
         {"Origin: http://evil.com\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
          "Origin: http://ws.localhost\r\n", "Origin: http://localhost.evil.com\r\n"}) {
      const auto answer = co_await post("/login", fields, form);
      EXPECT_EQ(answer.status, 403) << fields;
      EXPECT_EQ(answer.header("Set-Cookie"), "") << fields;
      EXPECT_EQ((co_await post("/logout", fields + "Cookie: swarm_session=" + ada_.token.reveal() + "\r\n", "")).status, 403) << fields;
    }
    EXPECT_TRUE(auth_.verifyApiToken(ada_.token.reveal()));
    EXPECT_EQ((co_await post("/login", "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n", form)).status, 303);
  });
}

TEST_F(SignInFlow, endsEverythingAtSignOut) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    EXPECT_EQ((co_await browse(instance("/"))).body, "hello");
    const auto before = jar_;
    const auto answer =
        co_await post("/logout", "Origin: " + base("") + "\r\nCookie: swarm_session=" + jar_[hostName("")]["swarm_session"] + "\r\n", "");
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.header("Set-Cookie").find("Max-Age=0"), std::string::npos);
    jar_ = before;
    const auto seen = application_->heads.size();
    EXPECT_EQ((co_await visit(instance("/"), "")).status, 401);
    EXPECT_EQ((co_await visit(base("/"))).header("Location"), "/login");
    EXPECT_EQ(application_->heads.size(), seen);
  });
}

TEST_F(SignInFlow, makesSecureCookiesBehindHttps) {
  GatewayOptions options;
  options.baseDomain = "swarm.example.com";
  options.publicUrl = "https://swarm.example.com";
  rebuildGateway(options);
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    const auto login = co_await client.ask(
        "POST /login HTTP/1.1\r\nHost: swarm.example.com\r\nOrigin: https://swarm.example.com\r\nContent-Type: "
        "application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\nuser=ada&password=pw-ada");
    EXPECT_NE(login.header("Set-Cookie").find("; Secure"), std::string::npos);
    const auto start = co_await client.ask("GET /a HTTP/1.1\r\nHost: ws.swarm.example.com\r\nAccept: text/html\r\n\r\n");
    EXPECT_EQ(start.header("Location"), "https://swarm.example.com/auth/instance?name=ws&path=%2Fa");
    const auto code = auth_.issueCode(ada_.principal, "i-ws");
    const auto taken = co_await client.ask("GET /.swarm/auth?code=" + code + "&to=/ HTTP/1.1\r\nHost: ws.swarm.example.com\r\n\r\n");
    EXPECT_NE(taken.header("Set-Cookie").find("; Secure"), std::string::npos);
    EXPECT_EQ((co_await client.ask("GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n")).status, 421);
  });
}

TEST_F(SignInFlow, bringsAddressesToTheName) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    const auto port = std::to_string(server_->port());
    const auto answer = co_await client.ask("GET /login?next=/x HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\nAccept: text/html\r\n\r\n");
    EXPECT_EQ(answer.header("Location"), base("/login?next=/x"));
  });
}

TEST_F(SignInFlow, servesPagesThatLoadAndLeakNothing) {
  run([&]() -> awaitable<void> {
    const auto page = co_await visit(base("/login"));
    const auto policy = page.header("Content-Security-Policy");
    EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(page.header("Cache-Control"), "no-store");
    EXPECT_EQ(page.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page.header("Referrer-Policy"), "same-origin");
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

// Sign-in: from an instance's host to the base host and back, and all attempts that must be refused.
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

using SignInFlow = BrowserTest;

TEST_F(SignInFlow, leadsFromAnInstanceOverTheFormBackToTheSamePath) {
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
    const auto cookie = right.cookie(names().session);
    EXPECT_TRUE(cookie.starts_with("__Host-swarm-")) << cookie;
    for (const auto* part : {"=cookie-", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"})
      EXPECT_NE(cookie.find(part), std::string::npos) << cookie;
    EXPECT_EQ(cookie.find("Domain"), std::string::npos);

    const auto landed = co_await browse(base(right.header("Location")));
    EXPECT_EQ(landed.status, 200);
    EXPECT_EQ(landed.body, "hello");
    EXPECT_EQ(trail_.back(), instance("/?folder=/home/coder&x=a%20b"));
    EXPECT_NE(application_->heads.at(0).find("GET /?folder=/home/coder&x=a%20b HTTP/1.1"), std::string::npos);
    EXPECT_EQ(application_->heads.at(0).find("swarm-"), std::string::npos);
  });
}

TEST_F(SignInFlow, countsFormsThatDoNotEndByTheirClientsAddress) {
  rebuildGateway({.forms = std::make_shared<OpenBudget>(OpenLimits{.bytesPerUser = 20 * 1024})});
  run([&]() -> awaitable<void> {
    const auto wrong = [&] { return post("/login", "Origin: " + base("") + "\r\n", "user=ada&password=no"); };
    std::optional<Client> slow = co_await connect();
    co_await slow->send("POST /login HTTP/1.1\r\nHost: " + hostName("") + "\r\nOrigin: " + base("") +
                        "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nuser=");
    auto refused = co_await wrong();
    while (refused.status == 401) refused = co_await wrong();
    EXPECT_EQ(refused.status, 429);
    EXPECT_FALSE(refused.header("Retry-After").empty()) << refused.head;
    EXPECT_NE(refused.body.find("client address"), std::string::npos) << refused.body;
    slow.reset();
    while (refused.status == 429) refused = co_await wrong();
    EXPECT_EQ(refused.status, 401);
  });
}

TEST_F(SignInFlow, anUnknownPathIsAPageForBrowsersOnly) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    const auto ask = [&](const std::string& path, const std::string& accept) {
      return client.ask("GET " + path + " HTTP/1.1\r\nHost: " + hostName("") + "\r\nAccept: " + accept + "\r\n\r\n");
    };
    const auto page = co_await ask("/nothing", "text/html,*/*;q=0.8");
    EXPECT_EQ(page.status, 404);
    EXPECT_TRUE(page.header("Content-Type").starts_with("text/html")) << page.head;
    EXPECT_FALSE(page.header("X-Request-Id").empty());
    EXPECT_NE(page.body.find("No such page"), std::string::npos) << page.body;
    for (const char* path : {"/api", "/api/nothing", "/healthz", "/readyz", "/metrics"})
      EXPECT_EQ((co_await ask(path, "text/html")).body, "api") << path;
    EXPECT_EQ((co_await ask("/nothing", "application/json")).body, "api");
  });
}

TEST_F(SignInFlow, needsNoFormForASignedInUser) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    EXPECT_EQ((co_await browse(instance("/a"))).body, "hello");
    EXPECT_EQ((co_await browse(instance("/b", "8080.ws"))).body, "hello");
    EXPECT_EQ(application_->ports.back(), 8080);
  });
}

TEST_F(SignInFlow, givesEachHostACookieThatOpensNoOther) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    (void)co_await browse(instance("/", "8080.ws"));
    const auto value = jar_[hostName("8080.ws")][names().session];
    EXPECT_FALSE(value.empty());
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + names().session + "=" + value + "\r\n"))).status, 401);
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + names().session + "=" + value + "\r\n", "8081.ws"))).status, 401);
    // The base host's cookie and a token of the API are not valid there either.
    const auto session = jar_[hostName("")][names().session];
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + names().session + "=" + session + "\r\n"))).status, 401);
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + names().session + "=" + ada_.token.reveal() + "\r\n"))).status, 401);
  });
}

TEST_F(SignInFlow, neverLoopsWhenTheBrowserKeepsNoCookie) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    keepsCookies_ = false;
    const auto response = co_await browse(instance("/a"));
    EXPECT_EQ(response.status, 403);
    EXPECT_NE(response.body.find("cookie"), std::string::npos);
    EXPECT_NE(response.body.find("href=\"/\""), std::string::npos);
  });
}

TEST_F(SignInFlow, countsNoneOfSeveralCookiesOfOneNameAndRemovesThem) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    (void)co_await browse(instance("/"));
    const auto good = names().session + "=" + jar_[hostName("ws")][names().session];
    auto client = co_await connect();
    const auto beside = co_await client.ask(request("GET /", "Cookie: swarm_session=old; a=b; " + good + "\r\n"));
    EXPECT_EQ(beside.body, "hello");
    EXPECT_NE(application_->heads.back().find("Cookie: a=b\r\n"), std::string::npos);
    for (const auto& both : {good + "; " + names().session + "=planted", names().session + "=planted; " + good, good + "; " + good}) {
      const auto refused = co_await client.ask(request("GET /", "Cookie: " + both + "\r\n"));
      EXPECT_EQ(refused.status, 401) << both;
      EXPECT_NE(refused.cookie(names().session).find("Max-Age=0"), std::string::npos) << both;
    }
    // The same in two fields.
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + good + "\r\nCookie: " + good + "\r\n"))).status, 401);
    const auto base_good = names().session + "=" + jar_[hostName("")][names().session];
    auto base_client = co_await connect();
    const auto landing = co_await base_client.ask("GET / HTTP/1.1\r\nHost: " + hostName("") + "\r\nCookie: " + base_good + "; " +
                                                  names().session + "=planted\r\n\r\n");
    EXPECT_EQ(landing.header("Location"), "/login");
    EXPECT_NE(landing.cookie(names().session).find("Max-Age=0"), std::string::npos);
    jar_[hostName("ws")][names().session] = "stale";
    EXPECT_EQ((co_await browse(instance("/"))).body, "hello");
  });
}

TEST_F(SignInFlow, acceptsACodeOnceForOneHostAndInTheBrowserThatBeganIt) {
  run([&]() -> awaitable<void> {
    publish({}, "other");
    const auto binding = co_await beginAt("ws");
    const auto other_binding = co_await beginAt("other");
    const auto code = [&](const std::string& bound) { return auth_.issueCode(ada_.principal, "i-ws", bound); };
    EXPECT_EQ((co_await visit(instance("/.swarm/auth?code=" + code(other_binding) + "&to=/x", "other"))).status, 403);
    // Another user's code, bound to a secret that this browser does not have.
    EXPECT_EQ((co_await visit(instance("/.swarm/auth?code=" + code("another-browsers") + "&to=/x"))).status, 403);
    EXPECT_EQ((co_await visit(instance("/.swarm/auth?code=" + code("") + "&to=/x"))).status, 403);
    const auto own = code(binding);
    const auto first = co_await visit(instance("/.swarm/auth?code=" + own + "&to=/x"));
    EXPECT_EQ(first.status, 302);
    EXPECT_EQ(first.header("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(first.header("Cache-Control"), "no-store");
    jar_[hostName("ws")].erase(names().session);
    EXPECT_EQ((co_await visit(instance("/.swarm/auth?code=" + own + "&to=/x"))).status, 403);
    // A browser that has not begun a sign-in.
    jar_.clear();
    EXPECT_EQ((co_await visit(instance("/.swarm/auth?code=" + code(binding) + "&to=/x"))).status, 403);
    EXPECT_EQ((co_await visit(instance("/.swarm/auth?code=" + code("") + "&to=/x"))).status, 403);
    EXPECT_TRUE(application_->heads.empty());
  });
}

TEST_F(SignInFlow, opensOnlyThePathThatWasRequestedWhenItBegan) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    const auto begun = co_await visit(instance("/?folder=/wanted"));
    const auto sent = co_await visit(begun.header("Location"));
    auto forged = sent.header("Location");
    forged.replace(forged.find("wanted"), 6, "forged");
    EXPECT_EQ((co_await browse(forged)).body, "hello");
    EXPECT_EQ(trail_.back(), instance("/"));
    // A link of another page does not choose the path.
    jar_.clear();
    const auto cross =
        co_await visit(instance("/?folder=/evil"), "Accept: text/html\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n");
    EXPECT_EQ(field(cross, "path"), "/");
    // Links to a port's pages keep their path.
    const auto port =
        co_await visit(instance("/page", "80.ws"), "Accept: text/html\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n");
    EXPECT_EQ(field(port, "path"), "/page");
  });
}

TEST_F(SignInFlow, redirectsToNoOtherSite) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    for (const std::string evil : {"//evil.com", "/\\evil.com", "https://evil.com", "%2F%2Fevil.com", "%2F%09%2Fevil.com",
                                   "javascript:alert(1)", "/%0d%0aSet-Cookie:x=y", "@evil.com", ""}) {
      const auto login = co_await visit(base("/login?next=" + evil));
      EXPECT_EQ(login.header("Location"), "/") << evil;
      for (const std::string label : {"ws", "80.ws"}) {
        jar_.clear();
        const auto binding = co_await beginAt(label);
        const auto code = auth_.issueCode(ada_.principal, label == "ws" ? "i-ws" : "i-ws:80", binding);
        const auto taken = co_await visit(instance("/.swarm/auth?code=" + code + "&to=" + evil, label));
        EXPECT_EQ(field(taken, "to"), "/") << evil;
        const auto arrived = co_await visit(instance("/.swarm/arrive?to=" + evil, label));
        EXPECT_EQ(arrived.status, 200);
        EXPECT_NE(arrived.body.find("content=\"0;url=/\""), std::string::npos) << evil;
      }
      signInAs("ada");
      const auto sent = co_await visit(base("/auth/instance?host=ws&binding=b&path=" + evil));
      EXPECT_TRUE(sent.header("Location").starts_with(instance("/.swarm/auth?code="))) << evil;
      EXPECT_EQ(field(sent, "to"), "/") << evil;
      const auto link = co_await visit(base("/login/link?code=none&next=" + evil));
      EXPECT_EQ(link.header("Location"), "/") << evil;
    }
    for (const std::string host : {"evil.com", "ws@evil.com", "ws/../", "", "ws%00", "65536.ws", "8080x.ws", "8080.", "x.ws"})
      EXPECT_EQ((co_await visit(base("/auth/instance?binding=b&host=" + host))).status, 404) << host;
    // Without a sign-in that began at the instance's host, it begins there.
    EXPECT_EQ((co_await visit(base("/auth/instance?host=80.ws&path=/x"))).header("Location"), instance("/", "80.ws"));
  });
}

TEST_F(SignInFlow, refusesForgedPosts) {
  run([&]() -> awaitable<void> {
    const std::string form = "user=ada&password=pw-ada";
    for (const std::string fields : {"Origin: http://evil.com\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n",
                                     "Sec-Fetch-Site: same-site\r\n", "Origin: http://ws.localhost\r\n",
                                     "Origin: http://localhost.evil.com\r\n", "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n", ""}) {
      const auto response = co_await post("/login", fields, form);
      EXPECT_EQ(response.status, 403) << fields;
      EXPECT_EQ(response.header("Set-Cookie"), "") << fields;
      EXPECT_EQ(
          (co_await post("/logout", fields + "Cookie: " + names().session + "=" + auth_.issueSessionCookie(ada_.principal) + "\r\n", ""))
              .status,
          403)
          << fields;
    }
    EXPECT_TRUE(auth_.verifyApiToken(ada_.token.reveal()));
    EXPECT_EQ((co_await post("/login", "Sec-Fetch-Site: same-origin\r\nOrigin: " + base("") + "\r\n", form)).status, 303);
  });
}

TEST_F(SignInFlow, endsEverythingAtSignOut) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    EXPECT_EQ((co_await browse(instance("/"))).body, "hello");
    const auto before = jar_;
    const auto response = co_await post("/logout", "Origin: " + base("") + "\r\n" + cookiesFor(hostName("")), "");
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.cookie(names().session).find("Max-Age=0"), std::string::npos);
    jar_ = before;
    const auto seen = application_->heads.size();
    EXPECT_EQ((co_await visit(instance("/"), "")).status, 401);
    EXPECT_EQ((co_await visit(base("/"))).header("Location"), "/login");
    EXPECT_EQ(application_->heads.size(), seen);
  });
}

TEST_F(SignInFlow, worksOnADomainWithInstancesUnderAnother) {
  GatewayOptions options;
  options.address = PublicAddress({"swarm.example.com", "example.dev"}, *net::parseUrl("https://swarm.example.com"));
  rebuildGateway(options);
  run([&]() -> awaitable<void> {
    const auto cookie = makeCookieNames("swarm.example.com:443", true);
    auto client = co_await connect();
    const auto login = co_await client.ask(
        "POST /login HTTP/1.1\r\nHost: swarm.example.com\r\nOrigin: https://swarm.example.com\r\nContent-Type: "
        "application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\nuser=ada&password=pw-ada");
    EXPECT_TRUE(cookie.session.starts_with("__Host-"));
    EXPECT_NE(login.cookie(cookie.session).find("; Secure"), std::string::npos);
    for (const std::string label : {"ws", "80--ws", "80.ws"}) {
      const auto host = "Host: " + label + ".example.dev\r\n";
      const auto start = co_await client.ask("GET /a HTTP/1.1\r\n" + host + "Accept: text/html\r\n\r\n");
      EXPECT_TRUE(start.header("Location").starts_with("https://swarm.example.com/auth/instance?host=" + label + "&binding="))
          << start.header("Location");
      const auto code = auth_.issueCode(ada_.principal, label == "ws" ? "i-ws" : "i-ws:80", field(start, "binding"));
      const auto state = start.cookie(cookie.state);
      const auto taken = co_await client.ask("GET /.swarm/auth?code=" + code + "&to=/ HTTP/1.1\r\n" + host +
                                             "Cookie: " + state.substr(0, state.find(';')) + "\r\n\r\n");
      EXPECT_EQ(taken.status, 302) << label;
      EXPECT_NE(taken.cookie(cookie.session).find("; Secure"), std::string::npos);
      for (const auto& set : taken.headers("Set-Cookie")) EXPECT_EQ(set.find("Domain"), std::string::npos) << set;
    }
    EXPECT_EQ((co_await client.ask("GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n")).status, 421);
    EXPECT_EQ((co_await client.ask("GET / HTTP/1.1\r\nHost: ws.example.com\r\n\r\n")).status, 421);
  });
}

TEST_F(SignInFlow, redirectsAddressesAndOldNamesToTheCurrentOnes) {
  run([&]() -> awaitable<void> {
    const auto port = std::to_string(server_->port());
    for (const std::string address : {"127.0.0.1:", "localhost:", "[::1]:"}) {
      auto client = co_await connect();
      const auto response = co_await client.ask("GET /login?next=/x HTTP/1.1\r\nHost: " + address + port +
                                                "\r\nAccept: text/html\r\nCookie: swarm_session=of-before\r\n\r\n");
      EXPECT_EQ(response.header("Location"), base("/login?next=/x"));
      EXPECT_TRUE(response.cookie("swarm_session").starts_with("swarm_session=; ")) << address;
      // A sign-in is not possible there: browsers would send the cookie to every program of that name.
      const auto login = co_await client.ask("POST /login HTTP/1.1\r\nHost: " + address + port + "\r\nOrigin: http://" + address + port +
                                             "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\n"
                                             "user=ada&password=pw-ada");
      EXPECT_EQ(login.status, 421);
      EXPECT_EQ(login.cookie(names().session), "");
      const auto cookie = names().session + "=" + auth_.issueSessionCookie(ada_.principal);
      const auto landing = co_await client.ask("GET / HTTP/1.1\r\nHost: " + address + port + "\r\nCookie: " + cookie + "\r\n\r\n");
      EXPECT_EQ(landing.status, 302);
    }
    auto client = co_await connect();
    const auto old = co_await client.ask(request("GET /x?y=z", "Accept: text/html\r\n", "8080--ws"));
    EXPECT_EQ(old.header("Location"), instance("/x?y=z", "8080.ws"));
    const auto post = co_await client.ask(request("POST /x", "Content-Length: 0\r\n", "8080--ws"));
    EXPECT_EQ(post.status, 421);
    EXPECT_NE(post.body.find("8080.ws.localhost"), std::string::npos);
  });
}

TEST_F(SignInFlow, aLinkSignsInOnceAndRequiresAConfirmationAfterALinkOfAPage) {
  run([&]() -> awaitable<void> {
    const auto link = [&] { return base("/login/link?next=%2Fauth%2Finstance%3Fhost%3Dws&code=" + auth_.issueLoginLink(ada_.principal)); };
    const auto typed = "Accept: text/html\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n";
    const auto led = "Accept: text/html\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
    const auto first = link();
    const auto response = co_await visit(first, typed);
    EXPECT_EQ(response.status, 303);
    EXPECT_EQ((co_await browse(base(response.header("Location")))).body, "hello");
    jar_.clear();
    EXPECT_EQ((co_await visit(first, typed)).status, 403);
    EXPECT_TRUE(jar_[hostName("")].empty());

    const auto second = link();
    const auto page = co_await visit(second, led);
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(jar_[hostName("")].empty());
    EXPECT_NE(page.body.find("Sign in as ada?"), std::string::npos);
    const auto form = second.substr(second.find('?') + 1);
    EXPECT_EQ((co_await post("/login/link", "Origin: http://evil.com\r\n", form)).status, 403);
    EXPECT_EQ((co_await post("/login/link", "Origin: " + base("") + "\r\n", std::string(20'000, 'x'))).status, 413);
    EXPECT_EQ((co_await post("/login/link", "Origin: " + base("") + "\r\n", form)).status, 303);
    EXPECT_FALSE(jar_[hostName("")][names().session].empty());

    signInAs("bob");  // another user is signed in: never replaced without a confirmation
    const auto bobs = jar_[hostName("")][names().session];
    EXPECT_EQ((co_await visit(link(), typed)).status, 200);
    EXPECT_EQ(jar_[hostName("")][names().session], bobs);
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

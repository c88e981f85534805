// What pages of other workspaces, of ports and of other sites may do with a workspace's hosts.
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

class Origins : public BrowserTest {
 protected:
  Origins() { publish({}, "other"); }

  /// A server on a domain, where all workspaces are of one site.
  void useDomain() {
    GatewayOptions options;
    options.address = PublicAddress({"swarm.example.com", "example.com"}, *net::parseUrl("https://swarm.example.com"));
    rebuildGateway(options);
    cookie_ = makeCookieNames("swarm.example.com:443", true).session;
  }
  std::string cookieOf(const std::string& label) {
    const auto host = parseLabel(label);
    const auto id = "i-" + std::string(host.instance());
    return cookie_ + "=" + auth_.issueInstanceCookie(ada_.principal, host.port() == 0 ? id : id + ":" + std::to_string(host.port()));
  }
  awaitable<Response> ask(std::string line, std::string label, std::string fields, bool signed_in = true) {
    const auto host = cookie_ == names().session ? hostName(label) : label + ".example.com";
    auto client = co_await connect();
    co_return co_await client.ask(line + " HTTP/1.1\r\nHost: " + host + "\r\n" + (signed_in ? "Cookie: " + cookieOf(label) + "\r\n" : "") +
                                  fields + "\r\n");
  }
  /// The number of requests that reached the application.
  std::size_t reached() const { return application_->heads.size(); }

  std::string cookie_ = names().session;
};

const std::string kPost = "Content-Length: 0\r\n";
const std::string kSocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n";
const std::string kSameSite = "Sec-Fetch-Site: same-site\r\n";

TEST_F(Origins, aSiblingWorkspaceReachesNothingWithItsVisitorsCookie) {
  useDomain();
  run([&]() -> awaitable<void> {
    const std::string evil = "Origin: https://other.example.com\r\n";
    for (const std::string label : {"ws", "80--ws", "80.ws"}) {
      EXPECT_EQ((co_await ask("POST /", label, evil + kSameSite + kPost)).status, 403) << label;
      EXPECT_EQ((co_await ask("POST /", label, evil + kPost)).status, 403) << label;  // an older browser
      EXPECT_EQ((co_await ask("POST /", label, "Origin: null\r\n" + kSameSite + kPost)).status, 403) << label;
      EXPECT_EQ((co_await ask("GET /", label, evil + kSameSite + kSocket)).status, 403) << label;
      EXPECT_EQ((co_await ask("GET /", label, evil + kSocket)).status, 403) << label;
      EXPECT_EQ((co_await ask("GET /", label, kSameSite + "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n" + evil)).status, 403)
          << label;
      EXPECT_EQ((co_await ask("GET /", label, kSameSite + "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n")).status, 403) << label;
      for (const std::string frame : {"iframe", "frame", "embed", "object"})
        EXPECT_EQ(
            (co_await ask("GET /", label, kSameSite + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: " + frame + "\r\nAccept: text/html\r\n"))
                .status,
            403)
            << label << frame;
      EXPECT_EQ((co_await ask("OPTIONS /", label, evil + kSameSite + "Access-Control-Request-Method: POST\r\n", false)).status, 403)
          << label;
    }
    EXPECT_EQ(reached(), 0U);
    // The base host's pages have another origin.
    EXPECT_EQ((co_await ask("POST /", "ws", "Origin: https://swarm.example.com\r\n" + kSameSite + kPost)).status, 403);
    // Another program on the same name, by plain http or on another port.
    EXPECT_EQ((co_await ask("POST /", "80--ws", "Origin: http://ws.example.com\r\n" + kPost)).status, 403);
    EXPECT_EQ((co_await ask("POST /", "80--ws", "Origin: https://ws.example.com:8443\r\n" + kPost)).status, 403);
    EXPECT_EQ(reached(), 0U);
  });
}

TEST_F(Origins, usersAndPagesOfTheHostItselfReachIt) {
  useDomain();
  run([&]() -> awaitable<void> {
    for (const std::string label : {"ws", "80--ws"}) {
      const auto own = "Origin: https://" + label + ".example.com\r\n";
      EXPECT_EQ((co_await ask("POST /", label, own + "Sec-Fetch-Site: same-origin\r\n" + kPost)).status, 200) << label;
      EXPECT_EQ((co_await ask("POST /", label, own + kPost)).status, 200) << label;
      EXPECT_EQ((co_await ask("POST /", label, kPost)).status, 200) << label;  // not a browser
      EXPECT_EQ((co_await ask("POST /", label, "Sec-Fetch-Site: none\r\n" + kPost)).status, 200) << label;
      // A form of a page that hides its address.
      EXPECT_EQ((co_await ask("POST /", label, "Origin: null\r\nSec-Fetch-Site: same-origin\r\n" + kPost)).status, 200) << label;
    }
  });
}

TEST_F(Origins, portsOfOneWorkspaceCallEachOtherAndNotItsVscode) {
  for (const bool domain : {false, true}) {
    if (domain) useDomain();
    const std::string scheme = domain ? "https://" : "http://";
    const auto originOf = [&](const std::string& label) { return scheme + (domain ? label + ".example.com" : hostName(label)); };
    const std::string from = domain ? "3000--ws" : "3000.ws";
    const std::string to = domain ? "80--ws" : "80.ws";
    run([&]() -> awaitable<void> {
      const auto origin = "Origin: " + originOf(from) + "\r\n";
      EXPECT_EQ((co_await ask("POST /", to, origin + kSameSite + kPost)).status, 200);
      EXPECT_EQ((co_await ask("GET /", to, origin + kSameSite)).status, 200);
      EXPECT_EQ((co_await ask("POST /", to, "Origin: " + originOf("ws") + "\r\n" + kSameSite + kPost)).status, 200);
      const auto before = reached();
      const auto preflight = co_await ask(
          "OPTIONS /api", to, origin + kSameSite + "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-a\r\n", false);
      EXPECT_EQ(preflight.status, 200);
      EXPECT_EQ(reached(), before + 1);
      EXPECT_NE(application_->heads.back().find("Access-Control-Request-Headers: x-a"), std::string::npos);
      // The page can read the gateway's refusal.
      const auto refused = co_await ask("PUT /api", to, origin + kSameSite + kPost, false);
      EXPECT_EQ(refused.status, 401);
      EXPECT_EQ(refused.header("Access-Control-Allow-Origin"), originOf(from));
      EXPECT_EQ(refused.header("Access-Control-Allow-Credentials"), "true");
      EXPECT_EQ(refused.header("Vary"), "Origin");
      EXPECT_EQ((co_await ask("PUT /", to, kPost, false)).header("Access-Control-Allow-Origin"), "");
      // VS Code accepts no request from a port's page.
      EXPECT_EQ((co_await ask("POST /", "ws", origin + kSameSite + kPost)).status, 403);
      EXPECT_EQ((co_await ask("GET /", "ws", origin + kSameSite + kSocket)).status, 403);
      EXPECT_EQ((co_await ask("OPTIONS /", "ws", origin + kSameSite + "Access-Control-Request-Method: PUT\r\n", false)).status, 403);
      EXPECT_EQ(reached(), before + 1);
    });
  }
}

TEST_F(Origins, aPortIsFramedByItsOwnWorkspaceOnly) {
  run([&]() -> awaitable<void> {
    const auto frame = [](const std::string& referer) {
      return kSameSite + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nAccept: text/html\r\n" +
             (referer.empty() ? "" : "Referer: http://" + referer + "/\r\n");
    };
    const auto shown = co_await ask("GET /", "80.ws", frame(hostName("ws")));
    EXPECT_EQ(shown.status, 200);
    const auto port = std::to_string(server_->port());
    EXPECT_EQ(shown.header("Content-Security-Policy"),
              "frame-ancestors 'self' http://ws.localhost:" + port + " http://*.ws.localhost:" + port);
    // Here every workspace is a site of its own: same-site means this one, even if the page hides its address.
    EXPECT_EQ((co_await ask("GET /", "80.ws", frame(""))).status, 200);
    EXPECT_EQ((co_await ask("GET /", "80.ws", frame(hostName("other")))).status, 403);
    EXPECT_EQ(
        (co_await ask("GET /", "80.ws", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: iframe\r\nSec-Fetch-Mode: navigate\r\n")).status,
        403);
    // The gateway's error pages are also shown in that frame.
    application_->refuse = "refused";
    const auto failed = co_await ask("GET /", "81.ws", frame(hostName("ws")));
    EXPECT_EQ(failed.status, 502);
    EXPECT_NE(failed.header("Content-Security-Policy").find("frame-ancestors 'self' http://ws.localhost:"), std::string::npos);
    EXPECT_EQ(failed.header("X-Frame-Options"), "");
    // Only VS Code's own host may frame VS Code.
    EXPECT_EQ((co_await ask("GET /", "ws", frame(hostName("80.ws")))).status, 403);
  });
}

TEST_F(Origins, onADomainTheFramingPageIsNamed) {
  useDomain();
  run([&]() -> awaitable<void> {
    const auto shown = co_await ask(
        "GET /", "80--ws", kSameSite + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nReferer: https://3000--ws.example.com/\r\n");
    EXPECT_EQ(shown.header("Content-Security-Policy"),
              "frame-ancestors 'self' https://ws.example.com https://*.ws.example.com https://3000--ws.example.com");
    EXPECT_NE(shown.header("Strict-Transport-Security"), "");
    const auto alone = co_await ask("GET /", "80--ws", "Sec-Fetch-Site: none\r\nReferer: https://3000--other.example.com/\r\n");
    EXPECT_EQ(alone.header("Content-Security-Policy"), "frame-ancestors 'self' https://ws.example.com https://*.ws.example.com");
  });
}

TEST_F(Origins, vscodeIsKeptApart) {
  run([&]() -> awaitable<void> {
    application_->script = application_->responding(
        "HTTP/1.1 200 OK\r\nCross-Origin-Opener-Policy: unsafe-none\r\nCross-Origin-Resource-Policy: cross-origin\r\nContent-Length: "
        "2\r\n\r\nhi");
    const auto page = co_await ask("GET /", "ws", "");
    EXPECT_EQ(page.header("Content-Security-Policy"), "frame-ancestors 'self'");
    EXPECT_EQ(page.headers("Cross-Origin-Opener-Policy"), std::vector<std::string>{"same-origin"});
    EXPECT_EQ(page.headers("Cross-Origin-Resource-Policy"), std::vector<std::string>{"same-origin"});
    EXPECT_EQ(page.header("Strict-Transport-Security"), "");
    // A port's program decides this for its own pages.
    EXPECT_EQ((co_await ask("GET /", "80.ws", "")).header("Cross-Origin-Opener-Policy"), "unsafe-none");
  });
}

TEST_F(Origins, onlyVscodesOwnWorkersRegisterAtItsHost) {
  run([&]() -> awaitable<void> {
    const std::string worker = "Service-Worker: script\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Dest: serviceworker\r\n";
    EXPECT_EQ((co_await ask("GET /evil.js", "ws", worker)).status, 403);
    EXPECT_EQ((co_await ask("GET /vscode-remote-resource?path=/home/coder/sw.js", "ws", worker)).status, 403);
    EXPECT_EQ(reached(), 0U);
    // The worker whose scope is the whole host is the gateway's own, independent of the workspace.
    const auto page = co_await ask("GET /_static/out/browser/serviceWorker.js", "ws", worker);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.header("Service-Worker-Allowed"), "/");
    EXPECT_EQ(page.body.find("hello"), std::string::npos);
    EXPECT_EQ(page.body.find("fetch"), std::string::npos);
    EXPECT_EQ(reached(), 0U);
    EXPECT_EQ((co_await ask("GET /_static/out/browser/serviceWorker.js", "ws", worker, false)).status, 401);
    EXPECT_EQ(
        (co_await ask("GET /stable-0/static/out/vs/workbench/contrib/webview/browser/pre/service-worker.js?v=4", "ws", worker)).status,
        200);
    EXPECT_EQ((co_await ask("GET /sw.js", "80.ws", worker)).status, 200);
  });
}

TEST_F(Origins, aLinkFromElsewhereOpensVscodeAndChoosesNothing) {
  run([&]() -> awaitable<void> {
    const std::string link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nAccept: text/html\r\n";
    for (const std::string path : {"/?folder=/tmp/evil", "/?payload=%5B%5D", "/"}) {
      const auto response = co_await ask("GET " + path, "ws", link);
      EXPECT_EQ(response.status, 200) << path;
      EXPECT_NE(response.body.find("content=\"0;url=/\""), std::string::npos) << path;
    }
    EXPECT_EQ(reached(), 0U);
    EXPECT_EQ(
        (co_await ask("GET /?folder=/tmp/mine", "ws", "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nAccept: text/html\r\n")).body,
        "hello");
    EXPECT_EQ(
        (co_await ask("GET /?folder=/tmp/mine", "ws", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nAccept: text/html\r\n"))
            .body,
        "hello");
    EXPECT_EQ((co_await ask("GET /stable-0/callback?vscode-reqid=1", "ws", link)).body,
              "hello");  // the return from a sign-in to another service
    EXPECT_EQ((co_await ask("GET /deep/link", "80.ws", link)).body, "hello");
  });
}

TEST_F(Origins, vscodesSignInOpensAPortInAFrame) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    EXPECT_EQ((co_await browse(instance("/"))).body, "hello");
    const auto& ports = jar_[".ws.localhost"];
    EXPECT_EQ(ports.size(), 1U);
    EXPECT_EQ(ports.begin()->first, names().ports);
    EXPECT_TRUE(names().ports.starts_with("__Secure-"));
    const auto frame = kSameSite + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nAccept: text/html\r\n";
    const auto entered = co_await visit(instance("/app?a=b", "3000.ws"), frame);
    EXPECT_EQ(entered.status, 302);
    EXPECT_EQ(entered.header("Clear-Site-Data"), "\"cache\", \"storage\"");
    EXPECT_TRUE(entered.header("Location").starts_with("/.swarm/arrive?to="));
    const auto arrived = co_await visit(instance(entered.header("Location"), "3000.ws"), frame);
    EXPECT_NE(arrived.body.find("content=\"0;url=/app?a=b\""), std::string::npos);
    EXPECT_EQ(arrived.header("X-Frame-Options"), "");
    EXPECT_EQ((co_await visit(instance("/app?a=b", "3000.ws"), "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Dest: iframe\r\n")).body, "hello");
    EXPECT_EQ(application_->heads.back().find("swarm-"), std::string::npos);
    // Other ports may call a port that was not shown yet; scripts of its own origin (of an earlier instance) may not.
    const auto origin = "Origin: http://" + hostName("3000.ws") + "\r\n";
    EXPECT_EQ((co_await visit(instance("/", "81.ws"), kSameSite + origin)).body, "hello");
    EXPECT_EQ((co_await visit(instance("/", "81.ws"), "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n")).status, 401);
    // A page of this port that opens itself in a frame without a cookie belongs to an earlier instance.
    EXPECT_NE((co_await visit(instance("/", "82.ws"),
                              "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n"
                              "Accept: text/html\r\n"))
                  .header("Location")
                  .find("/auth/instance?"),
              std::string::npos);
    // It opens no VS Code, and no other workspace.
    const auto value = ports.begin()->second;
    auto client = co_await connect();
    for (const auto& name : {names().ports, names().session})
      EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + name + "=" + value + "\r\n"))).status, 401);
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + names().ports + "=" + value + "\r\n", "80.other"))).status, 401);
  });
}

/// There, no cookie is shared by VS Code and its ports, and a page's policy may admit the port's host only: the frame is never redirected
/// to another one.
TEST_F(Origins, vscodesSignInOpensAPortInAFrameOnADomainToo) {
  useDomain();
  const auto state = makeCookieNames("swarm.example.com:443", true).state;
  const auto attribute = [](const std::string& page, const std::string& name) {
    const auto begin = page.find(name + "=\"") + name.size() + 2;
    std::string value = page.substr(begin, page.find('"', begin) - begin);
    for (auto at = value.find("&amp;"); at != std::string::npos; at = value.find("&amp;")) value.replace(at, 5, "&");
    return value;
  };
  run([&]() -> awaitable<void> {
    const auto frame = kSameSite + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nAccept: text/html\r\n";
    const auto page = co_await ask("GET /app?a=b", "3000--ws", frame + "Referer: https://ws.example.com/\r\n", false);
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.header("Content-Security-Policy").find("connect-src https://ws.example.com;"), std::string::npos);
    EXPECT_NE(page.header("Content-Security-Policy").find("frame-ancestors 'self' https://ws.example.com"), std::string::npos);
    const auto code_url = attribute(page.body, "data-code");
    const std::string vscode = "https://ws.example.com";
    EXPECT_TRUE(code_url.starts_with(vscode + "/.swarm/port?binding=")) << page.body;
    const auto request_line = "GET " + code_url.substr(vscode.size());

    const auto from = [](const std::string& label) {
      return kSameSite + "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nOrigin: https://" + label + ".example.com\r\n";
    };
    EXPECT_EQ((co_await ask(request_line, "ws", from("3000--ws"), false)).status, 401) << "not signed in to VS Code";
    EXPECT_EQ((co_await ask(request_line, "ws", from("3000--other"))).status, 403);
    EXPECT_EQ((co_await ask(request_line, "ws", "Sec-Fetch-Site: same-origin\r\n")).status, 403) << "VS Code's own page";
    EXPECT_EQ((co_await ask("GET /", "ws", from("3000--ws"))).status, 403) << "nothing else of VS Code's host";
    const auto response = co_await ask(request_line, "ws", from("3000--ws"));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("Access-Control-Allow-Origin"), "https://3000--ws.example.com");
    const std::string code = attribute("code=" + response.body.substr(response.body.find(':') + 1), "code");

    const auto enter = "GET " + attribute(page.body, "data-enter") + net::percentEncode(code);
    const auto same = "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nAccept: text/html\r\n";
    EXPECT_EQ((co_await ask(enter, "3000--ws", same, false)).status, 403) << "another browser";
    const auto cookie = page.cookie(state);
    const auto entered = co_await ask(enter, "3000--ws", same + ("Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n"), false);
    EXPECT_EQ(entered.status, 302) << entered.body;
    EXPECT_TRUE(entered.header("Location").starts_with("/.swarm/arrive?to=%2Fapp%3Fa%3Db")) << entered.header("Location");
    EXPECT_NE(entered.cookie(cookie_), "");
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

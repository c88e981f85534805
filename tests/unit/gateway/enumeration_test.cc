// Who is not admitted to a workspace cannot distinguish it from one that does not exist, by no request but a CORS preflight (ADR 0009).
#include <algorithm>

#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

const std::string kOpenedPage = "Accept: text/html\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
const std::string kWebSocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n";

class Enumeration : public BrowserTest {
 protected:
  /// Workspaces of ada's with names of one length, in each state that a route may have.
  Enumeration() {
    remove("ws");
    publish({}, "one1");
    publish([](InstanceRoute& route) { route.status = InstanceStatus::stopped; }, "one2");
    publish([](InstanceRoute& route) { route.status = InstanceStatus::creating; }, "one3");
    publish([](InstanceRoute& route) { route.status = InstanceStatus::failed, route.reason = "of ada"; }, "one4");
    publish([](InstanceRoute& route) { route.ready = false; }, "one5");
    publish([](InstanceRoute& route) { route.moving = std::make_shared<const MoveProgress>(); }, "one6");
    publish([](InstanceRoute& route) { route.ports = std::make_shared<const PortRules>(PortRules{{80, {PortLevel::shared, {}}}}); },
            "one7");
  }
  static constexpr const char* kNames[] = {"one1", "one2", "one3", "one4", "one5", "one6", "one7"};
  static constexpr const char* kNone = "zero";

  /// All of a response that does not have to differ: without secrets, which are random, and with the names replaced.
  static std::string shownBy(const Response& response, const std::string& name) {
    std::string text = std::to_string(response.status) + response.head + response.body;
    const auto replaceAll = [&](const std::string& from, const std::string& to) {
      for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
    };
    replaceAll(name, "NAME");
    const auto hide = [&](const std::string& before, std::string_view end, bool with_length) {
      for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos;) {
        at += before.size();
        const auto length = std::min(text.find_first_of(end, at), text.size()) - at;
        text.replace(at, length, with_length ? "" : std::to_string(length));
      }
    };
    for (const std::string& secret : {names().state + "=", std::string("binding="), std::string("proof=")}) hide(secret, "&;\r\"", false);
    for (const std::string& counted : {"X-Request-Id: ", "\"requestId\":\"", "Date: ", "Content-Length: "}) hide(counted, "\r\"", true);
    return text;
  }
  awaitable<std::string> shown(std::string line, std::string label, std::string fields, std::string name) {
    auto client = co_await connect();
    const std::string host = hostName(label);
    const auto response = co_await client.ask(line + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + cookiesFor(host) + "\r\n",
                                              std::string_view(line).substr(0, line.find(' ')));
    co_return shownBy(response, name);
  }
  /// Sends every kind of request to hosts of `name`.
  awaitable<std::vector<std::string>> allShown(std::string name) {
    std::vector<std::string> all;
    for (const std::string& label : {name, "80." + name, "80--" + name}) {
      const std::string own = "Origin: http://" + hostName(label) + "\r\nSec-Fetch-Site: same-origin\r\n";
      const std::string of_vscode = "Origin: http://" + hostName(name) + "\r\nSec-Fetch-Site: same-site\r\n";
      for (const char* path : {"/", "/x?y=z", "/callback", "/.swarm/status", "/.swarm/start", "/.swarm/auth?code=c&to=/&proof=p",
                               "/.swarm/port", "/.swarm/x", "/_static/out/browser/serviceWorker.js"}) {
        for (const std::string& fields :
             {std::string(), kOpenedPage, own, of_vscode, kWebSocket, own + kWebSocket, own + "Service-Worker: script\r\n",
              std::string("Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n"),
              of_vscode + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nAccept: text/html\r\n"})
          all.push_back(co_await shown(std::string("GET ") + path, label, fields, name));
        for (const char* method : {"POST ", "DELETE ", "OPTIONS ", "TRACE "})
          all.push_back(co_await shown(method + std::string(path), label, own + "Content-Length: 0\r\n", name));
      }
    }
    co_return all;
  }
  static void expectSame(const std::string& one, const std::string& none, const std::string& name) {
    const auto differs = static_cast<std::size_t>(std::ranges::mismatch(one, none).in1 - one.begin());
    const auto begin = differs < 200 ? 0 : differs - 200;
    EXPECT_TRUE(one == none) << name << ": " << one.substr(begin, 400) << "\n--- none: " << none.substr(begin, 400);
  }
  awaitable<void> expectNothingShown() {
    const auto of_none = co_await allShown(kNone);
    for (const std::string name : kNames) {
      const auto of_one = co_await allShown(name);
      for (std::size_t i = 0; i < of_none.size(); ++i) expectSame(of_one.at(i), of_none[i], name);
    }
    EXPECT_EQ(application_->connections, 0);
  }
};

TEST_F(Enumeration, byWhoIsNotSignedInFindsNoWorkspace) {
  run([&]() -> awaitable<void> { co_await expectNothingShown(); });
}

TEST_F(Enumeration, byAnotherUserFindsNoWorkspace) {
  run([&]() -> awaitable<void> {
    const auto bob = auth_.signIn("bob").principal;
    jar_[hostName("")][names().session] = auth_.issueSessionCookie(bob);
    for (const std::string name : {"one1", "one2", "one3", "one4", "one5", "one6", "one7", kNone}) {
      jar_[hostName(name)][names().session] = auth_.issueInstanceCookie(bob, "i-of-bob");
      jar_[hostName("80." + name)][names().session] = auth_.issueInstanceCookie(bob, "i-of-bob:80");
    }
    co_await expectNothingShown();
  });
}

TEST_F(Enumeration, byAnotherUsersFormsFindsNoWorkspace) {
  GatewayOptions options;
  const auto act = [](Principal, InstanceId) -> awaitable<void> { co_return; };
  const auto open = [](Principal, InstanceId, std::uint16_t) -> awaitable<void> { co_return; };
  options.actions = {.create = {}, .start = act, .stop = act, .sharePort = open};
  rebuildGateway(std::move(options));
  run([&]() -> awaitable<void> {
    signInAs("bob");
    const auto forms = [&](std::string name) -> awaitable<std::vector<std::string>> {
      std::vector<std::string> all;
      const std::string origin = "Origin: " + base("") + "\r\n" + cookiesFor(hostName(""));
      for (const std::string& label : {name, "80." + name}) {
        const std::string fields = "host=" + label + "&binding=b&path=%2F&proof=p";
        all.push_back(shownBy(co_await visit(base("/auth/instance?" + fields)), name));
        for (const char* path : {"/auth/instance", "/auth/port"}) all.push_back(shownBy(co_await post(path, origin, fields), name));
        for (const char* path : {"/workspaces/start", "/workspaces/stop"})
          all.push_back(shownBy(co_await post(path, origin, "name=" + label), name));
      }
      co_return all;
    };
    const auto of_none = co_await forms(kNone);
    for (const std::string name : kNames) {
      const auto of_one = co_await forms(name);
      for (std::size_t i = 0; i < of_none.size(); ++i) expectSame(of_one.at(i), of_none[i], name);
    }
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

// What a signed-in user enters: own workspaces, others', and those of a name that was another's; and the list of them.
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

using EntryFlow = BrowserTest;

TEST_F(EntryFlow, clearsTheStorageThatAnotherInstanceOfTheNameLeftInTheBrowser) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    const auto codeResponse = [&](const std::string& label) -> awaitable<Response> {
      jar_.erase(".ws.localhost");  // otherwise VS Code's sign-in opens its ports
      const auto begun = co_await visit(instance("/", label));
      const auto sent = co_await visit(begun.header("Location"));
      co_return co_await visit(sent.header("Location"));
    };
    EXPECT_EQ((co_await codeResponse("ws")).header("Clear-Site-Data"), "\"cache\", \"storage\"");
    const auto mark = jar_[hostName("ws")][names().mark];
    jar_[hostName("ws")].erase(names().session);
    EXPECT_EQ((co_await codeResponse("ws")).header("Clear-Site-Data"), "");  // the same instance: its storage stays
    EXPECT_EQ((co_await codeResponse("80.ws")).header("Clear-Site-Data"), "\"cache\", \"storage\"");
    remove("ws");
    publish([](InstanceRoute& route) { route.instanceId = InstanceId("i-later"); }, "ws");
    jar_[hostName("ws")].erase(names().session);
    jar_[hostName("80.ws")].erase(names().session);
    EXPECT_EQ((co_await codeResponse("ws")).header("Clear-Site-Data"), "\"cache\", \"storage\"");
    EXPECT_EQ((co_await codeResponse("80.ws")).header("Clear-Site-Data"), "\"cache\", \"storage\"");
    EXPECT_NE(jar_[hostName("ws")][names().mark], mark);
  });
}

TEST_F(EntryFlow, aServiceWorkerOfAFormerInstanceIsClearedBeforeASignIn) {
  const std::string script = "Service-Worker: script\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Dest: serviceworker\r\n";
  const std::string part = "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";
  const std::string cleared = "\"cache\", \"storage\"";
  run([&]() -> awaitable<void> {
    signInAs("ada");
    EXPECT_EQ((co_await browse(instance("/", "80.ws"))).body, "hello");
    const auto cookies = jar_[hostName("80.ws")];
    const auto ask = [&](std::string fields, std::string label) -> awaitable<Response> {
      jar_[hostName(label)].erase(names().session);
      jar_.erase(".ws.localhost");
      co_return co_await visit(instance("/sw.js", label), fields);
    };
    // Signed out of the same instance, whose worker stays.
    EXPECT_EQ((co_await ask(script, "80.ws")).status, 401);
    EXPECT_EQ((co_await ask(script, "80.ws")).header("Clear-Site-Data"), "");
    EXPECT_EQ((co_await ask("Accept: text/html\r\n", "80.ws")).header("Clear-Site-Data"), "");
    remove("ws");
    publish([](InstanceRoute& route) { route.instanceId = InstanceId("i-later"); }, "ws");
    for (const auto& fields : {script, part, std::string("Accept: text/html\r\n")}) {
      const auto response = co_await ask(fields, "80.ws");
      EXPECT_NE(response.status, 200) << fields;
      EXPECT_EQ(response.header("Clear-Site-Data"), cleared) << fields;
    }
    // Even if VS Code's sign-in, or a cookie of the former instance, is there.
    jar_[hostName("80.ws")] = cookies;
    EXPECT_EQ((co_await visit(instance("/sw.js", "80.ws"), script)).header("Clear-Site-Data"), cleared);
    remove("ws");
    EXPECT_EQ((co_await ask(script, "80.ws")).header("Clear-Site-Data"), cleared);
    // A browser without a mark: only what pages of other sites cannot request.
    jar_.erase(hostName("80.ws"));
    EXPECT_EQ((co_await ask(script, "80.ws")).header("Clear-Site-Data"), cleared);
    for (const auto& fields : {part, std::string("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n"), std::string()})
      EXPECT_EQ((co_await ask(fields, "81.ws")).header("Clear-Site-Data"), "") << fields;
  });
}

TEST_F(EntryFlow, revealsNothingToOtherUsers) {
  run([&]() -> awaitable<void> {
    const auto strip = [](Response response, const std::string& name) {
      auto text = response.head.substr(0, response.head.find("Set-Cookie:"));
      for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) text.replace(at, name.size(), "NAME");
      return text;
    };
    // Not signed in: the responses for a known and an unknown name are equal.
    const auto known = co_await visit(instance("/")), unknown = co_await visit(instance("/", "nope"));
    EXPECT_EQ(strip(known, "ws"), strip(unknown, "nope"));
    EXPECT_EQ(known.header("Location").size() + 2, unknown.header("Location").size());
    EXPECT_EQ(known.cookie(names().state).size(), unknown.cookie(names().state).size());
    EXPECT_EQ((co_await visit(instance("/"), "")).status, 401);
    EXPECT_EQ((co_await visit(instance("/", "nope"), "")).status, 401);
    EXPECT_EQ((co_await visit(instance("/.swarm/status"), "")).status, 401);
    EXPECT_EQ((co_await visit(instance("/.swarm/status", "nope"), "")).status, 401);
    // Signed in as another user: both are not found.
    signInAs("bob");
    const auto theirs = co_await browse(instance("/"));
    const auto nobodys = co_await browse(instance("/", "nope"));
    EXPECT_EQ(theirs.status, 404);
    EXPECT_EQ(nobodys.status, 404);
    EXPECT_EQ(theirs.body.size(), nobodys.body.size());
    // A cookie of bob's for ada's instance is not valid.
    const auto bob = auth_.signIn("bob");
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + instanceCookie(bob.principal) + "\r\n"))).status, 401);
    EXPECT_EQ(application_->connections, 0);
  });
}

TEST_F(EntryFlow, onlyShowsTheListToViewers) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) { route.owner = "vic"; }, "seen");
    signInAs("vic");
    EXPECT_EQ((co_await browse(instance("/", "seen"))).status, 403);
    const auto landing = co_await browse(base("/"));
    EXPECT_NE(landing.body.find(">seen</th>"), std::string::npos) << "without a link that would be refused";
    EXPECT_EQ(landing.body.find(">ws<"), std::string::npos);
  });
}

TEST_F(EntryFlow, announcesToAdminsThatTheirEntryIntoAnotherUsersWorkspaceIsRecorded) {
  run([&]() -> awaitable<void> {
    signInAs("root");
    const auto page = co_await browse(instance("/a"));
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.body.find("Your entry is recorded"), std::string::npos) << page.body;
    EXPECT_EQ(page.header("X-Frame-Options"), "DENY");
    EXPECT_EQ(application_->connections, 0);
    std::string form;
    for (const std::string name : {"host", "binding", "path", "proof"}) {
      const auto mark = "name=\"" + name + "\" value=\"";
      const auto at = page.body.find(mark) + mark.size();
      form += name + "=" + net::percentEncode(page.body.substr(at, page.body.find('"', at) - at)) + "&";
    }
    const auto enter = [&](const std::string& origin) {
      return post("/auth/instance", "Origin: " + origin + "\r\n" + cookiesFor(hostName("")), form);
    };
    for (const auto& origin : {instance(""), std::string("http://evil.com")}) EXPECT_EQ((co_await enter(origin)).status, 403) << origin;
    const auto entered = co_await enter(base(""));
    EXPECT_EQ(entered.status, 303);
    EXPECT_EQ((co_await browse(entered.header("Location"))).body, "hello");
    EXPECT_EQ(trail_.back(), instance("/a"));
    // The owner gets no such page.
    jar_.clear();
    signInAs("ada");
    EXPECT_EQ((co_await browse(instance("/a"))).body, "hello");
    EXPECT_EQ((co_await post("/auth/instance", "Origin: " + base("") + "\r\n", form)).header("Location"), "/login?next=%2F")
        << "not signed in";
  });
}

TEST_F(EntryFlow, keepsAdminsOutOfWorkspacesOfOthersWhereTheConfigurationSaysSo) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) { route.owner = "root"; }, "own");
    auth_.adminsMayEnter = false;
    signInAs("root");
    EXPECT_EQ((co_await browse(instance("/"))).status, 403);
    EXPECT_EQ((co_await browse(instance("/", "own"))).body, "hello");
    const auto landing = co_await browse(base("/"));
    EXPECT_NE(landing.body.find(">ws</th>"), std::string::npos) << landing.body;
    EXPECT_NE(landing.body.find(">own</a>"), std::string::npos);
    // A cookie from before the change does not open it either.
    const auto root = auth_.signIn("root");
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(request("GET /", "Cookie: " + instanceCookie(root.principal) + "\r\n"))).status, 401);
  });
}

TEST_F(EntryFlow, listShowsTheTargetAndProgressOfAMove) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) {
      route.moving = std::make_shared<const MoveProgress>(
          MoveProgress{.to = "Fly.io (ams)", .step = "copy", .percent = 45, .paused = false, .secondsLeft = -1});
    });
    signInAs("ada");
    const auto landing = co_await browse(base("/"));
    EXPECT_NE(landing.body.find("moving to Fly.io (ams), 45 %"), std::string::npos) << landing.body;
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

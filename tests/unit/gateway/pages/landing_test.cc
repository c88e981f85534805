// The list of workspaces and its forms: which user may do what, from which page.
#include <regex>

#include "model/rules/validation.h"
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

class LandingForms : public BrowserTest {
 protected:
  LandingForms() {
    GatewayOptions options;
    auto note = [this](std::string action) {
      return [this, action](Principal principal, InstanceId what) -> awaitable<void> {
        done_.push_back(action + " " + what.str() + " by " + principal.user);
        co_return;
      };
    };
    options.actions = {.create = [this](Principal principal, std::string name) -> awaitable<std::string> {
                         if (name == "taken") throw Error(ErrorCode::Conflict, "The name taken is taken.");
                         done_.push_back("create " + name + " by " + principal.user);
                         co_return name;
                       },
                       .start = note("start"),
                       .stop = note("stop"),
                       .sharePort = {}};
    rebuildGateway(std::move(options));
  }
  awaitable<Response> submit(std::string action, std::string name, std::string fields = {}) {
    return submitFrom(base(""), std::move(action), std::move(name), std::move(fields));
  }
  awaitable<Response> submitFrom(std::string origin, std::string action, std::string name, std::string fields = {}) {
    fields += cookiesFor(hostName(""));
    if (!origin.empty()) fields += "Origin: " + origin + "\r\n";
    return post("/workspaces/" + action, fields, "name=" + name);
  }
  std::string startForm(std::string_view origin) {
    return request("POST /.swarm/start",
                   "Origin: " + std::string(origin) + "\r\nContent-Length: 0\r\nCookie: " + instanceCookie(ada_.principal) + "\r\n");
  }
  std::vector<std::string> done_;
};

TEST_F(LandingForms, startStopAndCreateForTheOwner) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    EXPECT_NE((co_await browse(base("/"))).body.find("action=\"/workspaces/stop\""), std::string::npos);
    EXPECT_EQ((co_await submit("stop", "ws")).header("Location"), "/");
    publish([](InstanceRoute& route) { route.status = InstanceStatus::stopped; });
    EXPECT_NE((co_await browse(base("/"))).body.find("action=\"/workspaces/start\""), std::string::npos);
    EXPECT_EQ((co_await submit("start", "ws")).status, 303);
    EXPECT_EQ((co_await submit("create", "web1")).status, 303);
    const std::string id = current_.at("ws").instanceId.str();
    EXPECT_EQ(done_, (std::vector<std::string>{"stop " + id + " by ada", "start " + id + " by ada", "create web1 by ada"}));
  });
}

TEST_F(LandingForms, showWhereAnImageIsOldAndWhereSizesAreNotEnforced) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    EXPECT_EQ((co_await browse(base("/"))).body.find("refresh-image"), std::string::npos);
    EXPECT_EQ((co_await browse(base("/"))).body.find("not enforced"), std::string::npos);
    publish([](InstanceRoute& route) {
      route.imageOutdated = true;
      route.enforcesStorage = false;
    });
    const auto body = (co_await browse(base("/"))).body;
    EXPECT_NE(body.find("<code>swarm update ws --refresh-image</code>"), std::string::npos) << body;
    EXPECT_NE(body.find("Sizes of volumes are not enforced at Docker"), std::string::npos) << body;
  });
}

TEST_F(LandingForms, sayWhereAStopLosesFilesToThoseWhoMayStop) {
  run([&]() -> awaitable<void> {
    constexpr const char* kHint = "At Fly.io, Stop keeps only the files in volumes: what was installed outside of them is lost.";
    signInAs("ada");
    EXPECT_EQ((co_await browse(base("/"))).body.find("Stop keeps only"), std::string::npos);
    publish([](InstanceRoute& route) {
      route.provider = ProviderType::flyio;
      route.keepsFilesAtStop = false;
    });
    const auto body = (co_await browse(base("/"))).body;
    EXPECT_NE(body.find(kHint), std::string::npos) << body;
    publish([](InstanceRoute& route) { route.status = InstanceStatus::stopped; });
    EXPECT_EQ((co_await browse(base("/"))).body.find(kHint), std::string::npos);
  });
}

TEST_F(LandingForms, acceptTheNamesThatTheServerAccepts) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    const auto body = (co_await browse(base("/"))).body;
    EXPECT_NE(body.find("maxlength=\"40\""), std::string::npos) << body;
    EXPECT_EQ(nameFault(std::string(40, 'a')), "");
    EXPECT_NE(nameFault(std::string(41, 'a')), "");
    const auto begin = body.find("pattern=\"") + 9;
    const std::regex pattern(body.substr(begin, body.find('"', begin) - begin));
    for (const char* name : {"a", "web1", "1st", "a-b", "-a", "a-", "a--b", "Web", "a_b"})
      EXPECT_EQ(std::regex_match(name, pattern), nameFault(name).empty()) << name;
  });
}

TEST_F(LandingForms, showWhyARequestFailed) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    const auto taken = co_await submit("create", "taken");
    EXPECT_EQ(taken.status, 409);
    EXPECT_NE(taken.body.find("The name taken is taken."), std::string::npos);
    const auto page = co_await submit("create", "taken", "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n");
    EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8") << "the response to a browser's form is a page";
    EXPECT_NE(page.body.find("The name taken is taken."), std::string::npos);
    EXPECT_NE(page.body.find("Your workspaces"), std::string::npos) << "with the way back";
    const auto fetched = co_await submit("create", "taken", "Accept: text/html\r\nSec-Fetch-Mode: cors\r\n");
    EXPECT_EQ(fetched.header("Content-Type"), "application/problem+json") << "for a script it is not";
    EXPECT_EQ((co_await submit("start", "other")).status, 404);
    EXPECT_EQ((co_await submit("destroy", "ws")).status, 404);
    EXPECT_TRUE(done_.empty());
  });
}

TEST_F(LandingForms, refuseOtherPagesOtherUsersAndOtherRoles) {
  run([&]() -> awaitable<void> {
    EXPECT_EQ((co_await submit("stop", "ws")).header("Location"), "/login") << "not signed in";
    signInAs("ada");
    EXPECT_EQ((co_await submitFrom(instance(""), "stop", "ws")).status, 403) << "a workspace's page";
    EXPECT_EQ((co_await submitFrom("", "stop", "ws")).status, 403) << "neither Origin nor Sec-Fetch-Site";
    jar_.clear();
    signInAs("bob");
    EXPECT_EQ((co_await submit("stop", "ws")).status, 404) << "another owner's workspace";
    jar_.clear();
    signInAs("vic");
    EXPECT_EQ((co_await submit("create", "mine")).status, 403) << "a viewer";
    EXPECT_TRUE(done_.empty());
  });
}

TEST_F(LandingForms, theStoppedPageStartsItsWorkspaceForItsOwnPageOnly) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) { route.status = InstanceStatus::stopped; });
    auto client = co_await connect();
    EXPECT_NE((co_await client.ask(get("/", "Accept: text/html\r\n"))).body.find("action=\"/.swarm/start\""), std::string::npos);
    EXPECT_EQ((co_await client.ask(startForm(instance("", "8080.ws")), "POST")).status, 403) << "a port's page";
    EXPECT_EQ((co_await client.ask(request("POST /.swarm/start", "Content-Length: 0\r\n"), "POST")).status, 401) << "not signed in";
    EXPECT_TRUE(done_.empty());
    EXPECT_EQ((co_await client.ask(startForm(instance("")), "POST")).status, 303);
    EXPECT_EQ(done_, std::vector<std::string>{"start " + current_.at("ws").instanceId.str() + " by ada"});
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

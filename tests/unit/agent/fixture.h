// Shared by the agent's tests: running coroutines to their end, waiting for a condition, a temporary folder, and a whole agent.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <future>

#include "agent/client/client.h"
#include "agent/exec/exec_process.h"
#include "agent/monitor/activity.h"
#include "agent/monitor/usage.h"
#include "agent/server/server.h"
#include "agent/server/service.h"
#include "async/deadline.h"
#include "support/temp_dir.h"

namespace swarm::agent {

namespace asio = boost::asio;
inline constexpr std::chrono::seconds kPatience{20};

inline void writeFile(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

inline std::string readFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The tests' users, in passwd's format, so that nothing depends on the machine's users.
inline UserDatabase ownUser(const test::TempDir& folder) {
  std::string ids = std::to_string(::getuid()) + ":" + std::to_string(::getgid());
  std::filesystem::create_directories(folder / "home");
  writeFile(folder / "passwd", "coder:x:" + ids + ":Test:" + (folder / "home").string() + ":/bin/sh\n");
  writeFile(folder / "group", "coder:x:" + std::to_string(::getgid()) + ":\n");
  return UserDatabase(folder / "passwd", folder / "group");
}

/// A loop that the test runs itself.
class LoopTest : public testing::Test {
 protected:
  LoopTest() : children(context.get_executor()) {
    ::signal(SIGPIPE, SIG_IGN);
    asio::co_spawn(context, children.run(), asio::detached);
  }

  template <typename T>
  T await(awaitable<T> work) {
    auto result = asio::co_spawn(context, async::withDeadline(std::move(work), Deadline::after(kPatience), "The test took too long."),
                                 asio::use_future);
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      if (context.run_one() == 0) throw std::runtime_error("the loop ran dry");
    }
    return result.get();
  }

  /// Runs the loop until `condition` holds.
  void waitUntil(std::function<bool()> condition) {
    await([](std::function<bool()> holds) -> awaitable<void> {
      while (!holds()) co_await async::sleepFor(std::chrono::milliseconds(5));
    }(std::move(condition)));
  }

  asio::io_context context;
  test::TempDir folder;
  Children children;
};

/// Everything behind the agent's port, with a stand-in for code-server.
class AgentTest : public LoopTest {
 protected:
  static constexpr std::string_view kInstance = "i-test";

  AgentTest()
      : users(ownUser(folder)),
        vscode(context.get_executor(), children, base, vscodeOptions(), users),
        activity(clock),
        usage(UsageMeter::Options{"/sys/fs/cgroup", "/proc", {folder.path()}}),
        exec{context.get_executor(), children, base, users, &freeze},
        freeze(freezeParts()),
        hold(holdParts()),
        transfers(hold, folder / "root"),
        archives(
            {exec, activity, hold, vscode, gitConfigText({"Ada", "ada@example.org"}), folder / "root", {"/home/coder/.config/swarm/ssh"}}),
        setup(context.get_executor(), children, base, setupOptions(), users),
        ssh(exec, {.instanceId = std::string(kInstance), .runtime = folder / "ssh"}),
        server(AgentParts{std::string(kInstance), verifyingKeyOf(key), clock, vscode, folder / "code-server.sock", activity, usage, exec,
                          hold, freeze, transfers, archives, setup, ssh}),
        http(net::listenTcp(context.get_executor(), {"127.0.0.1", 0}), server.handler()) {
    asio::co_spawn(context, http.run(), asio::detached);
  }
  ~AgentTest() override {
    http.stop();
    await(vscode.stop(Deadline::after(std::chrono::seconds(2))));
    // A command whose client has disconnected ends soon; its session uses objects that are destroyed here, so wait until it was reaped.
    for (auto end = Deadline::after(kPatience); children.running() > 0 && !end.hasPassed();) {
      context.restart();
      context.run_for(std::chrono::milliseconds(20));
    }
    children.stop();
    context.restart();
    context.run_for(std::chrono::seconds(10));
  }

  void startVscode() {
    asio::co_spawn(context, vscode.run(), asio::detached);
    waitUntil([this] { return vscode.ready(); });
  }

  ServiceOptions vscodeOptions() const {
    ServiceOptions options;
    options.name = "code-server";
    options.title = "VS Code";
    options.socket = folder / "code-server.sock";
    options.command = {SWARM_TEST_CODE_SERVER, "--socket", options.socket.string()};
    options.backoff = {std::chrono::milliseconds(10), std::chrono::milliseconds(50), std::chrono::milliseconds(60'000)};
    return options;
  }

  SetupOptions setupOptions() const {
    SetupOptions options;
    options.home = (folder / "home").string();
    options.mark = folder / "setup.json";
    return options;
  }

  FreezeParts freezeParts() {
    return {context.get_executor(), [this](bool paused) { vscode.setPaused(paused); }, kPatience};
  }

  HoldParts holdParts() {
    return {context.get_executor(), vscode, [this] { asio::co_spawn(context, vscode.run(), asio::detached); },
            [this](Deadline deadline) { return stopOthers(deadline); }, [this] { return transfers.endReceiving(); }};
  }
  awaitable<void> stopOthers(Deadline deadline) {
    while (!mayBecomeHeld) co_await async::sleepFor(std::chrono::milliseconds(1));
    co_await setup.stop(deadline);
  }

  net::HostPort address() const { return {"127.0.0.1", http.port()}; }
  AgentTarget target() const {
    return {InstanceId(std::string(kInstance)), key, [where = address()](Deadline deadline) { return net::connectTcp(where, deadline); }};
  }
  std::string token(TokenScope scope) const { return signInstanceToken(key, kInstance, scope, std::chrono::seconds(60), clock); }

  /// One request on a connection of its own; returns the whole response.
  net::HttpResponse send(net::HttpRequest request) {
    net::HttpClientOptions options;
    options.host = "agent";
    return await([](net::Connector connect, net::HttpClientOptions how, net::HttpRequest what) -> awaitable<net::HttpResponse> {
      net::HttpClient client(connect, how);
      co_return co_await client.send(std::move(what), Deadline::after(kPatience));
    }(target().endpoint.connect, options, std::move(request)));
  }
  net::HttpRequest request(std::string method, std::string path, std::optional<std::string> its_token) {
    net::HttpRequest made;
    made.method = std::move(method);
    made.target = std::move(path);
    if (its_token) made.headers.push_back({std::string(kTokenHeader), *its_token});
    return made;
  }

  bool mayBecomeHeld = true;  ///< a hold that has begun does not end processes while this is false
  RealClock clock;
  SigningKey key{TokenAlgorithm::Ed25519, Secret(std::string(32, 'k'))};
  Environment base{{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"FROM_IMAGE", "yes"}};
  UserDatabase users;
  Service vscode;
  Activity activity;
  UsageMeter usage;
  ExecContext exec;
  Freeze freeze;
  Hold hold;
  Transfers transfers;
  Archives archives;
  agent::Setup setup;
  SshServer ssh;
  AgentServer server;
  net::HttpServer http;
};

}  // namespace swarm::agent

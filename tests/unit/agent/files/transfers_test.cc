// Sessions of moves at the agent's port: when one is admitted, that a newer one supersedes an older one, and a whole round through two of
// them.
#include "agent/files/transfers.h"
#include "base/error.h"

#include "transfer/wire/link.h"
#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {
using transfer::Role;
constexpr std::string_view kMove = "op-move";

class TransfersTest : public AgentTest {
 protected:
  Deadline soon() const { return Deadline::after(kPatience); }
  void holdIt(std::string transfer = std::string(kMove)) { await(agent::hold(target(), std::move(transfer), "It moves.", soon())); }
  net::StreamPtr open(Role role, std::string transfer = std::string(kMove)) {
    return await(openTransfer(target(), role, std::move(transfer), soon()));
  }
  void expectConflict(Role role, std::string transfer, std::string_view part) {
    try {
      open(role, std::move(transfer));
      ADD_FAILURE() << "it was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Conflict);
      EXPECT_THAT(error.message(), testing::HasSubstr(part));
    }
  }
  std::unique_ptr<transfer::Link> link(Role role, net::StreamPtr stream) {
    net::StreamPtr none;
    return await(role == Role::Source ? transfer::openLink(std::move(stream), std::move(none), std::string(kMove), scope)
                                      : transfer::openLink(std::move(none), std::move(stream), std::string(kMove), scope));
  }
  bool responds(transfer::Link& of, transfer::Side side) {
    try {
      await(of.scan(side, [](const transfer::TransferProgress&) {}));
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unavailable);
      return false;
    }
  }
  void writeSource() { writeFile(folder / "root/data/file", "content"); }

  transfer::Scope scope{{"/data"}, {}};
};

TEST_F(TransfersTest, receivingNeedsAHoldForThatTransfer) {
  expectConflict(Role::Target, std::string(kMove), "is not held");
  holdIt("op-other");
  expectConflict(Role::Target, std::string(kMove), "op-other");
  holdIt();
  EXPECT_TRUE(open(Role::Target));
}

TEST_F(TransfersTest, sendingNeedsNone) {
  writeSource();
  auto sending = link(Role::Source, open(Role::Source));
  auto report = await(sending->scan(transfer::Side::Source, [](const transfer::TransferProgress&) {}));
  EXPECT_EQ(report.files, 1);
  EXPECT_EQ(activity.connections(), 0) << "no user is active";
  await(sending->close());
}

TEST_F(TransfersTest, aNewerSessionTakesTheOlderOnesPlace) {
  writeSource();
  holdIt();
  for (auto [role, side] : {std::pair{Role::Source, transfer::Side::Source}, std::pair{Role::Target, transfer::Side::Target}}) {
    auto older = link(role, open(role));
    EXPECT_TRUE(responds(*older, side));
    auto newer = link(role, open(role));
    EXPECT_FALSE(responds(*older, side));
    EXPECT_TRUE(responds(*newer, side));
    await(newer->close());
  }
}

TEST_F(TransfersTest, ofManyAtOnceTheNewestIsLeft) {
  writeSource();
  auto admitted = link(Role::Source, open(Role::Source));
  std::vector<std::future<net::StreamPtr>> requests;
  for (int n = 0; n < 8; ++n) {
    requests.push_back(asio::co_spawn(context, openTransfer(target(), Role::Source, std::string(kMove), soon()), asio::use_future));
  }
  waitUntil([&] {
    return std::ranges::all_of(requests, [](auto& one) { return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  });
  EXPECT_FALSE(responds(*admitted, transfer::Side::Source));
  int alive = 0;
  for (auto& one : requests) {
    try {
      auto stream = one.get();
      auto its = await([](std::unique_ptr<transfer::Link>& into, net::StreamPtr from, transfer::Scope what) -> awaitable<bool> {
        try {
          into = co_await transfer::openLink(std::move(from), nullptr, std::string(kMove), what);
          co_return true;
        } catch (const Error&) {
          co_return false;
        }
      }(admitted, std::move(stream), scope));
      if (its && responds(*admitted, transfer::Side::Source)) ++alive;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Conflict) << error.message();
    }
  }
  EXPECT_EQ(alive, 1);
}

TEST_F(TransfersTest, releaseEndsTheReceivingSessionFirst) {
  writeSource();
  holdIt();
  auto receiving = link(Role::Target, open(Role::Target));
  EXPECT_TRUE(responds(*receiving, transfer::Side::Target));
  await(agent::release(target(), soon()));
  EXPECT_FALSE(responds(*receiving, transfer::Side::Target));
  expectConflict(Role::Target, std::string(kMove), "is not held");
}

TEST_F(TransfersTest, anotherTransfersHoldEndsTheReceivingSession) {
  writeSource();
  holdIt();
  auto receiving = link(Role::Target, open(Role::Target));
  EXPECT_TRUE(responds(*receiving, transfer::Side::Target));
  holdIt("op-other");
  EXPECT_FALSE(responds(*receiving, transfer::Side::Target));
}

TEST_F(TransfersTest, storageThatIsNotInItsPlaceIsNeitherSentNorWritten) {
  transfers.refuse("The storage is not there.");
  holdIt();
  for (Role role : {Role::Source, Role::Target}) {
    try {
      open(role);
      ADD_FAILURE() << "it was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unavailable);
      EXPECT_EQ(error.message(), "The storage is not there.");
    }
  }
}

TEST_F(TransfersTest, whatIsMissingInARequestIsSaid) {
  EXPECT_EQ(send(request("GET", "/transfer/send?transfer=op-1", token(TokenScope::Files))).status, 426);
  for (const char* path : {"/transfer/send", "/transfer/send?", "/transfer/receive?transfer=", "/transfer/send?other=op-1"}) {
    auto made = request("GET", path, token(TokenScope::Files));
    made.headers.push_back({"Connection", "Upgrade"});
    made.headers.push_back({"Upgrade", std::string(kTunnelProtocol)});
    EXPECT_EQ(send(std::move(made)).status, 400) << path;
  }
}

/// A second agent, held, with a root of its own.
class TwoAgentsTest : public TransfersTest {
 protected:
  TwoAgentsTest()
      : other_hold({context.get_executor(), vscode, [] {}, [this](Deadline deadline) { return setup.stop(deadline); }, {}}),
        other_transfers(other_hold, folder / "other"),
        other_server(AgentParts{std::string(kInstance), verifyingKeyOf(key), clock, vscode, folder / "code-server.sock", activity, usage,
                                exec, other_hold, freeze, other_transfers, archives, setup, ssh}),
        other_http(net::listenTcp(context.get_executor(), {"127.0.0.1", 0}), other_server.handler()) {
    other_hold.begin(std::string(kMove));
    asio::co_spawn(context, other_http.run(), asio::detached);
  }
  ~TwoAgentsTest() override {
    other_http.stop();
    context.restart();
    context.run_for(std::chrono::milliseconds(200));
  }
  AgentTarget other() const {
    net::HostPort where{"127.0.0.1", other_http.port()};
    return {InstanceId(std::string(kInstance)), key, [where](Deadline deadline) { return net::connectTcp(where, deadline); }};
  }

  Hold other_hold;
  Transfers other_transfers;
  AgentServer other_server;
  net::HttpServer other_http;
};

TEST_F(TwoAgentsTest, aTreeTravelsAndTheSecondTimeNothingIsSent) {
  writeSource();
  writeFile(folder / "root/data/deep/er/file", std::string(3'000'000, 'x'));
  std::filesystem::create_directories(folder / "other/data");
  writeFile(folder / "other/data/old", "to be removed");
  for (int session = 0; session < 2; ++session) {
    auto to = await(openTransfer(other(), Role::Target, std::string(kMove), soon()));
    auto joined = await(transfer::openLink(open(Role::Source), std::move(to), std::string(kMove), scope));
    auto report = await(joined->round(transfer::RoundKind::Final, [](const transfer::TransferProgress&) {}));
    EXPECT_EQ(report.filesSent, session == 0 ? 2 : 0);
    auto [here, there] = await(joined->digests([](const transfer::TransferProgress&) {}));
    EXPECT_EQ(here.digest, there.digest);
    await(joined->close());
  }
  EXPECT_EQ(readFile(folder / "other/data/file"), "content");
  EXPECT_FALSE(std::filesystem::exists(folder / "other/data/old"));
}

}  // namespace
}  // namespace swarm::agent

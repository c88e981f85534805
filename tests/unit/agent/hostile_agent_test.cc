// A user who can run a command in a workspace can replace its agent: whatever it responds, a call ends with an Error or clean values, and
// only a bounded part of the response is accepted.
#include "support/agents/hostile_agent.h"

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "agent/client/client_responses.h"
#include "agent/client/ssh_client.h"
#include "async/notifier.h"
#include "base/text/untrusted_text.h"
#include "base/text/utf8.h"
#include "model/archive.h"
#include "protocol/ssh.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"

namespace swarm::agent {
namespace {

using test::Hostility;
using testing::HasSubstr;

/// The kernel's buffers for an unread response, and some of our own.
constexpr std::size_t kInSocketBuffers = 8 * 1024 * 1024;

class HostileAgent : public testing::TestWithParam<Hostility> {
 protected:
  AgentTarget target() {
    return {.instanceId = InstanceId("i-hostile"),
            .key = {TokenAlgorithm::Ed25519, Secret(std::string(32, 'k'))},
            .endpoint = net::HttpEndpoint(server.connector())};
  }

  /// Its error, or empty on success.
  template <typename T>
  std::optional<Error> errorOf(boost::asio::awaitable<T> call) {
    try {
      if constexpr (std::is_void_v<T>) {
        loop.run(std::move(call));
      } else {
        check(loop.run(std::move(call)));
      }
    } catch (const Error& error) {
      EXPECT_LE(error.message().size(), 2048u);
      expectPrintable(error.message());
      return error;
    }
    return std::nullopt;
  }

  static void expectPrintable(const std::string& text) { EXPECT_EQ(text, printable(text)); }
  static void check(const AgentHealth& health) {
    for (const std::string* text : {&health.reason, &health.generation, &health.held, &health.boot}) expectPrintable(*text);
  }
  static void check(const AgentHold& hold) {
    expectPrintable(hold.held);
    expectPrintable(hold.boot);
  }
  static void check(const CommandResult& result) {
    EXPECT_LE(result.stdoutText.size(), kMaxBufferedOutput + 16);
    EXPECT_TRUE(isUtf8(result.stdoutText));
  }
  static void check(const boost::json::object& report) {
    EXPECT_LE(boost::json::serialize(report).size(), kMaxArchiveNotes * 10'000);
    EXPECT_THAT(boost::json::serialize(report), testing::Not(HasSubstr("\\u001b")));
  }
  static void check(const ResourceUsage&) {}
  static void check(const AgentActivity&) {}
  static void check(std::size_t) {}
  static void check(const net::StreamPtr&) {}
  static void check(const SshTunnel& tunnel) { EXPECT_TRUE(readSshPublicKey(tunnel.hostKey)); }
  static void check(const std::unique_ptr<net::HttpExchange>&) {}

  test::TestLoop loop;
  std::size_t taken = 0;
  test::RawServer server{
      loop, [this](net::StreamPtr stream, int) -> test::awaitable<void> { taken += co_await test::respondHostile(*stream, GetParam()); }};
};

TEST_P(HostileAgent, costsTheServerNextToNothing) {
  const auto within = [] { return Deadline::after(std::chrono::seconds(15)); };
  ArchivePlaces places{.storages = {"/home/coder"}, .excluded = {}};
  bool sent = false;
  ArchiveSource source = [&sent](Deadline) -> awaitable<std::string> { co_return std::exchange(sent, true) ? "" : "archive"; };
  errorOf(getHealth(target(), within()));
  errorOf(hold(target(), "op-1", "moves", within()));
  errorOf(release(target(), within()));
  errorOf(freeze(target(), "op-1", within()));
  errorOf(thaw(target(), within()));
  errorOf(getUsage(target(), within()));
  errorOf(getActivity(target(), within()));
  errorOf(openVscodeTunnel(target(), within()));
  errorOf(openPortTunnel(target(), 3000, within()));
  errorOf(openSshTunnel(target(), {.keys = {"ssh-ed25519 AAAA"}}, within()));
  errorOf(importArchive(target(), places, false, source));
  EXPECT_LE(taken, 10 * kInSocketBuffers);
  const std::size_t before = taken;
  ExecRequest request;
  request.command = {"true"};
  errorOf(exec(target(), request, within()));
  EXPECT_LE(taken - before, kExecLimits.bytes + kInSocketBuffers);
}

TEST_P(HostileAgent, isNeverTakenForOursOrForTheCallers) {
  // A user who opens a workspace must not read that the request was wrong, or that the server failed.
  for (const auto& error : {errorOf(getHealth(target(), Deadline::after(std::chrono::seconds(15)))),
                            errorOf(getUsage(target(), Deadline::after(std::chrono::seconds(15)))),
                            errorOf(getActivity(target(), Deadline::after(std::chrono::seconds(15))))}) {
    if (!error) continue;
    EXPECT_TRUE(error->code() == ErrorCode::UpstreamFailed || error->code() == ErrorCode::Unavailable ||
                error->code() == ErrorCode::DeadlineExceeded)
        << toString(error->code()) << ": " << error->message();
  }
}

/// An agent that has taken an archive, and responds when the test says so.
class ImportingAgent : public testing::Test {
 protected:
  using Minutes = std::chrono::minutes;

  /// `health`: the body of each response to /health, which takes four minutes; another one ends the import.
  boost::json::object import(std::vector<std::string> health) {
    test::RawServer server(loop, [&, health](net::StreamPtr stream, int) -> test::awaitable<void> {
      const std::string head = co_await test::readUntil(*stream, "\r\n\r\n");
      if (head.starts_with("PUT")) {
        if (takes && !head.contains("\r\n0\r\n\r\n")) co_await test::readUntil(*stream, "0\r\n\r\n");
        while (probes <= health.size()) co_await probed.wait(probed.version(), Deadline::never());
        co_await response(*stream, R"({"files":3})");
      } else {
        now += Minutes(4);
        const std::size_t probe = probes++;
        probed.notifyAll();
        co_await response(*stream, probe < health.size() ? health[probe] : R"({"ready":true,"reason":"","generation":"g"})");
      }
    });
    AgentTarget target{.instanceId = InstanceId("i-1"),
                       .key = {TokenAlgorithm::Ed25519, Secret(std::string(32, 'k'))},
                       .endpoint = net::HttpEndpoint(server.connector())};
    bool sent = false;
    const std::size_t bytes = takes ? 100 : 64'000'000;  // more than the system holds for a connection
    ArchiveSource source = [&](Deadline) -> awaitable<std::string> {
      co_return std::exchange(sent, true) ? std::string() : std::string(bytes, 'a');
    };
    ImportPatience patience{.silence = Minutes(5), .probeInterval = std::chrono::milliseconds(1), .now = [this] { return now; }};
    return loop.run(importArchive(target, {.storages = {"/data"}, .excluded = {}}, true, source, patience));
  }
  void expectGivenUp(std::string_view health) {
    try {
      import(std::vector<std::string>(100, std::string(health)));
      FAIL() << "it was waited for";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::DeadlineExceeded);
      EXPECT_FALSE(error.retryable()) << "the import may have succeeded";
      EXPECT_THAT(error.message(), HasSubstr("has not reported progress of the import for 300 s. No files are lost"));
    }
    EXPECT_EQ(probes, 2u);
  }
  static test::awaitable<void> response(net::Stream& stream, std::string body) {
    co_await stream.writeAll("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  SteadyTime now = SteadyTime(std::chrono::hours(1));
  bool takes = true;  ///< the archive
  std::size_t probes = 0;
  async::Notifier probed;
  test::TestLoop loop;  // its coroutines, which wait for `probed`, end first
};

TEST_F(ImportingAgent, isWaitedForWhileItReportsTheImport) {
  const std::string busy = R"({"ready":false,"reason":"","generation":"","importing":true})";
  const std::string released = R"({"ready":true,"reason":"","generation":"g","importing":true})";
  EXPECT_EQ(import({busy, busy, busy, released}).at("files").as_int64(), 3);
}

TEST_F(ImportingAgent, ofAnEarlierVersionIsWaitedForWhileVscodeIsStopped) {
  const std::string busy = R"({"ready":false,"reason":"Files are being imported into this workspace.","generation":""})";
  EXPECT_EQ(import({busy, busy, busy}).at("files").as_int64(), 3);
}

TEST_F(ImportingAgent, thatReportsNoImportFailsTheRequest) {
  expectGivenUp(R"({"ready":true,"reason":"","generation":"g","importing":false})");
}

TEST_F(ImportingAgent, thatTakesNothingOfTheArchiveFailsTheRequestWhateverItReports) {
  takes = false;
  try {
    import(std::vector<std::string>(100, R"({"ready":false,"reason":"","generation":"","importing":true})"));
    FAIL() << "it was waited for";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DeadlineExceeded);
    EXPECT_THAT(error.message(), HasSubstr("has not reported progress of the import for 1800 s"));
  }
  EXPECT_EQ(probes, 8u);
}

TEST_F(ImportingAgent, thatDoesNotRespondFailsTheRequest) { expectGivenUp("nonsense"); }

INSTANTIATE_TEST_SUITE_P(All, HostileAgent, testing::ValuesIn(test::kAllHostilities), [](const auto& info) {
  std::string name(test::nameOf(info.param));
  std::erase(name, '-');
  return name;
});

class HostileResponse : public testing::Test {
 protected:
  /// The result of a call whose response has this status and body.
  template <typename Call>
  auto responded(int status, std::string body, Call call) {
    test::RawServer server(loop, [status, body](net::StreamPtr stream, int) -> test::awaitable<void> {
      co_await test::readUntil(*stream, "\r\n\r\n");
      std::string head = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
      co_await stream->writeAll(head + body);
    });
    AgentTarget target{.instanceId = InstanceId("i-hostile"),
                       .key = {TokenAlgorithm::Ed25519, Secret(std::string(32, 'k'))},
                       .endpoint = net::HttpEndpoint(server.connector())};
    return loop.run(call(std::move(target), Deadline::after(std::chrono::seconds(15))));
  }
  test::TestLoop loop;
};

TEST_F(HostileResponse, ofHealthIsAtMost16KiB) {
  auto ask = [](AgentTarget target, Deadline deadline) { return getHealth(std::move(target), deadline); };
  auto body = [](std::size_t size) {
    std::string text = R"({"ready":true,"reason":"","generation":"g","more":")";
    return text + std::string(size - text.size() - 2, 'x') + "\"}";
  };
  EXPECT_TRUE(responded(200, body(16 * 1024), ask).ready);
  try {
    responded(200, body(16 * 1024 + 1), ask);
    FAIL() << "more than 16 KiB were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::UpstreamFailed);
    EXPECT_THAT(error.message(), HasSubstr("more than 16384 bytes"));
  }
}

TEST_F(HostileResponse, ofACommandIsCutAsTheAgentItselfCutsIt) {
  auto run = [](AgentTarget target, Deadline deadline) {
    ExecRequest request;
    request.command = {"true"};
    return exec(std::move(target), std::move(request), deadline);
  };
  const std::string much(kMaxBufferedOutput, 'x');
  CommandResult whole = responded(200, R"({"exitCode":3,"stdout":")" + much + R"(","stderr":"e"})", run);
  EXPECT_EQ(whole.stdoutText, much);
  EXPECT_FALSE(whole.truncated);
  CommandResult cut = responded(200, R"({"exitCode":3,"stdout":")" + much + R"(yy","stderr":"e"})", run);
  EXPECT_EQ(cut.exitCode, 3);
  EXPECT_EQ(cut.stdoutText, much);
  EXPECT_EQ(cut.stderrText, "e");
  EXPECT_TRUE(cut.truncated);
  CommandResult within_a_character =
      responded(200, R"({"exitCode":0,"stderr":"","stdout":"x)" + std::string(much.size() / 2, 'x') + "ü" + much + R"("})", run);
  EXPECT_TRUE(isUtf8(within_a_character.stdoutText));
}

TEST_F(HostileResponse, withAReasonGivesThatReasonInBrief) {
  auto ask = [](AgentTarget target, Deadline deadline) { return getHealth(std::move(target), deadline); };
  for (auto [status, code] :
       {std::pair(503, ErrorCode::Unavailable), std::pair(409, ErrorCode::Conflict), std::pair(500, ErrorCode::UpstreamFailed)}) {
    try {
      responded(status, R"({"reason":"The disk \u001b[31mis\u202e full.)" + std::string(5000, '!') + "\"}", ask);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_THAT(error.message(), HasSubstr("The disk ␛[31mis\xef\xbf\xbd full.!!!"));
      EXPECT_LE(error.message().size(), kMaxUntrustedText);
      EXPECT_EQ(error.instance(), "i-hostile");
    }
  }
}

}  // namespace
}  // namespace swarm::agent

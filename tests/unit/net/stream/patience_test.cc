// Patience with peers: the arithmetic with a manual clock, and streams whose peer is silent.
#include "net/stream/patience.h"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>

#include "async/deadline.h"
#include "net/connect.h"
#include "net/stream/splice.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"
#include "support/net/test_certificates.h"

namespace swarm::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::TestLoop;

constexpr SteadyTime kStart{std::chrono::hours(1)};

TEST(PatienceMeter, hasNoLimitUnlessOneWasSet) {
  PatienceMeter meter;
  EXPECT_FALSE(meter.isLimited());
  meter.begin({.silence = seconds(30)});
  EXPECT_TRUE(meter.isLimited());
  meter.begin({});
  EXPECT_FALSE(meter.isLimited());
}

TEST(PatienceMeter, restartsTheSilenceWithEachByte) {
  PatienceMeter meter;
  meter.begin({.silence = seconds(30)});
  SteadyTime now = kStart;
  for (int byte = 0; byte < 100; ++byte) {
    EXPECT_EQ(meter.deadline(now), now + seconds(30));
    meter.waited(seconds(29));
    meter.received(1);
    now += seconds(29);
  }
}

TEST(PatienceMeter, givesADripLessTimeThanAnUploadThatProgresses) {
  // 1,000 bytes at a time: a peer that sends them every 9 s is faster than 100 bytes a second, one that takes 11 s is not.
  auto survives = [](seconds pause) {
    PatienceMeter meter;
    meter.begin({.silence = seconds(30), .minRate = 100});
    SteadyTime now = kStart;
    for (int piece = 0; piece < 1000; ++piece) {
      if (meter.deadline(now) < now + pause) return false;
      meter.waited(pause);
      meter.received(1000);
      now += pause;
    }
    return true;
  };
  EXPECT_TRUE(survives(seconds(9)));
  EXPECT_FALSE(survives(seconds(11)));
}

TEST(PatienceMeter, doesNotCountTimeSpentElsewhere) {
  PatienceMeter meter;
  meter.begin({.silence = seconds(30), .minRate = 100});
  meter.waited(seconds(10));
  const SteadyTime much_later = kStart + std::chrono::hours(5);
  EXPECT_EQ(meter.deadline(much_later), much_later + seconds(20));
}

struct Connection {
  explicit Connection(bool with_tls = false) {
    const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
    auto accept = [](Listener& its_listener) -> awaitable<StreamPtr> { co_return co_await its_listener.accept(); };
    client = loop.run(connectTcp({"127.0.0.1", listener->port()}, Deadline::after(seconds(10))));
    server = loop.run(accept(*listener));
    if (with_tls) secure();
  }

  void secure() {
    authority.emplace();
    const test::CertificateFiles files = authority->issue("127.0.0.1");
    const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
    auto serve = [](Listener& its_listener, std::shared_ptr<TlsContext> context, StreamPtr& stream) -> awaitable<void> {
      StreamPtr plain = co_await its_listener.accept();
      stream = co_await acceptTls(std::move(plain), std::move(context), Deadline::after(seconds(10)));
    };
    loop.spawn(serve(*listener, makeTlsServer(files.certificate, files.key), server));
    client = loop.run(connectTls({"127.0.0.1", listener->port()}, makeTlsClient({.ca = authority->ca()}), Deadline::after(seconds(10))));
    loop.runUntil([&] { return server && server->isTls(); });
  }

  IoResult read() {
    auto read_some = [](Stream& stream) -> awaitable<IoResult> {
      char piece[64];
      co_return co_await stream.readSome(asio::buffer(piece));
    };
    return loop.run(read_some(*server));
  }

  TestLoop loop;
  std::optional<test::TestAuthority> authority;
  StreamPtr client;
  StreamPtr server;
};

awaitable<void> sendText(Stream& stream, std::string text) { co_await stream.writeAll(text); }
awaitable<IoResult> sendAll(Stream& stream, std::string text) { co_return co_await stream.writeAll(text); }

class PatientStream : public testing::TestWithParam<bool> {};

TEST_P(PatientStream, givesUpOnASilentPeer) {
  Connection pair(GetParam());
  pair.server->setReadPatience({.silence = milliseconds(20)});
  EXPECT_EQ(pair.read().error, asio::error::timed_out);
  EXPECT_EQ(pair.read().error, asio::error::timed_out) << "later reads fail, too";
}

TEST_P(PatientStream, readsAgainOnceItMayWaitAgain) {
  Connection pair(GetParam());
  pair.server->setReadPatience({.silence = milliseconds(20)});
  EXPECT_EQ(pair.read().error, asio::error::timed_out);
  pair.server->setReadPatience({});
  pair.loop.run(sendText(*pair.client, "late"));
  EXPECT_EQ(pair.read().bytes, 4U);
}

TEST_P(PatientStream, canStillAnswerWhoWasTooSlow) {
  Connection pair(GetParam());
  pair.server->setReadPatience({.silence = milliseconds(20)});
  EXPECT_EQ(pair.read().error, asio::error::timed_out);
  pair.loop.run(sendText(*pair.server, "too slow"));
  EXPECT_EQ(pair.loop.run(test::readExactly(*pair.client, 8)), "too slow");
}

TEST_P(PatientStream, givesUpOnAPeerThatTakesNothing) {
  Connection pair(GetParam());
  pair.server->setWritePatience(milliseconds(20));
  const IoResult written = pair.loop.run(sendAll(*pair.server, std::string(32U << 20U, 'x')));
  EXPECT_EQ(written.error, asio::error::timed_out);
}

TEST_P(PatientStream, hasNoLimitForItsDeadlinesOthers) {
  Connection pair(GetParam());
  pair.server->setReadPatience({.silence = std::chrono::hours(1)});
  pair.server->setDeadline(std::chrono::steady_clock::now() + milliseconds(20));
  EXPECT_EQ(pair.read().error, asio::error::timed_out) << "the deadline applies in addition to the patience";
}

INSTANTIATE_TEST_SUITE_P(Of, PatientStream, testing::Bool(), [](const auto& info) { return info.param ? "tls" : "tcp"; });

TEST(PatientSplice, givesUpOnASilentSource) {
  Connection from;
  auto move = [](Stream& source, Stream& sink) -> awaitable<Spliced> { co_return co_await splice(source, sink, 1U << 20U); };
  TestLoop& loop = from.loop;
  const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
  const StreamPtr sink = loop.run(connectTcp({"127.0.0.1", listener->port()}, Deadline::after(seconds(10))));
  from.server->setReadPatience({.silence = milliseconds(20)});
  EXPECT_EQ(loop.run(move(*from.server, *sink)).read.error, asio::error::timed_out);
}

TEST(PeerState, distinguishesAHalfClosedPeerFromADisconnectedOne) {
  Connection pair;
  auto end = [](Stream& stream) -> awaitable<void> { co_await stream.shutdownWrite(); };
  EXPECT_EQ(pair.server->peerState(), PeerState::Open);
  pair.loop.run(sendText(*pair.client, "unread"));
  EXPECT_EQ(pair.server->peerState(), PeerState::Open);
  pair.loop.run(end(*pair.client));
  EXPECT_EQ(pair.server->peerState(), PeerState::HalfClosed) << "also with unread bytes";
  pair.client->abort();
  EXPECT_EQ(pair.server->peerState(), PeerState::Gone);
}

TEST(PeerState, countsWhatTheSystemTook) {
  Connection pair;
  pair.loop.run(sendText(*pair.server, "12345"));
  EXPECT_EQ(pair.server->bytesSent(), 5U);
}

}  // namespace
}  // namespace swarm::net

// Bodies through the proxy: streamed in both directions, in bounded memory, with back pressure.
#include <boost/asio/redirect_error.hpp>

#include "support/memory_use.h"
#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

// AddressSanitizer keeps 256 MiB of freed memory.
#if __has_feature(address_sanitizer)
constexpr std::size_t kRoom = 300U << 20U;
#else
constexpr std::size_t kRoom = 16U << 20U;
#endif

using Streaming = GatewayTest;

TEST_F(Streaming, streamsChunksAndEventStreamsAtOnce) {
  run([&]() -> awaitable<void> {
    asio::steady_timer go(context_, asio::steady_timer::time_point::max());
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
      for (const auto* piece : {"5\r\nfirst\r\n", "6\r\nsecond\r\n0\r\nX-Trailer: gone\r\n\r\n"}) {
        boost::system::error_code ignored;
        co_await go.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        go.expires_at(asio::steady_timer::time_point::max());
        co_await stream.writeAll(std::string_view(piece));
      }
    };
    auto client = co_await connect();
    co_await client.send(get("/"));
    const auto head = co_await client.readThrough("\r\n\r\n");  // before any of the body
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\nTransfer-Encoding: chunked\r\n\r\n")) << head;
    go.cancel();
    EXPECT_EQ(co_await client.readExactly(10), "5\r\nfirst\r\n");
    go.cancel();
    EXPECT_EQ(co_await client.readExactly(16), "6\r\nsecond\r\n0\r\n\r\n");
  });
}

TEST_F(Streaming, relaysInterimResponsesAndThoseWithoutABody) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    application_->script = application_->responding("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ((co_await client.ask(get("/"))).status, 204);
    EXPECT_EQ(client.interim, 1);
    auto other = co_await connect();
    application_->script = application_->responding("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const auto head = co_await other.ask(request("HEAD /", "Cookie: " + instanceCookie(ada_.principal, "1.ws") + "\r\n", "1.ws"), "HEAD");
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(head.complete);
    EXPECT_EQ(head.header("Content-Length"), "1000");
    application_->script = application_->responding("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
    auto third = co_await connect();
    EXPECT_EQ((co_await third.ask(get("/", {}, "2.ws"))).status, 304);
    EXPECT_EQ((co_await third.ask(get("/", {}, "2.ws"))).status, 304);
  });
}

TEST_F(Streaming, refusesAnApplicationThatSendsOnlyInterimResponses) {
  run([&]() -> awaitable<void> {
    std::string endless;
    for (int i = 0; i <= net::kMaxInterimResponses; ++i) endless += "HTTP/1.1 103 Early Hints\r\n\r\n";
    application_->script = application_->responding(endless);
    for (const std::string version : {"1.0", "1.1"}) {
      auto client = co_await connect();
      auto ask = get("/");
      ask.replace(ask.find("HTTP/1.1"), 8, "HTTP/" + version);
      const auto response = co_await client.ask(ask);
      EXPECT_EQ(response.status, 502) << version;
      EXPECT_NE(response.body.find("only interim responses"), std::string::npos) << response.body;
    }
  });
}

TEST_F(Streaming, handlesExpectContinue) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      const auto head = co_await application_->readHead(stream, buffer);
      EXPECT_EQ(head.find("Expect"), std::string::npos);
      net::BodyReader body(stream, buffer, {.kind = net::BodyKind::Length, .length = 4});
      const auto text = co_await net::readAll(body, 10);
      co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + text));
    };
    auto client = co_await connect();
    co_await client.send(
        request("PUT /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(co_await client.readExactly(25), "HTTP/1.1 100 Continue\r\n\r\n");
    co_await client.send("body");
    EXPECT_EQ((co_await client.receive()).body, "body");
  });
}

TEST_F(Streaming, streamsALargeUploadAndItsEchoInBoundedMemory) {
  constexpr std::size_t kTotal = 100U << 20U;
  for (const bool chunked : {false, true}) {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      const auto text = co_await application_->readHead(stream, buffer);
      net::RequestHead head;
      EXPECT_TRUE(net::parseRequestHead(text, head));
      net::BodyReader body(stream, buffer, head.body);
      co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kTotal) + "\r\n\r\n"));
      std::vector<char> piece(64 * 1024);
      for (;;) {
        const auto read = co_await body.readSome(asio::buffer(piece));
        if (read.error || read.bytes == 0) break;
        co_await stream.writeAll(std::string_view(piece.data(), read.bytes));
      }
      (void)co_await application_->readHead(stream, buffer);
    };
    run([&]() -> awaitable<void> {
      const auto before = test::residentBytes();
      auto client = co_await connect();
      bool sent = false;
      asio::co_spawn(
          context_,
          [&]() -> awaitable<void> {
            const std::string piece(256 * 1024, 'x');
            co_await client.send(request(
                "POST /", "Cookie: " + instanceCookie(ada_.principal) +
                              (chunked ? "\r\nTransfer-Encoding: chunked\r\n" : "\r\nContent-Length: " + std::to_string(kTotal) + "\r\n")));
            for (std::size_t i = 0; i < kTotal; i += piece.size()) co_await client.send(chunked ? "40000\r\n" + piece + "\r\n" : piece);
            if (chunked) co_await client.send("0\r\n\r\n");
            sent = true;
          },
          asio::detached);
      net::ReadBuffer buffer;
      const auto size = co_await net::readHead(client.stream(), buffer);
      EXPECT_TRUE(size && *size > 0);
      buffer.consume(*size);
      net::BodyReader body(client.stream(), buffer, {.kind = net::BodyKind::Length, .length = kTotal});
      std::vector<char> piece(64 * 1024);
      std::size_t got = 0;
      for (;;) {
        const auto read = co_await body.readSome(asio::buffer(piece));
        EXPECT_FALSE(read.error) << read.error.message();
        if (read.error || read.bytes == 0) break;
        got += read.bytes;
      }
      EXPECT_EQ(got, kTotal);
      EXPECT_TRUE(sent);
      EXPECT_LT(test::residentBytes(), before + kRoom);
    });
    if (HasFailure()) break;
    rebuildGateway({});
    context_.restart();
  }
}

TEST_F(Streaming, readsNoFasterThanTheClient) {
  run([&]() -> awaitable<void> {
    std::size_t written = 0;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"));
      const std::string piece(256 * 1024, 'x');
      for (;;) {
        if ((co_await stream.writeAll(piece)).error) co_return;
        written += piece.size();
      }
    };
    auto client = co_await connect();
    co_await client.send(get("/"));
    std::size_t last = 1;
    // The transfer has stopped when no byte has moved for a while; the sockets' buffers are full.
    EXPECT_TRUE(co_await eventually([&, still = 0]() mutable {
      still = written == last ? still + 1 : 0;
      last = written;
      return written > 0 && still > 100;
    }));
    EXPECT_LT(written, 64U << 20U);
    client.stream().close();
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0; }));
  });
}

TEST_F(Streaming, forwardsAnEarlyRefusalOfALargeUpload) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig"));
    };
    auto client = co_await connect();
    bool stop = false;
    asio::co_spawn(
        context_,
        [&]() -> awaitable<void> {
          const std::string piece(64 * 1024, 'x');
          (void)co_await client.stream().writeAll(
              request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nContent-Length: 1073741824\r\n"));
          while (!stop && !(co_await client.stream().writeAll(piece)).error) co_await asio::post(asio::use_awaitable);
        },
        asio::detached);
    const auto response = co_await client.receive();
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(response.body, "big");
    stop = true;
    client.stream().close();
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().openExchanges == 0; }));
  });
}

TEST_F(Streaming, endsTheUpstreamRequestWhenTheClientIsCutInItsUpload) {
  run([&]() -> awaitable<void> {
    bool cut = false;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      net::BodyReader body(stream, buffer, {.kind = net::BodyKind::Length, .length = 1'000'000});
      std::vector<char> piece(64 * 1024);
      for (;;) {
        const auto read = co_await body.readSome(asio::buffer(piece));
        cut = static_cast<bool>(read.error);
        if (read.error || read.bytes == 0) co_return;
      }
    };
    auto client = co_await connect();
    co_await client.send(request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nContent-Length: 1000000\r\n") +
                         std::string(100'000, 'x'));
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 1; }));
    client.stream().close();
    EXPECT_TRUE(co_await eventually([&] { return cut && application_->open == 0; }));
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

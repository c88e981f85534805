// The proxy: requests forwarded and answered, bodies streamed both ways, connections kept, failures told honestly.
#include <boost/asio/redirect_error.hpp>
#include <fstream>

#include "harness.h"

namespace swarm::gateway::testing {
namespace {

// AddressSanitizer keeps what was freed, 256 MiB of it.
#if __has_feature(address_sanitizer)
constexpr std::size_t kRoom = 300U << 20U;
#else
constexpr std::size_t kRoom = 16U << 20U;
#endif

std::size_t residentBytes() {
  std::ifstream in("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * 4096;
}

using Proxying = GatewayTest;

TEST_F(Proxying, forwardsARequestAndItsAnswer) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    const auto answer = co_await client.ask(get("/path?q=1", "Authorization: Bearer app\r\n"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(application_->heads.size(), 1U);
    EXPECT_EQ(application_->heads.at(0),
              "GET /path?q=1 HTTP/1.1\r\nHost: " + hostName("ws") +
                  "\r\nAuthorization: Bearer app\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: " + hostName("ws") +
                  "\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: " + std::to_string(server_->port()) + "\r\n\r\n");
    EXPECT_EQ(application_->ports.at(0), 0);
  });
}

TEST_F(Proxying, reachesAPortByItsOwnHost) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/", {}, "8080.ws"))).body, "hello");
    EXPECT_EQ(application_->ports.at(0), 8080);
  });
}

TEST_F(Proxying, keepsConnectionsOnBothSidesAndVerifiesACookieOnce) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    for (int i = 0; i < 20; ++i) EXPECT_EQ((co_await client.ask(get("/"))).body, "hello");
    EXPECT_EQ(application_->connections, 1);
    EXPECT_EQ(auth_.cookiesVerified, 1);
  });
}

TEST_F(Proxying, answersPipelinedRequestsInOrder) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      for (;;) {
        const auto head = co_await application_->readHead(stream, buffer);
        if (head.empty()) co_return;
        const auto path = head.substr(4, 2);
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + path));
      }
    };
    auto client = co_await connect();
    co_await client.send(get("/1") + get("/2") + get("/3"));
    for (const auto* path : {"/1", "/2", "/3"}) EXPECT_EQ((co_await client.receive()).body, path);
  });
}

TEST_F(Proxying, retriesOnceWhenAKeptConnectionHasGoneStale) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int connection) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection)));
      // The first connection reads the second request and dies without a word.
      if (connection == 1) (void)co_await application_->readHead(stream, buffer);
    };
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).body, "1");
    EXPECT_EQ((co_await client.ask(get("/"))).body, "2");
    EXPECT_EQ(gateway_->counters().retries, 1U);
  });
}

TEST_F(Proxying, sendsAPostOnceMoreWhenAKeptConnectionEndedWithoutAByte) {
  run([&]() -> awaitable<void> {
    std::vector<std::string> bodies;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int connection) -> awaitable<void> {
      for (;;) {
        const auto head = co_await application_->readHead(stream, buffer);
        if (head.empty()) co_return;
        if (head.starts_with("POST")) {
          net::BodyReader body(stream, buffer, {.kind = net::BodyKind::Length, .length = 2});
          bodies.push_back(co_await net::readAll(body, 2));
          if (connection == 1) co_return;
        }
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
      }
    };
    const auto post = request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nContent-Length: 2\r\n") + "ab";
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ((co_await client.ask(post)).status, 200);
    EXPECT_EQ(bodies, (std::vector<std::string>{"ab", "ab"}));
    EXPECT_EQ(gateway_->counters().retries, 1U);
  });
}

TEST_F(Proxying, repeatsNothingOnANewConnectionOrAfterTheFirstByte) {
  run([&]() -> awaitable<void> {
    std::string last_words;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      auto head = co_await application_->readHead(stream, buffer);
      if (head.starts_with("GET /first")) {
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        (void)co_await application_->readHead(stream, buffer);
      }
      co_await stream.writeAll(last_words);
    };
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 502);
    EXPECT_EQ(application_->connections, 1);
    last_words = "HTTP/1.1 ";
    EXPECT_EQ((co_await client.ask(get("/first"))).status, 200);
    EXPECT_EQ((co_await client.ask(get("/"))).status, 502);
    EXPECT_EQ(application_->connections, 2);
    EXPECT_EQ(gateway_->counters().retries, 0U);
  });
}

TEST_F(Proxying, sendsABodyThatItCanNotRepeatOverANewConnection) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      for (;;) {
        const auto text = co_await application_->readHead(stream, buffer);
        if (text.empty()) co_return;
        net::RequestHead head;
        EXPECT_TRUE(net::parseRequestHead(text, head));
        net::BodyReader body(stream, buffer, head.body);
        (void)co_await net::readAll(body, 100);
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
      }
    };
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    const auto post = request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nTransfer-Encoding: chunked\r\n");
    EXPECT_EQ((co_await client.ask(post + "2\r\nab\r\n0\r\n\r\n")).status, 200);
    EXPECT_EQ(application_->connections, 2);
  });
}

TEST_F(Proxying, keepsAConnectionNoLongerThanTheApplicationSays) {
  run([&]() -> awaitable<void> {
    application_->script = application_->answering("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 0\r\n\r\n");
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    clock_.advance(std::chrono::milliseconds(1500));
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 1);
    clock_.advance(std::chrono::milliseconds(2500));
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 2);
    application_->script = application_->answering("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n");
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ((co_await client.ask(get("/", {}, "1.ws"))).status, 200);
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().idleConnections == 0; }));
  });
}

TEST_F(Proxying, asksWhetherAKeptConnectionIsOpenBeforeItPosts) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int connection) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection)));
    };
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).body, "1");
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0; }));
    const auto answer =
        co_await client.ask(request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nContent-Length: 2\r\n") + "ab");
    EXPECT_EQ(answer.body, "2");
  });
}

TEST_F(Proxying, closesTheClientWhenAnAnswerBreaksOff) {
  run([&]() -> awaitable<void> {
    for (const std::string framing : {"Content-Length: 100", "Transfer-Encoding: chunked"}) {
      application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
        (void)co_await application_->readHead(stream, buffer);
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\n" + framing + "\r\n\r\n5\r\nhello\r\n"));
      };
      auto client = co_await connect();
      const auto answer = co_await client.ask(get("/"));
      EXPECT_EQ(answer.status, 200);
      EXPECT_FALSE(answer.complete) << framing;
      EXPECT_TRUE(co_await client.isClosed());
    }
  });
}

TEST_F(Proxying, passesOnWhatBrowsersTake) {
  const std::string many = [] {
    std::string fields;
    for (int i = 0; i < 500; ++i) fields += "X-" + std::to_string(i) + ": y\r\n";
    return fields;
  }();
  const std::vector<std::pair<std::string, std::string>> cases{
      {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", ""},
      {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
      {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "hello"},
      {"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n", "hello"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "hello"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello", "hello"},
      {"HTTP/1.1 200 OK\r\n" + many + "Content-Length: 5\r\n\r\nhello", "hello"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5   \r\nhello\r\n000\r\n\r\n", "hello"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: " + std::string(3000, 'x') + "\r\n\r\n",
       "hello"},
  };
  run([&]() -> awaitable<void> {
    int port = 1;
    for (const auto& [text, body] : cases) {
      application_->script = application_->answering(text);
      const auto host = std::to_string(port++) + ".ws";
      auto client = co_await connect();
      for (int turn = 0; turn < 2; ++turn) {
        const auto answer = co_await client.ask(get("/", {}, host));
        EXPECT_LT(answer.status, 400) << text.substr(0, 200) << answer.body;
        EXPECT_EQ(answer.body, body) << text.substr(0, 200);
        EXPECT_TRUE(answer.complete) << text.substr(0, 200);
      }
    }
  });
}

TEST_F(Proxying, passesOddAddressesOnAsTheyAre) {
  run([&]() -> awaitable<void> {
    for (const std::string& path :
         {std::string("/100%.txt"), std::string("//a"), std::string("//other.example/b"), "/" + std::string(17'000, 'x')}) {
      auto client = co_await connect();
      EXPECT_EQ((co_await client.ask(get(path))).status, 200) << path.substr(0, 50);
      EXPECT_TRUE(application_->heads.back().starts_with("GET " + path + " HTTP/1.1\r\n")) << path.substr(0, 50);
    }
  });
}

TEST_F(Proxying, refusesOddAddressesOfItsOwnHostInItsOwnWay) {
  run([&]() -> awaitable<void> {
    for (const std::string path : {"/api/100%.txt", "//a"}) {
      auto client = co_await connect();
      const auto page = co_await client.ask(request("GET " + path, "Accept: text/html\r\n", ""));
      EXPECT_EQ(page.status, 400);
      EXPECT_NE(page.body.find("two slashes"), std::string::npos) << page.body;
      const auto problem = co_await client.ask(request("GET " + path, "X-Request-Id: mine\r\n", ""));
      EXPECT_EQ(problem.status, 400);
      EXPECT_EQ(problem.header("X-Request-Id"), "mine");
      EXPECT_NE(problem.body.find("\"requestId\":\"mine\""), std::string::npos) << problem.body;
    }
    auto other = co_await connect();
    const auto foreign = co_await other.ask("GET / HTTP/1.1\r\nHost: 192.168.1.7:7420\r\nAccept: text/html\r\n\r\n");
    EXPECT_EQ(foreign.status, 421);
    EXPECT_TRUE(foreign.header("Content-Type").starts_with("text/html"));
    auto third = co_await connect();
    const auto too_long = co_await third.ask(request("GET /" + std::string(40'000, 'x'), "Accept: text/html\r\n"));
    EXPECT_EQ(too_long.status, 414);
    EXPECT_TRUE(too_long.header("Content-Type").starts_with("text/html"));
  });
}

TEST_F(Proxying, tellsWhyAnAnswerIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "Content-Length is malformed or repeated"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "The only Transfer-Encoding understood is chunked"},
      {"HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n", "A header field's name is malformed"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", "larger than 64 KiB"},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "another protocol"},
  };
  run([&]() -> awaitable<void> {
    int port = 1;
    for (const auto& [text, reason] : cases) {
      application_->script = application_->answering(text);
      auto client = co_await connect();
      const auto answer = co_await client.ask(get("/", {}, std::to_string(port++) + ".ws"));
      EXPECT_EQ(answer.status, 502) << text.substr(0, 200);
      EXPECT_NE(answer.body.find(reason), std::string::npos) << answer.body;
    }
  });
}

TEST_F(Proxying, tellsOfAProgramThatWantsHttps) {
  run([&]() -> awaitable<void> {
    // What OpenSSL does: an alert for a hello it does not like, and not a byte for plain HTTP.
    application_->script = [](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      const auto got = co_await stream.readSome(buffer.prepare(1024));
      buffer.commit(got.bytes);
      if (buffer.data().starts_with('\x16')) co_await stream.writeAll(std::string_view("\x15\x03\x03\0\x02\x02\x28", 7));
    };
    auto client = co_await connect();
    const auto page = co_await client.ask(get("/", "Accept: text/html\r\n", "5173.ws"));
    EXPECT_EQ(page.status, 502);
    EXPECT_NE(page.body.find("Port 5173 speaks HTTPS"), std::string::npos) << page.body;
  });
}

TEST_F(Proxying, tellsWhyAPortDoesNotAnswer) {
  run([&]() -> awaitable<void> {
    application_->refuse = "Nothing listens on port 8080.";
    auto client = co_await connect();
    const auto page = co_await client.ask(get("/", "Accept: text/html\r\n", "8080.ws"));
    EXPECT_EQ(page.status, 502);
    EXPECT_NE(page.body.find("Nothing listens on port 8080."), std::string::npos);
    const auto problem = co_await client.ask(get("/", {}, "8080.ws"));
    EXPECT_EQ(problem.status, 502);
    EXPECT_EQ(problem.header("Content-Type"), "application/problem+json");
  });
}

TEST_F(Proxying, streamsChunksAndEventStreamsAtOnce) {
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

TEST_F(Proxying, relaysInterimAnswersAndBodilessOnes) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    application_->script = application_->answering("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ((co_await client.ask(get("/"))).status, 204);
    EXPECT_EQ(client.interim, 1);
    auto other = co_await connect();
    application_->script = application_->answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const auto head = co_await other.ask(request("HEAD /", "Cookie: " + instanceCookie(ada_.principal, "1.ws") + "\r\n", "1.ws"), "HEAD");
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(head.complete);
    EXPECT_EQ(head.header("Content-Length"), "1000");
    application_->script = application_->answering("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
    auto third = co_await connect();
    EXPECT_EQ((co_await third.ask(get("/", {}, "2.ws"))).status, 304);
    EXPECT_EQ((co_await third.ask(get("/", {}, "2.ws"))).status, 304);
  });
}

TEST_F(Proxying, answersExpectContinueItself) {
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

TEST_F(Proxying, streamsALargeUploadAndItsEchoInBoundedMemory) {
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
      const auto before = residentBytes();
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
      EXPECT_LT(residentBytes(), before + kRoom);
    });
    if (HasFailure()) break;
    rebuildGateway({});
    context_.restart();
  }
}

TEST_F(Proxying, readsNoFasterThanTheClientTakes) {
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
    // The flow has stopped once nothing has moved for a while; the sockets' buffers have taken what they take.
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

TEST_F(Proxying, passesAnEarlyRefusalOfALargeUploadOn) {
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
    const auto answer = co_await client.receive();
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.body, "big");
    stop = true;
    client.stream().close();
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().openExchanges == 0; }));
  });
}

TEST_F(Proxying, endsTheUpstreamRequestWhenTheClientIsCutInItsUpload) {
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

TEST_F(Proxying, refusesHugeHeads) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/", "X-Big: " + std::string(30'000, 'x') + "\r\n"))).status, 200);
    auto other = co_await connect();
    EXPECT_EQ((co_await other.ask(get("/", "X-Big: " + std::string(80'000, 'x') + "\r\n"))).status, 431);
    auto third = co_await connect();
    EXPECT_EQ((co_await third.ask(request("CONNECT /", "Cookie: " + instanceCookie(ada_.principal) + "\r\n"))).status, 501);
    EXPECT_EQ(application_->heads.size(), 1U);
  });
}

TEST_F(Proxying, keepsNoBuffersOnceItIsQuiet) {
  rebuildGateway({.sweepInterval = std::chrono::milliseconds(500)});
  run([&]() -> awaitable<void> {
    application_->script = application_->answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).body, "x");
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().spareBuffers == 1; }));
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().spareBuffers == 0; }));
    EXPECT_EQ((co_await client.ask(get("/"))).body, "x");
  });
}

TEST_F(Proxying, closesIdleConnectionsInTime) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(gateway_->counters().idleConnections, 1U);
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 2);
    clock_.advance(std::chrono::seconds(10));
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().idleConnections == 0; }));
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

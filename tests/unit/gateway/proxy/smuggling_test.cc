// Request smuggling through the gateway: raw bytes in, and what reaches the application compared byte by byte. Input that two parsers might
// read differently is refused, and no byte of it reaches the application.
#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

class Smuggling : public GatewayTest {
 protected:
  Smuggling() {
    // Records everything that arrives, and responds to each complete head, so that a second, smuggled request would be visible.
    application_->script = [this](net::Stream& stream, net::ReadBuffer&, int) -> awaitable<void> {
      std::vector<char> piece(64 * 1024);
      for (;;) {
        const auto read = co_await stream.readSome(asio::buffer(piece));
        if (read.error) co_return;
        arrived_.append(piece.data(), read.bytes);
        if (arrived_.ends_with("\r\n\r\n") || arrived_.ends_with(kBody))
          co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
      }
    };
  }

  std::string cookie() { return "Cookie: " + instanceCookie(ada_.principal) + "\r\n"; }
  std::string host() { return "Host: " + hostName("ws") + "\r\n"; }
  std::string forwarded() {
    return "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: " + hostName("ws") +
           "\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: " + std::to_string(server_->port()) + "\r\n";
  }

  static constexpr std::string_view kBody = "<end>";
  std::string arrived_;
};

TEST_F(Smuggling, refusesRequestsThatTwoParsersMightReadDifferently) {
  run([&]() -> awaitable<void> {
    const std::string start = "POST / HTTP/1.1\r\n";
    const std::string hidden = "GET /hidden HTTP/1.1\r\n" + host() + "\r\n";
    const std::vector<std::string> cases{
        start + host() + cookie() + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "Transfer-Encoding: gzip\r\n\r\n" + hidden,
        start + host() + cookie() + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + cookie() + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n<end>" + hidden,
        start + host() + cookie() + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n<end>" + hidden,
        start + host() + cookie() + "Content-Length: 5, 6\r\n\r\n<end>" + hidden,
        start + host() + cookie() + "Content-Length: +5\r\n\r\n<end>" + hidden,
        start + host() + cookie() + "Content-Length: 0x5\r\n\r\n<end>" + hidden,
        start + host() + cookie() + "Content-Length: 5 \x0b\r\n\r\n<end>" + hidden,
        start + host() + cookie() + "Content-Length: -1\r\n\r\n<end>" + hidden,
        start + host() + cookie() + "Content-Length: 99999999999999999999\r\n\r\n<end>" + hidden,
        "POST / HTTP/1.0\r\n" + host() + cookie() + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        start + host() + host() + cookie() + "\r\n",
        start + cookie() + "\r\n",
        "GET http://other.localhost/ HTTP/1.1\r\n" + host() + cookie() + "\r\n",
        "GET //../etc HTTP/1.1\r\n" + host() + cookie() + "\r\n",
        "GET /../etc HTTP/1.1\r\n" + host() + cookie() + "\r\n",
        "GET /%2e%2e/etc HTTP/1.1\r\n" + host() + cookie() + "\r\n",
        "GET /a\\b HTTP/1.1\r\n" + host() + cookie() + "\r\n",
        "GET / HTTP/1.1\r\n" + host() + cookie() + std::string("X: a\0b\r\n\r\n", 10),
        "GET / HTTP/2.0\r\n" + host() + cookie() + "\r\n",
        "GET /\tb HTTP/1.1\r\n" + host() + cookie() + "\r\n",
        "\r\nGET / HTTP/1.1\r\n" + host() + cookie() + "\r\n",
    };
    for (const auto& bytes : cases) {
      auto client = co_await connect();
      (void)co_await client.stream().writeAll(bytes);
      const auto response = co_await client.receive();
      EXPECT_GE(response.status, 400) << bytes;
      EXPECT_FALSE(response.keepAlive) << bytes;
      EXPECT_EQ(arrived_, "") << bytes;
      arrived_.clear();
    }
    EXPECT_EQ(application_->connections, 0);
  });
}

TEST_F(Smuggling, endsARequestWhoseChunksAreBad) {
  run([&]() -> awaitable<void> {
    const std::string hidden = "GET /hidden HTTP/1.1\r\n" + host() + cookie() + "\r\n";
    for (const std::string chunks : {"5\r\n<end>0\r\n\r\n", "5 \r\n<end>\r\n0\r\n\r\n", "0x5\r\n<end>\r\n0\r\n\r\n",
                                     "-5\r\n<end>\r\n0\r\n\r\n", "5\n<end>\n0\n\n", "ffffffffffffffff1\r\n", ";\r\n"}) {
      auto client = co_await connect();
      (void)co_await client.stream().writeAll("POST / HTTP/1.1\r\n" + host() + cookie() + "Transfer-Encoding: chunked\r\n\r\n" + chunks +
                                              hidden);
      (void)co_await client.receive();
      EXPECT_TRUE(co_await client.isClosed()) << chunks;
      EXPECT_EQ(arrived_.find("hidden"), std::string::npos) << chunks;
      arrived_.clear();
    }
  });
}

TEST_F(Smuggling, normalizesEachAcceptedRequest) {
  run([&]() -> awaitable<void> {
    const std::string target = "POST /a HTTP/1.1\r\n" + host();
    const std::vector<std::pair<std::string, std::string>> cases{
        // The chunk framing is replaced: extensions and trailers are dropped.
        {"Transfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\n<end>\r\n0\r\nX-Trailer: evil\r\n\r\n",
         forwarded() + "Transfer-Encoding: chunked\r\n\r\n5\r\n<end>\r\n0\r\n\r\n"},
        {"content-LENGTH:5\r\n\r\n<end>", forwarded() + "Content-Length: 5\r\n\r\n<end>"},
        {"Connection: Content-Length\r\nContent-Length: 5\r\n\r\n<end>", forwarded() + "Content-Length: 5\r\n\r\n<end>"},
        {"Content_Length: 50\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n<end>",
         forwarded() + "Content-Length: 5\r\n\r\n<end>"},
    };
    for (const auto& [fields, expected] : cases) {
      auto client = co_await connect();
      co_await client.send(target + cookie() + fields);
      EXPECT_EQ((co_await client.receive()).body, "ok") << fields;
      EXPECT_EQ(arrived_, target + expected) << fields;
      arrived_.clear();
      // The next request on the same connections is read from its own beginning.
      EXPECT_EQ((co_await client.ask(get("/next"))).body, "ok") << fields;
      EXPECT_EQ(arrived_, "GET /next HTTP/1.1\r\n" + host() + forwarded() + "\r\n") << fields;
      arrived_.clear();
    }
  });
}

TEST_F(Smuggling, refusesResponsesThatCanBeReadInTwoWays) {
  run([&]() -> awaitable<void> {
    for (const std::string response :
         {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "garbage\r\n\r\n"}) {
      application_->script = application_->responding(response);
      auto client = co_await connect();
      EXPECT_EQ((co_await client.ask(get("/"))).status, 502) << response;
    }
    // A response that was repaired ends its connection.
    application_->script = application_->responding(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
        "4\r\n\r\nevil");
    auto mended = co_await connect();
    EXPECT_EQ((co_await mended.ask(get("/"))).body, "ok");
    EXPECT_EQ((co_await mended.ask(get("/"))).body, "ok");
    // Bytes after a response belong to no request: that connection is not used again.
    application_->script =
        application_->responding("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).body, "ok");
    EXPECT_EQ((co_await client.ask(get("/"))).body, "ok");
  });
}

}  // namespace
}  // namespace swarm::gateway::testing

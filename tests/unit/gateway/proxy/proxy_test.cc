// The proxy: forwards requests and responses, forwards or refuses odd ones, reports failures with their reason.
#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

using Proxying = GatewayTest;

TEST_F(Proxying, forwardsARequestAndItsResponse) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    const auto response = co_await client.ask(get("/path?q=1", "Authorization: Bearer app\r\n"));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
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

TEST_F(Proxying, closesTheClientsConnectionWhenAResponseIsTruncated) {
  run([&]() -> awaitable<void> {
    for (const std::string framing : {"Content-Length: 100", "Transfer-Encoding: chunked"}) {
      application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
        (void)co_await application_->readHead(stream, buffer);
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\n" + framing + "\r\n\r\n5\r\nhello\r\n"));
      };
      auto client = co_await connect();
      const auto response = co_await client.ask(get("/"));
      EXPECT_EQ(response.status, 200);
      EXPECT_FALSE(response.complete) << framing;
      EXPECT_TRUE(co_await client.isClosed());
    }
  });
}

TEST_F(Proxying, forwardsResponsesThatBrowsersAccept) {
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
      application_->script = application_->responding(text);
      const auto host = std::to_string(port++) + ".ws";
      auto client = co_await connect();
      for (int turn = 0; turn < 2; ++turn) {
        const auto response = co_await client.ask(get("/", {}, host));
        EXPECT_LT(response.status, 400) << text.substr(0, 200) << response.body;
        EXPECT_EQ(response.body, body) << text.substr(0, 200);
        EXPECT_TRUE(response.complete) << text.substr(0, 200);
      }
    }
  });
}

TEST_F(Proxying, forwardsOddAddressesUnchanged) {
  run([&]() -> awaitable<void> {
    for (const std::string& path :
         {std::string("/100%.txt"), std::string("//a"), std::string("//other.example/b"), "/" + std::string(17'000, 'x')}) {
      auto client = co_await connect();
      EXPECT_EQ((co_await client.ask(get(path))).status, 200) << path.substr(0, 50);
      EXPECT_TRUE(application_->heads.back().starts_with("GET " + path + " HTTP/1.1\r\n")) << path.substr(0, 50);
    }
  });
}

TEST_F(Proxying, refusesOddAddressesOfTheBaseHost) {
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
    EXPECT_NE(foreign.header("X-Request-Id"), "");
    auto third = co_await connect();
    const auto too_long = co_await third.ask(request("GET /" + std::string(40'000, 'x'), "Accept: text/html\r\n"));
    EXPECT_EQ(too_long.status, 414);
    EXPECT_TRUE(too_long.header("Content-Type").starts_with("text/html"));
  });
}

TEST_F(Proxying, reportsWhyAResponseIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "Content-Length is malformed or repeated"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "The only supported Transfer-Encoding is chunked"},
      {"HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n", "A header field's name is malformed"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", "larger than 64 KiB"},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "another protocol"},
  };
  run([&]() -> awaitable<void> {
    int port = 1;
    for (const auto& [text, reason] : cases) {
      application_->script = application_->responding(text);
      auto client = co_await connect();
      const auto response = co_await client.ask(get("/", {}, std::to_string(port++) + ".ws"));
      EXPECT_EQ(response.status, 502) << text.substr(0, 200);
      EXPECT_NE(response.body.find(reason), std::string::npos) << response.body;
    }
  });
}

TEST_F(Proxying, reportsAProgramThatExpectsHttps) {
  run([&]() -> awaitable<void> {
    // The behaviour of OpenSSL: an alert for a hello that it does not accept, and no byte for plain HTTP.
    application_->script = [](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      const auto got = co_await stream.readSome(buffer.prepare(1024));
      buffer.commit(got.bytes);
      if (buffer.data().starts_with('\x16')) co_await stream.writeAll(std::string_view("\x15\x03\x03\0\x02\x02\x28", 7));
    };
    auto client = co_await connect();
    const auto page = co_await client.ask(get("/", "Accept: text/html\r\n", "5173.ws"));
    EXPECT_EQ(page.status, 502);
    EXPECT_NE(page.body.find("Port 5173 expects HTTPS"), std::string::npos) << page.body;
  });
}

TEST_F(Proxying, reportsWhyAPortIsClosed) {
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

}  // namespace
}  // namespace swarm::gateway::testing

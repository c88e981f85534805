// The program as users run it: what it prints, that it responds, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/awaitable.h"
#include "net/http/http_client.h"
#include "support/coroutine_test.h"
#include "support/temp_dir.h"
#include "unit/emulator/program/program.h"

namespace swarm::emulator {
namespace {

using ::testing::HasSubstr;

int statusOf(std::uint16_t port, std::string host, std::string target, net::Headers headers) {
  net::HttpRequest request;
  request.target = std::move(target);
  request.headers = std::move(headers);
  return test::run([](std::uint16_t to, std::string name, net::HttpRequest what) -> async::awaitable<int> {
    net::HttpClient client([to](Deadline deadline) { return net::connectTcp({"127.0.0.1", to}, deadline); }, {.host = name, .name = name});
    net::HttpResponse response = co_await client.send(std::move(what), Deadline::after(std::chrono::seconds(20)));
    co_return response.status;
  }(port, std::move(host), std::move(request)));
}

std::vector<std::string> freePorts() {
  return {"--backend", "memory", "--token", "secret", "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0"};
}

TEST(FlyEmulatorProcess, saysWhereItAnswersAndEndsAtSigtermWithZero) {
  Program program(freePorts());
  std::string text = program.readUntil("ready");
  std::uint16_t api = numberAfter(text, "Machines API  http://127.0.0.1:");
  std::uint16_t edge = numberAfter(text, ".fly.localhost:");
  EXPECT_EQ(statusOf(api, "127.0.0.1", "/v1/apps?org_slug=personal", {{"Authorization", "Bearer secret"}}), 200);
  EXPECT_EQ(statusOf(api, "127.0.0.1", "/v1/apps?org_slug=personal", {{"Authorization", "Bearer wrong"}}), 401);
  EXPECT_EQ(statusOf(edge, "none.fly.localhost", "/", {}), 404);
  program.signal(SIGTERM);
  EXPECT_EQ(program.waitForExit(), 0);
}

TEST(FlyEmulatorProcess, apiAndEdgeUseTlsWithACertificateWhoseFileItPrints) {
  std::vector<std::string> arguments = freePorts();
  arguments.insert(arguments.end(), {"--api-tls", "--edge-tls"});
  Program program(arguments);
  std::string text = program.readUntil("ready");
  std::string certificate = text.substr(text.find("Certificate   ") + 14);
  certificate.resize(certificate.find('\n'));
  auto ask = [&](const std::string& host, std::uint16_t port, std::string target) {
    auto context = net::makeTlsClient({.ca = certificate, .serverName = host});
    return test::run([](auto tls, std::string name, std::uint16_t to, std::string what) -> async::awaitable<int> {
      net::HttpClient client([to, tls](Deadline deadline) { return net::connectTls({"127.0.0.1", to}, tls, deadline); },
                             {.host = name, .name = name});
      net::HttpRequest request;
      request.target = what;
      request.headers = {{"Authorization", "Bearer secret"}};
      co_return (co_await client.send(std::move(request), Deadline::after(std::chrono::seconds(20)))).status;
    }(context, host, port, std::move(target)));
  };
  std::uint16_t api = numberAfter(text, "Machines API  https://127.0.0.1:");
  EXPECT_EQ(ask("127.0.0.1", api, "/v1/apps?org_slug=personal"), 200);
  EXPECT_EQ(ask("localhost", api, "/v1/apps?org_slug=personal"), 200);
  EXPECT_EQ(ask("none.fly.localhost", numberAfter(text, "https://<app>.fly.localhost:"), "/"), 404);
  program.signal(SIGTERM);
  EXPECT_EQ(program.waitForExit(), 0);
  EXPECT_FALSE(std::filesystem::exists(certificate));
}

TEST(FlyEmulatorProcess, appsOutliveAProcessThatWasKilled) {
  test::TempDir folder;
  std::vector<std::string> arguments = freePorts();
  arguments.push_back("--data=" + (folder / "state").string());
  net::Headers token{{"Authorization", "Bearer secret"}};
  {
    Program program(arguments);
    std::uint16_t api = numberAfter(program.readUntil("ready"), "Machines API  http://127.0.0.1:");
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/apps";
    request.body = R"({"app_name":"kept","org_slug":"personal"})";
    request.contentType = "application/json";
    request.headers = token;
    test::run([](std::uint16_t to, net::HttpRequest what) -> async::awaitable<void> {
      net::HttpClient client([to](Deadline deadline) { return net::connectTcp({"127.0.0.1", to}, deadline); },
                             {.host = "127.0.0.1", .name = "it"});
      co_await client.send(std::move(what), Deadline::after(std::chrono::seconds(20)));
    }(api, std::move(request)));
    program.signal(SIGKILL);
    EXPECT_EQ(program.waitForExit(), 1000 + SIGKILL);
  }
  Program again(arguments);
  std::uint16_t api = numberAfter(again.readUntil("ready"), "Machines API  http://127.0.0.1:");
  EXPECT_EQ(statusOf(api, "127.0.0.1", "/v1/apps/kept", token), 200);
}

TEST(FlyEmulatorProcess, wrongUseEndsWithTwoAndAPortThatIsTakenWithOne) {
  Program wrong({"--nope"});
  EXPECT_THAT(wrong.readUntil("--help"), HasSubstr("Unknown flag"));
  EXPECT_EQ(wrong.waitForExit(), 2);
  Program first(freePorts());
  std::uint16_t taken = numberAfter(first.readUntil("ready"), "Machines API  http://127.0.0.1:");
  std::vector<std::string> arguments = freePorts();
  arguments[5] = "127.0.0.1:" + std::to_string(taken);
  Program second(arguments);
  EXPECT_THAT(second.readUntil("another port"), HasSubstr(std::to_string(taken)));
  EXPECT_EQ(second.waitForExit(), 1);
}

TEST(FlyEmulatorProcess, helpGoesToStandardOutputAndIsASuccess) {
  Program program({"--help"});
  EXPECT_THAT(program.readUntil("Examples:"), HasSubstr("Usage: fly-emulator"));
  EXPECT_EQ(program.waitForExit(), 0);
}

}  // namespace
}  // namespace swarm::emulator

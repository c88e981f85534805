// Large responses are parsed beside the loop.
#include "model/codec/json_response.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "engine/client.h"
#include "support/net/large_response.h"

namespace swarm {
namespace {

using boost::asio::awaitable;

/// Parsing 30 MiB takes more turns of the loop than a few.
constexpr int kManyTurns = 100;

awaitable<void> expectTurnsWhileParsing(std::string_view text, const test::LoopTurns& turns, int& during) {
  const int before = turns.count();
  auto document = co_await parseJsonResponse(text);
  during = turns.count() - before;
  EXPECT_TRUE(document && document->as_array().size() == test::kLargeElements);
}

TEST(JsonResponse, aLargeOneLeavesTheLoopToOthers) {
  const std::string text = test::largeList();
  test::TestLoop loop;
  test::LoopTurns turns(loop);
  int during = 0;
  loop.run(expectTurnsWhileParsing(text, turns, during));
  EXPECT_GT(during, kManyTurns);
}

TEST(JsonResponse, aSmallOneIsParsedAtOnce) {
  test::TestLoop loop;
  auto parse = [](std::string_view text) -> awaitable<std::string> {
    auto document = co_await parseJsonResponse(text);
    co_return document ? std::string(document->as_object().at("a").as_string()) : document.error();
  };
  EXPECT_EQ(loop.run(parse(R"({"a":"b"})")), "b");
  EXPECT_EQ(loop.run(parse("<html>")), "it is not JSON");
}

TEST(JsonResponse, whatIsNotJsonOrHasTooManyValuesIsRefused) {
  test::TestLoop loop;
  auto parse = [](std::string text) -> awaitable<std::string> {
    auto document = co_await parseJsonResponse(text);
    co_return document ? std::string("taken") : document.error();
  };
  EXPECT_EQ(loop.run(parse("[" + std::string(kParsedInPlace, ' '))), "it ends too early");
  EXPECT_EQ(loop.run(parse("[" + std::string(kParsedInPlace, '[') + "]")), "it is nested deeper than 32 levels");
  std::string many = "[0";
  for (std::size_t i = 0; i < kMaxResponseValues; ++i) many += ",0";
  EXPECT_EQ(loop.run(parse(many + "]")), "it has more than 4000000 values");
}

TEST(JsonResponse, aLoopThatEndsFirstWaitsForTheParser) {
  auto text = std::make_shared<std::string>(test::largeList());
  bool has_begun = false;
  auto parse = [](std::shared_ptr<std::string> held, bool& begun) -> awaitable<void> {
    begun = true;
    co_await parseJsonResponse(*held);
    ADD_FAILURE() << "the loop ended before";
  };
  test::TestLoop loop;
  loop.spawn(parse(std::move(text), has_begun));
  loop.runUntil([&] { return has_begun; });
}

TEST(JsonResponse, aCancelledCallerResumesWhenTheParserHasEnded) {
  test::TestLoop loop;
  boost::asio::cancellation_signal cancel;
  bool has_ended = false;
  auto parse = [&]() -> awaitable<void> {
    const std::string text = test::largeList();
    auto document = co_await parseJsonResponse(text);
    EXPECT_TRUE(document.has_value());
    has_ended = true;
  };
  boost::asio::co_spawn(loop.executor(), parse(), boost::asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
  auto cancelling = [&]() -> awaitable<void> {
    cancel.emit(boost::asio::cancellation_type::terminal);
    co_return;
  };
  loop.run(cancelling());
  loop.runUntil([&] { return has_ended; });
}

TEST(EngineClient, aListOfThirtyMegabytesLeavesTheLoopToOthers) {
  const std::string body = test::largeList();
  ASSERT_GT(body.size(), 30u << 20);
  test::TestLoop loop;
  test::LoopTurns turns(loop);
  int turns_then = 0;
  test::RawServer server(loop, [&](net::StreamPtr stream, int) -> awaitable<void> {
    for (;;) {
      const std::string head = co_await test::readUntil(*stream, "\r\n\r\n");
      if (head.empty()) co_return;
      if (head.contains("/containers/json")) {
        co_await test::sendHoldingTheLastByte(*stream, body, turns, turns_then);
        continue;
      }
      const std::string facts = R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})";
      co_await stream->writeAll("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(facts.size()) + "\r\n\r\n" + facts);
    }
  });
  engine::Endpoint endpoint;
  endpoint.host = server.address().host;
  endpoint.port = server.address().port;
  engine::Client client(endpoint);
  auto list = [&]() -> awaitable<void> {
    boost::json::array found = co_await client.listContainers({}, Deadline::after(std::chrono::seconds(60)));
    EXPECT_EQ(found.size(), test::kLargeElements);
  };
  loop.run(list(), std::chrono::seconds(60));
  EXPECT_GT(turns.count() - turns_then, kManyTurns);
}

}  // namespace
}  // namespace swarm

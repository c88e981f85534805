// Large answers are parsed beside the loop.
#include "provider/json_answer.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "provider/docker/engine/engine_client.h"
#include "support/net/large_answer.h"

namespace swarm {
namespace {

using boost::asio::awaitable;

/// A few turns of the loop are no parsing of 30 MiB.
constexpr int kManyTurns = 100;

awaitable<void> expectTurnsWhileParsing(std::string_view text, const test::LoopTurns& turns, int& during) {
  const int before = turns.count();
  auto document = co_await parseAnswer(text);
  during = turns.count() - before;
  EXPECT_TRUE(document && document->as_array().size() == test::kLargeElements);
}

TEST(JsonAnswer, aLargeOneLeavesTheLoopToOthers) {
  const std::string text = test::largeList();
  test::TestLoop loop;
  test::LoopTurns turns(loop);
  int during = 0;
  loop.run(expectTurnsWhileParsing(text, turns, during));
  EXPECT_GT(during, kManyTurns);
}

TEST(JsonAnswer, aSmallOneIsParsedAtOnce) {
  test::TestLoop loop;
  auto parse = [](std::string_view text) -> awaitable<std::string> {
    auto document = co_await parseAnswer(text);
    co_return document ? std::string(document->as_object().at("a").as_string()) : document.error();
  };
  EXPECT_EQ(loop.run(parse(R"({"a":"b"})")), "b");
  EXPECT_EQ(loop.run(parse("<html>")), "it is not JSON");
}

TEST(JsonAnswer, whatIsNotJsonOrHasTooManyValuesIsRefused) {
  test::TestLoop loop;
  auto parse = [](std::string text) -> awaitable<std::string> {
    auto document = co_await parseAnswer(text);
    co_return document ? std::string("taken") : document.error();
  };
  EXPECT_EQ(loop.run(parse("[" + std::string(kParsedInPlace, ' '))), "it ends too early");
  EXPECT_EQ(loop.run(parse("[" + std::string(kParsedInPlace, '[') + "]")), "it is nested deeper than 32 levels");
  std::string many = "[0";
  for (std::size_t i = 0; i < kMaxAnswerValues; ++i) many += ",0";
  EXPECT_EQ(loop.run(parse(many + "]")), "it has more than 4000000 values");
}

TEST(JsonAnswer, aLoopThatEndsMeanwhileWaitsForTheParser) {
  auto text = std::make_shared<std::string>(test::largeList());
  bool has_begun = false;
  auto parse = [](std::shared_ptr<std::string> held, bool& begun) -> awaitable<void> {
    begun = true;
    co_await parseAnswer(*held);
    ADD_FAILURE() << "the loop ended before";
  };
  test::TestLoop loop;
  loop.spawn(parse(std::move(text), has_begun));
  loop.runUntil([&] { return has_begun; });
}

TEST(JsonAnswer, aCancelledCallerResumesWhenTheParserHasEnded) {
  test::TestLoop loop;
  boost::asio::cancellation_signal cancel;
  bool has_ended = false;
  auto parse = [&]() -> awaitable<void> {
    const std::string text = test::largeList();
    auto document = co_await parseAnswer(text);
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

TEST(EngineAnswers, aListOfThirtyMegabytesLeavesTheLoopToOthers) {
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
  DockerProviderConfig config;
  config.host = server.address().host;
  config.port = server.address().port;
  docker::EngineClient engine(config);
  auto list = [&]() -> awaitable<void> {
    boost::json::value found = co_await engine.call({.target = "/containers/json", .doing = "list containers", .body = {}},
                                                    Deadline::after(std::chrono::seconds(60)));
    EXPECT_EQ(found.as_array().size(), test::kLargeElements);
  };
  loop.run(list(), std::chrono::seconds(60));
  EXPECT_GT(turns.count() - turns_then, kManyTurns);
}

}  // namespace
}  // namespace swarm

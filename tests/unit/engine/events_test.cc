// How the event stream is kept open.
#include "engine/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text/format.h"
#include "support/net/raw_server.h"

namespace swarm::engine {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// An Engine and a listener to its events. The first stream sends `first` and then stays open or not; later ones are silent.
class EngineEvents : public testing::Test {
 protected:
  /// `streamAge`: after which a stream is opened again.
  explicit EngineEvents(std::chrono::milliseconds streamAge = std::chrono::seconds(1))
      : events(client, streamAge, std::chrono::milliseconds(20)) {}
  void follow(std::string first = "", bool stays = true) {
    first_ = std::move(first);
    stays_ = stays;
    events.follow(loop.executor(), {.filters = {},
                                    .catchUp = {},
                                    .connected = [this] { ++connected; },
                                    .event = [this](const json::value& event) { seen.push_back(stringAt(event, "Action")); },
                                    .lost = [this](const std::string& why, bool) { loss = why; }});
  }
  ~EngineEvents() override { loop.run(events.close()); }

  test::TestLoop loop;
  test::RawServer server{loop, [this](net::StreamPtr stream, int) { return serve(std::move(stream)); }};
  Client client{address()};
  Events events;
  std::vector<std::string> streams;  ///< the targets that were requested
  std::vector<std::string> seen;
  int connected = 0;
  std::string loss;

 private:
  Endpoint address() const {
    Endpoint endpoint;
    endpoint.host = server.address().host;
    endpoint.port = server.address().port;
    return endpoint;
  }

  awaitable<void> serve(net::StreamPtr stream) {
    for (;;) {
      const std::string head = co_await test::readUntil(*stream, "\r\n\r\n");
      if (head.empty()) co_return;
      if (head.contains("/events")) {
        streams.push_back(head.substr(0, head.find(" HTTP/")));
        co_await stream->writeAll("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        const bool is_first = streams.size() == 1;
        if (is_first && !first_.empty()) co_await stream->writeAll(format("{:x}\r\n{}\n\r\n", first_.size() + 1, first_));
        if (!is_first || stays_) co_await test::readToEnd(*stream);
        co_return;
      }
      const std::string facts = R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})";
      co_await stream->writeAll("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(facts.size()) + "\r\n\r\n" + facts);
    }
  }

  std::string first_;
  bool stays_ = true;
};

TEST_F(EngineEvents, aSilentStreamIsOpenedAgainAndNotLost) {
  follow();
  loop.runUntil([&] { return connected == 3; });
  EXPECT_EQ(loss, "");
  EXPECT_TRUE(client.connected());
}

TEST_F(EngineEvents, aStreamIsOpenedAgainBehindItsLastEvent) {
  follow(R"({"Action":"start","timeNano":1999999999})");
  loop.runUntil([&] { return streams.size() == 3; });
  EXPECT_THAT(streams[0], Not(HasSubstr("since=")));
  EXPECT_THAT(streams[1], EndsWith("&since=2.000000000"));
  EXPECT_EQ(streams[2], streams[1]);
  EXPECT_THAT(seen, testing::ElementsAre("start"));
  EXPECT_EQ(connected, 1) << "no event was missed";
  EXPECT_EQ(loss, "");
}

/// A stream whose end arrives after its age would be opened again without being lost.
class YoungEngineEvents : public EngineEvents {
 protected:
  YoungEngineEvents() : EngineEvents(std::chrono::hours(1)) {}
};

TEST_F(YoungEngineEvents, aStreamThatBrokeIsFollowedFromItsBeginning) {
  follow(R"({"Action":"start","timeNano":1500000000})", false);
  loop.runUntil([&] { return connected == 2; });
  EXPECT_THAT(streams.at(1), Not(HasSubstr("since=")));
  EXPECT_NE(loss, "");
}

}  // namespace
}  // namespace swarm::engine

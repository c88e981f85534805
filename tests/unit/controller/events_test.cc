// The stream of events: what is reported, and what a subscriber that is slow or late receives.
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class Events : public ControllerTest {
 protected:
  Events() { boot(); }
};

TEST_F(Events, eventsReportInstancesAndOperations) {
  std::uint64_t before = swarm().events().lastId();
  create("one");
  std::vector<Event> events = run(swarm().events().after(before, Deadline::after(std::chrono::seconds(5))));
  auto reports = [&](EventType type, const std::string& member, const std::string& value) {
    for (const Event& event : events)
      if (event.type == type && event.owner == "ann") {
        boost::json::object data = boost::json::parse(*event.data).as_object();
        if (data.contains(member) && data.at(member) == boost::json::value(value)) return true;
      }
    return false;
  };
  EXPECT_TRUE(reports(EventType::instance, "status", "creating"));
  EXPECT_TRUE(reports(EventType::instance, "status", "running"));
  EXPECT_TRUE(reports(EventType::operation, "status", "succeeded"));
}

TEST_F(Events, aSubscriberThatFellBehindReceivesAReset) {
  EventBus bus(0);
  for (int i = 0; i < 5000; ++i) bus.publish(EventType::log, "", {});
  std::vector<Event> events = run(bus.after(1, Deadline::after(std::chrono::seconds(1))));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].type, EventType::reset);
  EXPECT_EQ(events[0].id, 5000u);
  EXPECT_EQ(run(bus.after(4999, Deadline::after(std::chrono::seconds(1)))).size(), 1u);
  EXPECT_TRUE(run(bus.after(5000, Deadline::after(std::chrono::milliseconds(1)))).empty());
}

TEST_F(Events, anEventOfAnEarlierRunIsRecognized) {
  EventBus before(1'000'000);
  for (int i = 0; i < 3; ++i) before.publish(EventType::log, "", {});
  EventBus after(3'000'000);  // the server was started again two seconds later: numbers begin with its clock's microseconds
  for (int i = 0; i < 3; ++i) after.publish(EventType::log, "", {});
  for (std::uint64_t seen : {before.lastId() - 2, before.lastId(), std::uint64_t{2}}) {
    std::vector<Event> events = run(after.after(seen, Deadline::after(std::chrono::seconds(1))));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].type, EventType::reset);
    EXPECT_EQ(events[0].id, after.lastId());
  }
}

TEST_F(Events, theHistoryOfEventsIsLimitedInBytes) {
  EventBus bus(0, {.events = 1000, .bytes = 10'000});
  for (int i = 0; i < 100; ++i) {
    bus.publishText(EventType::log, "", std::string(1000, 'x'));
    EXPECT_LE(bus.historyBytes(), 10'000u);
  }
  EXPECT_EQ(run(bus.after(90, Deadline::after(std::chrono::seconds(1)))).size(), 10u);
  EXPECT_EQ(run(bus.after(89, Deadline::after(std::chrono::seconds(1)))).at(0).type, EventType::reset);
  bus.publishText(EventType::log, "", std::string(1'000'000, 'x'));
  EXPECT_EQ(run(bus.after(100, Deadline::after(std::chrono::seconds(1)))).size(), 1u) << "the newest is always delivered";
  for (int i = 0; i < 100; ++i) bus.publishText(EventType::log, "", "{}");
  EXPECT_LE(bus.historyBytes(), 200u);
}

TEST_F(Events, aSubscriberLimitsTheBytesOfABatch) {
  EventBus bus(0);
  for (int i = 0; i < 100; ++i) bus.publishText(EventType::log, "", std::string(1000, 'x'));
  std::uint64_t last = 0;
  std::size_t rounds = 0;
  for (; last < 100; ++rounds) {
    std::vector<Event> events = run(bus.after(last, Deadline::after(std::chrono::seconds(1)), 5000));
    ASSERT_LE(events.size(), 5u);
    EXPECT_EQ(events.front().id, last + 1);
    last = events.back().id;
  }
  EXPECT_EQ(rounds, 20u);
}

}  // namespace
}  // namespace swarm::test

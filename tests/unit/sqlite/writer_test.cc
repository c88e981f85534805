// The writer's thread: groups of writes, their failures, and its end.
#include "sqlite/writer.h"

#include <gmock/gmock.h>

#include <latch>
#include <thread>

#include "support/coroutine_test.h"
#include "unit/sqlite/fixture.h"

namespace swarm::sqlite {
namespace {

using testing::ElementsAre;

class SqliteWriter : public SqliteTest {
 protected:
  /// Runs all writes in one group: the writer is busy with a read until all are queued. The error of each, in order.
  std::vector<std::exception_ptr> runInOneGroup(std::vector<Writer::Work> works) {
    std::vector<std::exception_ptr> errors(works.size());
    std::size_t ended = 0;
    std::latch read_begun(1), all_queued(1);
    auto one = [&](JobKind kind, Writer::Work work, std::exception_ptr* error) -> test::awaitable<void> {
      try {
        co_await writer->run(kind, std::move(work));
      } catch (...) {
        if (error) *error = std::current_exception();
      }
      ++ended;
    };
    auto wait_for_all = [&](Database&) {
      read_begun.count_down();
      all_queued.wait();
    };
    loop.spawn(one(JobKind::Read, wait_for_all, nullptr));
    loop.context().poll();
    read_begun.wait();  // else its group may take the first of the writes along
    for (std::size_t i = 0; i < works.size(); ++i) loop.spawn(one(JobKind::Write, std::move(works[i]), &errors[i]));
    loop.context().poll();
    all_queued.count_down();
    loop.runUntil([&] { return ended == works.size() + 1; });
    return errors;
  }
  static Writer::Work inserting(std::string name, int* runs = nullptr) {
    return [name = std::move(name), runs](Database& its_database) {
      if (runs) ++*runs;
      its_database.execute("INSERT INTO items(name) VALUES(?)", {std::string_view(name)});
    };
  }

  test::TestLoop loop;
  std::optional<Writer> writer{std::in_place, *database};
};

TEST_F(SqliteWriter, resumesTheCallerOnItsOwnThread) {
  std::thread::id worker, caller;
  auto write = [&]() -> test::awaitable<void> {
    co_await writer->run(JobKind::Write, [&](Database&) { worker = std::this_thread::get_id(); });
    caller = std::this_thread::get_id();
  };
  loop.run(write());
  EXPECT_EQ(caller, std::this_thread::get_id());
  EXPECT_NE(worker, std::this_thread::get_id());
}

// The writer's thread used to release the caller's work guard after the caller had resumed: in freed memory, or on the next loop.
TEST_F(SqliteWriter, leavesTheCallersLoopAloneOnceTheCallerHasResumed) {
  int runs = 0;
  for (int i = 0; i < 500; ++i) {
    auto own = std::make_unique<test::TestLoop>();
    own->run(writer->run(i % 2 ? JobKind::Read : JobKind::Write, [&](Database&) { ++runs; }));
  }
  EXPECT_EQ(runs, 500);
}

TEST_F(SqliteWriter, throwsWhatTheJobThrewAndKeepsNothingOfIt) {
  auto failing = [](Database& its_database) {
    its_database.execute("INSERT INTO items(name) VALUES('dropped')");
    throw std::out_of_range("the job failed");
  };
  EXPECT_THROW(loop.run(writer->run(JobKind::Write, failing)), std::out_of_range);
  loop.run(writer->run(JobKind::Write, inserting("kept")));
  writer.reset();
  EXPECT_THAT(names(), ElementsAre("kept"));
}

TEST_F(SqliteWriter, commitsAGroupInOneTransaction) {
  int runs = 0;
  bool first_saw_a_transaction = false;
  const auto errors = runInOneGroup({[&](Database& its_database) {
                                       first_saw_a_transaction = its_database.inTransaction();
                                       its_database.execute("INSERT INTO items(name) VALUES('a')");
                                     },
                                     inserting("b", &runs)});
  EXPECT_THAT(errors, testing::Each(testing::IsNull()));
  EXPECT_TRUE(first_saw_a_transaction);
  EXPECT_EQ(runs, 1);
  writer.reset();
  EXPECT_THAT(names(), ElementsAre("a", "b"));
}

TEST_F(SqliteWriter, aFailedWriteDoesNotTakeTheOthersOfItsGroupAlong) {
  const auto errors = runInOneGroup({inserting("a"), inserting("a"), inserting("b")});
  EXPECT_EQ(errors[0], nullptr);
  EXPECT_NE(errors[1], nullptr) << "the name is taken";
  EXPECT_EQ(errors[2], nullptr);
  writer.reset();
  EXPECT_THAT(names(), ElementsAre("a", "b"));
}

TEST_F(SqliteWriter, runsEachWriteAloneWhenTheirCommitFails) {
  int runs = 0;
  auto without_owner = [](Database& its_database) { its_database.execute("INSERT INTO items(name, owner) VALUES('x', 'unknown')"); };
  const auto errors = runInOneGroup({inserting("a", &runs), without_owner, inserting("b")});
  EXPECT_EQ(errors[0], nullptr);
  EXPECT_NE(errors[1], nullptr) << "its owner is checked at the commit, which failed for the whole group";
  EXPECT_EQ(errors[2], nullptr);
  EXPECT_EQ(runs, 2) << "once in the group, once alone";
  writer.reset();
  EXPECT_THAT(names(), ElementsAre("a", "b"));
}

TEST_F(SqliteWriter, finishesWhatIsQueuedBeforeItEnds) {
  std::latch queued(1);
  loop.spawn(writer->run(JobKind::Read, [&](Database&) { queued.wait(); }));
  loop.spawn(writer->run(JobKind::Write, inserting("late")));
  loop.context().poll();
  queued.count_down();
  writer.reset();
  EXPECT_THAT(names(), ElementsAre("late"));
}

}  // namespace
}  // namespace swarm::sqlite

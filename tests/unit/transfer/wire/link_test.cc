// The server's end: its commands, its reports, and its timeouts.
#include <sys/stat.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"
#include "base/error.h"
#include "net/connect.h"
#include "transfer/wire/frame_stream.h"
#include "transfer/wire/messages.h"
#include "unit/transfer/fixture.h"

namespace swarm::transfer {
namespace {

TEST(Link, scansWhatWouldMove) {
  Move move;
  writeFile(move.source() / "a", noise(100'000, 1));
  fs::create_hard_link(move.source() / "a", move.source() / "b");
  fs::create_directories(move.source() / "d");
  fs::create_symlink("x", move.source() / "d" / "l");
  fs::resize_file(move.source() / "a", 50'000'000);
  ASSERT_EQ(::mkfifo((move.source() / "pipe").c_str(), 0600), 0);
  auto link = move.connect();
  const auto report = move.loop().run(link->scan(Side::Source, {}));
  EXPECT_EQ(report.files, 3);
  EXPECT_EQ(report.directories, 2);
  EXPECT_GE(report.bytes, 100'000);
  EXPECT_LT(report.bytes, 200'000);
  EXPECT_EQ(report.skippedCount, 1);
  ASSERT_EQ(report.space.size(), 1);
  EXPECT_EQ(report.space[0].mountPath, "/data");
  EXPECT_GT(report.space[0].total, report.space[0].free);
}

TEST(Link, namesTheFirstDifferences) {
  Move move;
  writeFile(move.source() / "same", "x");
  writeFile(move.source() / "content", "1");
  writeFile(move.source() / "mode", "x");
  fs::create_directories(move.source() / "a" / "b");
  writeFile(move.source() / "a" / "b" / "missing\n", "x");
  writeFile(move.source() / "a-b", "x");
  move.round(RoundKind::Final);
  struct stat before{};
  ASSERT_EQ(::stat((move.target() / "content").c_str(), &before), 0);
  writeFile(move.target() / "content", "2");
  setTime(move.target() / "content", before.st_mtim.tv_sec, before.st_mtim.tv_nsec);
  fs::permissions(move.target() / "mode", fs::perms(0600));
  fs::permissions(move.source() / "mode", fs::perms(0644));
  fs::remove(move.target() / "a" / "b" / "missing\n");
  writeFile(move.target() / "zextra", "x");
  setTime(move.target(), 1);
  setTime(move.source(), 1);
  setTime(move.target() / "a" / "b", 1);
  setTime(move.source() / "a" / "b", 1);
  auto link = move.connect();
  const auto [left, right] = move.loop().run(link->digests({}));
  EXPECT_NE(left.digest, right.digest);
  const auto notes = move.loop().run(link->differences(10));
  ASSERT_EQ(notes.size(), 4);
  EXPECT_EQ(notes[0].path, "/data/content");
  EXPECT_EQ(notes[0].reason, "different content");
  EXPECT_EQ(notes[1].path, "/data/mode");
  EXPECT_EQ(notes[1].reason, "mode 644 at the source, 600 at the target");
  EXPECT_EQ(notes[2].path, "/data/zextra");
  EXPECT_EQ(notes[2].reason, "exists only at the target");
  EXPECT_EQ(notes[3].path, "/data/a/b/missing\\x0a");
  EXPECT_EQ(notes[3].reason, "is missing at the target");
  EXPECT_EQ(move.loop().run(link->differences(2)).size(), 2);
  // The link is still usable.
  move.loop().run(link->round(RoundKind::Final, {}));
  move.loop().run(link->close());
  move.expectEqual();
}

TEST(Link, reportsProgressUpToTheTotal) {
  Move move;
  for (int file = 0; file < 30; ++file) writeFile(move.source() / std::to_string(file), noise(200'000, static_cast<unsigned>(file)));
  LinkOptions slow;
  slow.bytesPerSecond = 4'000'000;
  auto link = move.connect(slow);
  std::vector<TransferProgress> seen;
  const auto begin = std::chrono::steady_clock::now();
  const auto report = move.loop().run(link->round(RoundKind::Live, [&](const TransferProgress& progress) { seen.push_back(progress); }));
  const auto elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  // The limit is respected.
  EXPECT_GE(elapsed, static_cast<double>(report.bytesSent) / 4'000'000 * 0.9);
  ASSERT_GE(seen.size(), 2);
  for (std::size_t at = 1; at < seen.size(); ++at) {
    EXPECT_GE(seen[at].filesDone, seen[at - 1].filesDone);
    EXPECT_GE(seen[at].bytesDone, seen[at - 1].bytesDone);
    EXPECT_GE(seen[at].bytesSent, seen[at - 1].bytesSent);
  }
  EXPECT_LE(seen.back().filesDone, 30);
  EXPECT_GT(seen.back().filesDone, 0);
}

/// Answers Hello, and then sends progress without end before it answers the command.
awaitable<void> floodWithProgress(net::StreamPtr stream, int frames) {
  FrameReader reader(*stream);
  std::vector<Frame> flood(static_cast<std::size_t>(frames));
  for (Frame& frame : flood) frame = {Kind::Progress, encode(TransferProgress{INT64_MAX, INT64_MAX, INT64_MAX}), {}};
  for (const bool last : {false, true}) {
    if (!co_await reader.next()) co_return;
    if (last) co_await writeFrames(*stream, flood);
    std::vector<Frame> result(1);
    result[0] = {Kind::Result, last ? encode(DigestReport{}) : std::string(), {}};
    co_await writeFrames(*stream, result);
  }
  co_await reader.next();
}

TEST(Link, reportsTheProgressOfAnAgentThatSendsItWithoutEndNowAndThen) {
  Move move;
  auto [near_end, far_end] = net::makePipe(move.loop().executor());
  move.loop().spawn(floodWithProgress(std::move(far_end), 20'000));
  auto link = move.loop().run(openLink(std::move(near_end), nullptr, "op-test", move.scope, {}));
  int reports = 0;
  move.loop().run(link->digest(Side::Source, [&](const TransferProgress&) { ++reports; }));
  EXPECT_GE(reports, 1);
  EXPECT_LT(reports, 1'000);
}

TEST(Link, givesUpAConnectionThatFallsSilent) {
  Move move;
  auto [near_end, far_end] = net::makePipe(move.loop().executor());
  try {
    LinkOptions options;
    options.silence = std::chrono::milliseconds(50);
    move.loop().run(openLink(std::move(near_end), nullptr, "op-test", move.scope, options));
    FAIL() << "a silent agent was not detected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_TRUE(error.message().contains("silent")) << error.message();
  }
}

awaitable<std::pair<net::StreamPtr, net::StreamPtr>> connectedPair(async::Executor executor) {
  const auto listener = net::listenTcp(executor, {"127.0.0.1", 0});
  auto near_end = co_await net::connectTcp({"127.0.0.1", listener->port()}, Deadline::after(std::chrono::seconds(10)));
  co_return std::pair(std::move(near_end), co_await listener->accept());
}

/// Answers Hello and reads the command of a round.
awaitable<void> beginRound(net::Stream& stream) {
  FrameReader reader(stream);
  co_await reader.next();
  std::vector<Frame> result(1);
  result[0] = {Kind::Result, {}, {}};
  co_await writeFrames(stream, result);
  co_await reader.next();
}

awaitable<void> sendContentWithoutEnd(net::StreamPtr stream) {
  co_await beginRound(*stream);
  std::vector<Frame> content(1);
  content[0] = {Kind::Pack, std::string(1'000'000, 'x'), {}};
  while (co_await writeFrames(*stream, content)) {
  }
}

awaitable<void> reportProgressAndReadNothing(net::StreamPtr stream) {
  co_await beginRound(*stream);
  std::vector<Frame> progress(1);
  progress[0] = {Kind::Progress, encode(TransferProgress{}), {}};
  while (co_await writeFrames(*stream, progress)) co_await async::sleepFor(std::chrono::milliseconds(10));
}

TEST(Link, givesUpAConnectionThatAcceptsNothing) {
  Move move;
  auto source = move.loop().run(connectedPair(move.loop().executor()));
  auto target = move.loop().run(connectedPair(move.loop().executor()));
  move.loop().spawn(sendContentWithoutEnd(std::move(source.second)));
  move.loop().spawn(reportProgressAndReadNothing(std::move(target.second)));
  LinkOptions options;
  options.silence = std::chrono::milliseconds(300);
  auto link = move.loop().run(openLink(std::move(source.first), std::move(target.first), "op-test", move.scope, options));
  try {
    move.loop().run(link->round(RoundKind::Live, {}));
    FAIL() << "an agent that reads nothing was not detected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_TRUE(error.message().contains("target")) << error.message();
  }
}

TEST(Link, servesOneAgentOnly) {
  Move move;
  writeFile(move.source() / "a", "x");
  auto [near_end, far_end] = net::makePipe(move.loop().executor());
  HashCache cache;
  move.loop().spawn(runSession(std::move(far_end), {Role::Source, &cache, move.sourceRoot()}));
  auto link = move.loop().run(openLink(std::move(near_end), nullptr, "op-test", move.scope));
  EXPECT_EQ(move.loop().run(link->scan(Side::Source, {})).files, 1);
  EXPECT_EQ(move.loop().run(link->digest(Side::Source, {})).files, 1);
  move.loop().run(link->sync(Side::Source));
  move.loop().run(link->close());
}

/// An agent that responds to the first command with a given failure.
awaitable<void> failWith(net::StreamPtr stream, Failure failure) {
  FrameReader reader(*stream);
  co_await reader.next();
  std::vector<Frame> frames(1);
  frames[0] = {Kind::Failed, encode(failure), {}};
  co_await writeFrames(*stream, frames);
}

TEST(Link, takesFromAnAgentWhatIsWrongInItsWorkspaceOnly) {
  const auto failed = [](const std::string& code) {
    test::TestLoop loop;
    auto [near_end, far_end] = net::makePipe(loop.executor());
    loop.spawn(failWith(std::move(far_end), {code, "\x1b[2J" + std::string(60'000, '!')}));
    try {
      loop.run(openLink(std::move(near_end), nullptr, "op-test", {{"/data"}, {}}));
    } catch (const Error& error) {
      EXPECT_LE(error.message().size(), Error::kMaxText);
      EXPECT_FALSE(error.message().contains('\x1b'));
      return error.code();
    }
    return ErrorCode::NotFound;
  };
  EXPECT_EQ(failed("out_of_resources"), ErrorCode::OutOfResources);
  EXPECT_EQ(failed("unprocessable"), ErrorCode::Unprocessable);
  for (const char* code : {"unauthenticated", "permission_denied", "not_found", "cancelled", "invalid_argument", "", "anything"})
    EXPECT_EQ(failed(code), ErrorCode::UpstreamFailed) << code;
}

TEST(Link, aCancelledRoundEndsBothSessionsAndTheirThreads) {
  Move move;
  writeFile(move.source() / "big", noise(30'000'000, 1));
  const std::size_t threads = countThreads();
  LinkOptions slow;
  slow.bytesPerSecond = 100'000;
  auto link = move.connect(slow);
  EXPECT_GE(countThreads(), threads + 2);
  try {
    move.loop().run(async::withDeadline(link->round(RoundKind::Live, {}), Deadline::after(std::chrono::milliseconds(300)), "Too slow."));
    FAIL() << "30 MB cannot be transferred in 300 ms";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DeadlineExceeded);
  }
  move.loop().runUntil([&] { return move.running() == 0; });
  EXPECT_EQ(countThreads(), threads);
  EXPECT_THROW(move.loop().run(link->sync(Side::Target)), Error);
  move.moveAndCheck();
}

TEST(Link, aCancelledSessionHasEndedItsThreadsWhenItEnds) {
  Move move;
  writeFile(move.source() / "a", noise(3'000'000, 1));
  const std::size_t threads = countThreads();
  auto [near_end, far_end] = net::makePipe(move.loop().executor());
  HashCache cache;
  boost::asio::cancellation_signal cancel;
  bool ended = false;
  boost::asio::co_spawn(move.loop().context(), runSession(std::move(far_end), {Role::Source, &cache, move.sourceRoot()}),
                        boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr error) {
                          EXPECT_FALSE(error);
                          EXPECT_EQ(countThreads(), threads);
                          ended = true;
                        }));
  auto link = move.loop().run(openLink(std::move(near_end), nullptr, "op-test", move.scope));
  cancel.emit(boost::asio::cancellation_type::terminal);
  move.loop().runUntil([&] { return ended; });
}

/// Two agents, of which the target dies when the source has received Bye. Its socket still accepts data, as a proxy's does.
async::awaitable<void> leaveWhileTheLinkCloses(net::StreamPtr source, net::StreamPtr target) {
  FrameReader from_source(*source), from_target(*target);
  std::vector<Frame> welcome(1);
  welcome[0] = {Kind::Result, {}, {}};
  co_await from_source.next();
  co_await writeFrames(*source, welcome);
  co_await from_target.next();
  co_await writeFrames(*target, welcome);
  co_await from_source.next();
  co_await target->shutdownWrite();
  for (int turn = 0; turn < 10; ++turn) co_await boost::asio::post(boost::asio::use_awaitable);
  co_await writeFrames(*source, welcome);
  while (co_await from_target.next());
}

TEST(Link, closesEvenIfTheTargetHasDisconnected) {
  Move move;
  auto [source, source_end] = net::makePipe(move.loop().executor());
  auto [target, target_end] = net::makePipe(move.loop().executor());
  move.loop().spawn(leaveWhileTheLinkCloses(std::move(source_end), std::move(target_end)));
  auto link = move.loop().run(openLink(std::move(source), std::move(target), "op-test", move.scope));
  move.loop().run(link->close(), std::chrono::seconds(5));
}

TEST(Link, worksOverRealSockets) {
  Move move;
  for (int file = 0; file < 200; ++file) writeFile(move.source() / std::to_string(file), noise(static_cast<std::size_t>(file) * 500, 5));
  auto listener = net::listenTcp(move.loop().executor(), {"127.0.0.1", 0});
  HashCache source_cache;
  HashCache target_cache;
  const auto agent = [](std::uint16_t port, SessionOptions options) -> async::awaitable<void> {
    auto stream = co_await net::connectTcp({"127.0.0.1", port}, Deadline::after(std::chrono::seconds(5)));
    co_await runSession(std::move(stream), std::move(options));
  };
  move.loop().spawn(agent(listener->port(), {Role::Source, &source_cache, move.sourceRoot()}));
  auto source = move.loop().run(listener->accept());
  move.loop().spawn(agent(listener->port(), {Role::Target, &target_cache, move.targetRoot()}));
  auto target = move.loop().run(listener->accept());
  auto link = move.loop().run(openLink(std::move(source), std::move(target), "op-test", move.scope));
  EXPECT_EQ(move.loop().run(link->round(RoundKind::Final, {})).filesSent, 199);
  move.loop().run(link->sync(Side::Target));
  const auto [left, right] = move.loop().run(link->digests({}));
  EXPECT_EQ(left.digest, right.digest);
  EXPECT_EQ(listTree(move.source()), listTree(move.target()));
  move.loop().run(link->close());
}

}  // namespace
}  // namespace swarm::transfer

// Connections that are closed at any byte, and links that continue after them.
#include <boost/asio/error.hpp>
#include <random>

#include "async/awaitable.h"
#include "base/error.h"
#include "net/stream/forwarding_stream.h"
#include "unit/transfer/fixture.h"

namespace swarm::transfer {
namespace {

/// Counts what passes in both directions, and ends once `left` bytes have.
class Cutting final : public net::ForwardingStream {
 public:
  struct Count {
    std::int64_t read = 0;
    std::int64_t written = 0;
    std::int64_t cutRead = INT64_MAX;
    std::int64_t cutWritten = INT64_MAX;
  };
  Cutting(net::StreamPtr inner, std::shared_ptr<Count> count) : ForwardingStream(std::move(inner)), count_(std::move(count)) {}

  async::awaitable<net::IoResult> readSome(boost::asio::mutable_buffer buffer) override {
    const auto allowed = static_cast<std::size_t>(std::max<std::int64_t>(count_->cutRead - count_->read, 0));
    if (allowed == 0) {
      inner_->close();
      co_return net::IoResult{boost::asio::error::connection_reset};
    }
    auto got = co_await inner_->readSome(boost::asio::buffer(buffer, allowed));
    count_->read += static_cast<std::int64_t>(got.bytes);
    co_return got;
  }
  async::awaitable<net::IoResult> writeAll(std::span<const boost::asio::const_buffer> buffers) override {
    net::IoResult result;
    for (const auto& whole : buffers) {
      const auto allowed = static_cast<std::size_t>(std::max<std::int64_t>(count_->cutWritten - count_->written, 0));
      const boost::asio::const_buffer part(whole.data(), std::min(whole.size(), allowed));
      const auto put = co_await inner_->writeAll({&part, 1});
      result.bytes += put.bytes;
      count_->written += static_cast<std::int64_t>(put.bytes);
      if (put.error) co_return net::IoResult{put.error, result.bytes};
      if (part.size() < whole.size()) {
        inner_->close();
        co_return net::IoResult{boost::asio::error::connection_reset, result.bytes};
      }
    }
    co_return result;
  }

 private:
  std::shared_ptr<Count> count_;
};

using CountPtr = std::shared_ptr<Cutting::Count>;

Wrap counted(CountPtr count) {
  return [count](net::StreamPtr inner) -> net::StreamPtr { return std::make_unique<Cutting>(std::move(inner), count); };
}

void makeTree(const fs::path& top) {
  fs::create_directories(top / "one" / "two");
  for (int file = 0; file < 40; ++file) {
    writeFile(top / ("f" + std::to_string(file)), noise(static_cast<std::size_t>(file * 997), static_cast<unsigned>(file)));
  }
  writeFile(top / "one" / "big", noise(5'000'000, 100));
  writeFile(top / "one" / "two" / "other", noise(1'300'000, 101));
  fs::create_hard_link(top / "f7", top / "one" / "again");
  fs::create_symlink("x", top / "one" / "link");
}

bool tryRound(Move& move, const CountPtr& source, const CountPtr& target, ProgressSink progress = {}) {
  try {
    auto link = move.connect({}, counted(source), counted(target));
    move.loop().run(link->round(RoundKind::Live, std::move(progress)));
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable) << error.message();
    return false;
  }
}

TEST(Cut, atAnyByteLeavesWhatTheNextLinkCompletes) {
  std::mt19937 random(4711);
  auto whole = std::make_shared<Cutting::Count>();
  {
    Move move;
    makeTree(move.source());
    ASSERT_TRUE(tryRound(move, whole, std::make_shared<Cutting::Count>()));
  }
  for (int attempt = 0; attempt < 24; ++attempt) {
    Move move;
    makeTree(move.source());
    writeFile(move.target() / "f3", "old");
    const std::size_t before = countThreads();
    auto source = std::make_shared<Cutting::Count>();
    auto target = std::make_shared<Cutting::Count>();
    // In this order: what the source sends, what it receives, what the target receives, what it sends.
    const std::int64_t large = std::uniform_int_distribution<std::int64_t>(0, whole->read)(random);
    const std::int64_t small = std::uniform_int_distribution<std::int64_t>(0, whole->written)(random);
    SCOPED_TRACE("attempt " + std::to_string(attempt) + " large " + std::to_string(large) + " small " + std::to_string(small));
    (attempt % 4 == 0   ? source->cutRead
     : attempt % 4 == 1 ? source->cutWritten
     : attempt % 4 == 2 ? target->cutWritten
                        : target->cutRead) = attempt % 4 == 0 || attempt % 4 == 2 ? large : small;
    tryRound(move, source, target);
    move.loop().runUntil([&] { return move.running() == 0; });
    EXPECT_EQ(countThreads(), before);
    move.moveAndCheck();
  }
}

TEST(Cut, whatWasAcknowledgedIsNotSentAgain) {
  Move move;
  writeFile(move.source() / "a", noise(6'000'000, 1));
  writeFile(move.source() / "b", noise(12'000'000, 2));
  auto source = std::make_shared<Cutting::Count>();
  source->cutRead = 14'000'000;
  ASSERT_FALSE(tryRound(move, source, std::make_shared<Cutting::Count>()));
  move.loop().runUntil([&] { return move.running() == 0; });
  // The target discarded what it had not written when the connection ended: at most a window.
  const auto present = occupied(move.target());
  const auto report = move.moveAndCheck();
  EXPECT_LT(report.bytesSent, 18'000'000 - present + 2'200'000);
}

/// The code that decides on a retry must know the progress, however short the connection's life.
TEST(Cut, progressBeforeAnEarlyCutHasBeenReported) {
  Move move;
  for (int file = 0; file < 40; ++file) writeFile(move.source() / std::to_string(file), noise(1'000'000, static_cast<unsigned>(file)));
  auto source = std::make_shared<Cutting::Count>();
  source->cutRead = 30'000'000;
  std::int64_t reported = 0;
  ASSERT_FALSE(tryRound(move, source, std::make_shared<Cutting::Count>(),
                        [&](const TransferProgress& progress) { reported = std::max(reported, progress.bytesDone); }));
  EXPECT_GT(reported, 0);
}

}  // namespace
}  // namespace swarm::transfer

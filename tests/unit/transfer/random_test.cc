// Random trees that change at random between rounds, and a writer that runs concurrently with them.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "unit/transfer/fixture.h"

namespace swarm::transfer {
namespace {

/// Changes a tree by one random step at a time. Deterministic for a seed.
class Mutator {
 public:
  Mutator(fs::path top, unsigned seed) : top_(std::move(top)), random_(seed) {}

  void step() {
    const fs::path path = anyPath();
    std::error_code ignored;
    switch (number(14)) {
      case 0:
      case 1:
      case 2:
        makeRoom(path);
        writeFile(path, noise(size(), number(1u << 30)));
        break;
      case 3:
        makeRoom(path);
        fs::create_directories(path);
        break;
      case 4:
        fs::remove_all(path, ignored);
        break;
      case 5:
        if (const fs::path to = anyPath(); !isWithin(path, to) && !isWithin(to, path)) {
          makeRoom(to);
          fs::rename(path, to, ignored);
        }
        break;
      case 6:
        if (const fs::path to = anyPath(); fs::is_regular_file(fs::symlink_status(path)) && path != to) {
          makeRoom(to);
          fs::create_hard_link(path, to, ignored);
        }
        break;
      case 7:
        makeRoom(path);
        fs::create_symlink("target" + std::to_string(number(3)), path, ignored);
        break;
      case 8:
        if (!fs::is_symlink(path) && fs::exists(path)) fs::permissions(path, fs::perms(0400 | number(07777)), ignored);
        break;
      case 9:
        if (fs::exists(fs::symlink_status(path))) setTime(path, number(2'000'000'000), number(999'999'999));
        break;
      case 10:
        if (fs::exists(path) && !fs::is_symlink(path))
          ::setxattr(path.c_str(), ("user.x" + std::to_string(number(2))).c_str(), "value", number(5), 0);
        break;
      case 11:
        if (fs::exists(path) && !fs::is_symlink(path)) ::removexattr(path.c_str(), "user.x0");
        break;
      case 12:
        overwrite(path);
        break;
      case 13:
        if (fs::is_regular_file(fs::symlink_status(path))) fs::resize_file(path, size() * (number(4) == 0 ? 40 : 1), ignored);
        break;
    }
  }

 private:
  unsigned number(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }
  std::size_t size() { return number(8) == 0 ? number(3'000'000) : number(20'000); }
  static bool isWithin(const fs::path& above, const fs::path& path) { return (path.native() + "/").starts_with(above.native() + "/"); }

  fs::path anyPath() {
    fs::path path = top_;
    const unsigned depth = 1 + number(3);
    for (unsigned level = 0; level < depth; ++level) path /= std::string(1, static_cast<char>('a' + number(4)));
    return path;
  }

  /// Makes room for `path`: creates its directories, and removes an existing entry.
  void makeRoom(const fs::path& path) {
    std::error_code ignored;
    for (fs::path above = path.parent_path(); above != top_; above = above.parent_path()) {
      if (fs::exists(fs::symlink_status(above)) && !fs::is_directory(fs::symlink_status(above))) fs::remove(above, ignored);
    }
    fs::create_directories(path.parent_path());
    fs::remove_all(path, ignored);
  }

  void overwrite(const fs::path& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_NOFOLLOW);
    if (file < 0) return;
    const std::string bytes = noise(1 + number(5000), number(1000));
    EXPECT_EQ(::pwrite(file, bytes.data(), bytes.size(), number(2'000'000)), static_cast<ssize_t>(bytes.size()));
    ::close(file);
  }

  fs::path top_;
  std::mt19937 random_;
};

TEST(Random, treesAreEqualAfterEveryRoundWhateverChangedBetween) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Move move;
    Mutator source(move.source(), seed);
    Mutator target(move.target(), seed + 1000);
    for (int step = 0; step < 60; ++step) source.step();
    // The target may start with anything, too.
    for (int step = 0; step < (seed % 3 == 0 ? 60 : 0); ++step) target.step();
    for (int round = 0; round < 5; ++round) {
      move.moveAndCheck(round == 4 ? RoundKind::Final : RoundKind::Live);
      if (HasFailure()) return;
      for (int step = 0; step < 12; ++step) source.step();
      if (round == 2) move.forgetHashes();
    }
  }
}

TEST(Random, aWriterMayGoOnDuringLiveRounds) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Move move;
    Mutator mutator(move.source(), seed);
    for (int step = 0; step < 150; ++step) mutator.step();
    std::atomic<bool> stop = false;
    std::thread writer([&] {
      // A reader may see every intermediate state; the mutator's own races do not matter.
      while (!stop) {
        try {
          mutator.step();
        } catch (const std::exception&) {
          // A failed step counts as a step.
        }
      }
    });
    for (int round = 0; round < 4; ++round) {
      auto report = RoundReport();
      try {
        report = move.round(RoundKind::Live);
      } catch (...) {
        stop = true;
        writer.join();
        throw;
      }
      EXPECT_LE(report.skippedCount, 0);
    }
    stop = true;
    writer.join();
    const auto last = move.moveAndCheck();
    EXPECT_EQ(last.unstable, 0);
  }
}

TEST(Random, aFileThatGrowsAllTheTimeIsCountedAsUnstable) {
  Move move;
  writeFile(move.source() / "log", noise(20'000'000, 1));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    const int file = ::open((move.source() / "log").c_str(), O_WRONLY | O_APPEND);
    while (!stop) {
      if (::write(file, "another line of the log\n", 24) != 24) break;
    }
    ::close(file);
  });
  const auto report = move.round(RoundKind::Live);
  stop = true;
  writer.join();
  EXPECT_EQ(report.unstable, 1);
  const auto last = move.moveAndCheck();
  EXPECT_EQ(last.unstable, 0);
  EXPECT_LT(last.bytesSent, 15'000'000);
}

}  // namespace
}  // namespace swarm::transfer

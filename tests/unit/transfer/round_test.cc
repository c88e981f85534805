// Rounds over trees of all kinds of entries.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "unit/transfer/fixture.h"

namespace swarm::transfer {
namespace {

TEST(Round, movesAnEmptyTree) {
  Move move;
  const auto report = move.moveAndCheck();
  EXPECT_EQ(report.files, 0);
}

TEST(Round, movesFilesDirectoriesAndLinks) {
  Move move;
  writeFile(move.source() / "a", "hello");
  writeFile(move.source() / "empty", "");
  fs::create_directories(move.source() / "one" / "two" / "three");
  writeFile(move.source() / "one" / "two" / "big", noise(3'500'000, 1));
  fs::create_symlink("../nowhere", move.source() / "one" / "link");
  fs::create_hard_link(move.source() / "a", move.source() / "one" / "again");
  setTime(move.source() / "one" / "two", 1'000'000'000, 123'456'789);
  setTime(move.source() / "a", -5, 1);
  setTime(move.source() / "one" / "link", 77);
  fs::permissions(move.source() / "a", fs::perms(0640));
  fs::permissions(move.source() / "one", fs::perms(01755));
  const auto report = move.moveAndCheck();
  EXPECT_EQ(report.files, 5);
  EXPECT_EQ(report.filesSent, 2);
  EXPECT_EQ(report.unstable, 0);
  EXPECT_GT(report.bytesSent, 3'000'000);
}

TEST(Round, sendsNothingOfWhatIsEqual) {
  Move move;
  for (int file = 0; file < 50; ++file) writeFile(move.source() / std::to_string(file), noise(100'000, static_cast<unsigned>(file)));
  move.moveAndCheck();
  const auto again = move.moveAndCheck();
  EXPECT_EQ(again.filesSent, 0);
  EXPECT_LT(again.bytesSent, 20'000);
  move.forgetHashes();
  const auto cold = move.moveAndCheck();
  EXPECT_EQ(cold.filesSent, 0);
  EXPECT_LT(cold.bytesSent, 20'000);
}

TEST(Round, sendsOnlyTheChunksThatDiffer) {
  Move move;
  std::string content = noise(8 * 1024 * 1024 + 17, 3);
  writeFile(move.source() / "file", content);
  move.moveAndCheck();
  content[5 * 1024 * 1024] ^= 1;
  writeFile(move.source() / "file", content);
  const auto report = move.moveAndCheck();
  EXPECT_EQ(report.filesSent, 1);
  EXPECT_LT(report.bytesSent, 1'100'000);
}

TEST(Round, removesAndReplacesWhatTheTargetHasTooMuch) {
  Move move;
  writeFile(move.source() / "file", "file");
  fs::create_directories(move.source() / "directory");
  writeFile(move.source() / "directory" / "inside", "x");
  fs::create_symlink("somewhere", move.source() / "link");
  writeFile(move.source() / "shorter", "short");

  fs::create_directories(move.target() / "file" / "deep" / "deeper");
  writeFile(move.target() / "file" / "deep" / "deeper" / "x", "x");
  writeFile(move.target() / "directory", "a file here");
  writeFile(move.target() / "link", "also a file");
  writeFile(move.target() / "shorter", "this one is longer than the source's");
  fs::create_directories(move.target() / "extra" / "more");
  writeFile(move.target() / "extra" / "more" / "file", "x");
  ASSERT_EQ(::mkfifo((move.target() / "pipe").c_str(), 0600), 0);
  const auto report = move.moveAndCheck();
  EXPECT_GE(report.deleted, 9);
}

}  // namespace
}  // namespace swarm::transfer

// What cannot be read, written or transferred, and the resulting errors.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "unit/transfer/fixture.h"

namespace swarm::transfer {
namespace {

/// Runs the rest of the scope as an ordinary user, for checks that the superuser bypasses.
class AsOrdinaryUser {
 public:
  AsOrdinaryUser() : was_root_(::geteuid() == 0) {
    if (was_root_ && (::setegid(65534) != 0 || ::seteuid(65534) != 0)) throw std::runtime_error("cannot become an ordinary user");
  }
  ~AsOrdinaryUser() {
    if (was_root_ && (::seteuid(0) != 0 || ::setegid(0) != 0)) std::abort();
  }

 private:
  bool was_root_;
};

/// Mounts a file system on a directory, if that is allowed.
class Mounted {
 public:
  Mounted(fs::path at, const char* type, const char* options) : at_(std::move(at)) {
    mounted_ = ::mount("none", at_.c_str(), type, 0, options) == 0;
  }
  ~Mounted() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  fs::path at_;
  bool mounted_;
};

void openToAll(const Move& move) {
  for (const fs::path& path : {move.source(), move.target()}) {
    fs::permissions(path, fs::perms(0777));
    fs::permissions(path.parent_path(), fs::perms(0755));
    fs::permissions(path.parent_path().parent_path(), fs::perms(0755));
  }
}

Error failureOf(Move& move, RoundKind kind) {
  try {
    move.round(kind);
  } catch (const Error& error) {
    move.loop().runUntil([&] { return move.running() == 0; });
    return error;
  }
  return Error(ErrorCode::Internal, "it did not fail");
}

TEST(Failures, anUnreadableFileIsNotedWhileTheSourceIsInUseAndAnErrorAtTheEnd) {
  Move move;
  openToAll(move);
  const AsOrdinaryUser ordinary_user;
  // The tops above belong to the superuser; an ordinary user cannot set their facts.
  move.scope.storages = {"/data/top"};
  fs::create_directories(move.target() / "top");
  fs::create_directories(move.source() / "top" / "closed" / "inside");
  writeFile(move.source() / "top" / "open", "x");
  writeFile(move.source() / "top" / "secret", "x");
  fs::permissions(move.source() / "top" / "secret", fs::perms(0));
  fs::permissions(move.source() / "top" / "closed", fs::perms(0));
  const auto report = move.round(RoundKind::Live);
  EXPECT_EQ(report.skippedCount, 2);
  EXPECT_TRUE(fs::exists(move.target() / "top" / "open"));
  const Error error = failureOf(move, RoundKind::Final);
  EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  EXPECT_TRUE(error.message().contains("/data/top/secret") || error.message().contains("/data/top/closed")) << error.message();
  fs::permissions(move.source() / "top" / "secret", fs::perms(0600));
  fs::permissions(move.source() / "top" / "closed", fs::perms(0700));
  move.round(RoundKind::Final);
  EXPECT_TRUE(fs::exists(move.target() / "top" / "closed" / "inside"));
}

TEST(Failures, anOrdinaryUserCanUpdateReadOnlyFilesAndDirectories) {
  Move move;
  openToAll(move);
  const AsOrdinaryUser ordinary_user;
  move.scope.storages = {"/data/top"};
  const fs::path source = move.source() / "top";
  const fs::path target = move.target() / "top";
  fs::create_directories(source / "closed" / "below");
  fs::create_directories(target);
  writeFile(source / "closed" / "below" / "file", "one");
  const auto close = [](const fs::path& top) {
    fs::permissions(top / "closed" / "below" / "file", fs::perms(0400));
    fs::permissions(top / "closed" / "below", fs::perms(0500));
    fs::permissions(top / "closed", fs::perms(0500));
  };
  const auto open = [](const fs::path& top) {
    fs::permissions(top / "closed", fs::perms(0700));
    fs::permissions(top / "closed" / "below", fs::perms(0700));
    fs::permissions(top / "closed" / "below" / "file", fs::perms(0600));
  };
  close(source);
  move.round(RoundKind::Final);
  EXPECT_EQ(listTree(source), listTree(target));
  open(source);
  writeFile(source / "closed" / "below" / "file", "another");
  writeFile(source / "closed" / "below" / "new", "new");
  close(source);
  move.round(RoundKind::Final);
  EXPECT_EQ(listTree(source), listTree(target));
  open(source);
  fs::remove_all(source / "closed");
  move.round(RoundKind::Final);
  EXPECT_EQ(listTree(source), listTree(target));
}

TEST(Failures, aFullTargetIsOutOfResourcesAndNamesTheFile) {
  Move move;
  const Mounted small(move.target(), "tmpfs", "size=2m");
  if (!small.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  writeFile(move.source() / "big", noise(5'000'000, 1));
  const Error error = failureOf(move, RoundKind::Live);
  EXPECT_EQ(error.code(), ErrorCode::OutOfResources);
  EXPECT_TRUE(error.message().contains("/data/big")) << error.message();
  // With free space it continues.
  ASSERT_EQ(::mount("none", move.target().c_str(), "tmpfs", MS_REMOUNT, "size=20m"), 0);
  move.moveAndCheck();
}

TEST(Failures, anAttributeThatTheTargetCannotStoreIsAnErrorThatNamesTheFile) {
  Move move;
  writeFile(move.source() / "file", "x");
  if (::setxattr((move.source() / "file").c_str(), "user.one", "1", 1, 0) != 0) GTEST_SKIP() << "no extended attributes here";
  const Mounted plain(move.target(), "ramfs", "");
  if (!plain.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  const Error error = failureOf(move, RoundKind::Live);
  EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  EXPECT_TRUE(error.message().contains("/data/file")) << error.message();
  EXPECT_TRUE(error.message().contains("user.one")) << error.message();
}

TEST(Failures, anotherFileSystemInsideIsSkippedAndNeverEmptied) {
  Move move;
  fs::create_directories(move.source() / "mounted");
  fs::create_directories(move.target() / "kept");
  const Mounted inside(move.source() / "mounted", "tmpfs", "size=1m");
  const Mounted there(move.target() / "kept", "tmpfs", "size=1m");
  if (!inside.mounted() || !there.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  writeFile(move.source() / "mounted" / "x", "x");
  writeFile(move.target() / "kept" / "y", "y");
  writeFile(move.source() / "file", "x");
  const auto report = move.round(RoundKind::Final);
  ASSERT_EQ(report.skippedCount, 1);
  EXPECT_EQ(report.skipped[0].path, "/data/mounted");
  EXPECT_EQ(report.skipped[0].reason, "another file system");
  EXPECT_EQ(readFile(move.target() / "kept" / "y"), "y");
  EXPECT_FALSE(fs::exists(move.target() / "mounted"));
  const auto [left, right] = move.digests();
  EXPECT_EQ(left.digest, right.digest);
}

TEST(Failures, aStorageThatIsMissingIsNamed) {
  Move move;
  move.scope.storages = {"/data", "/nowhere"};
  const Error error = failureOf(move, RoundKind::Live);
  EXPECT_TRUE(error.message().contains("/nowhere")) << error.message();
}

TEST(Failures, aFileThatIsInTheWayOfAMountIsNamed) {
  Move move;
  fs::create_directories(move.target() / "here");
  const Mounted there(move.target() / "here", "tmpfs", "size=1m");
  if (!there.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  writeFile(move.source() / "here", "x");
  const Error error = failureOf(move, RoundKind::Live);
  EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  EXPECT_TRUE(error.message().contains("/data/here")) << error.message();
}

}  // namespace
}  // namespace swarm::transfer

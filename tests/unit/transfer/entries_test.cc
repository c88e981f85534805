// Every type of entry and fact that a tree can have.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "unit/transfer/fixture.h"

namespace swarm::transfer {
namespace {

bool contains(const std::vector<Note>& notes, std::string_view path, std::string_view reason) {
  return std::ranges::any_of(notes, [&](const Note& note) { return note.path == path && note.reason.contains(reason); });
}

void makeSocket(const fs::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.native().size(), sizeof address.sun_path);
  std::strcpy(address.sun_path, path.c_str());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
}

TEST(Entries, namesMayBeAnyBytes) {
  Move move;
  for (const char* name : {"new\nline", "\xff\xfe", " space ", "-rf", "ünïcode", "\x01", "tab\t", "back\\slash", "\"quoted\""}) {
    writeFile(move.source() / name, name);
    fs::create_directories(move.source() / (std::string("d") + name) / name);
  }
  writeFile(move.source() / std::string(255, 'x'), "long");
  move.moveAndCheck();
}

TEST(Entries, pathsMayBeLongerThanThePathLimit) {
  Move move;
  // 30 directories of 200 bytes: 6000 bytes, created step by step.
  const std::string name(200, 'd');
  const auto build = [&](bool check) {
    int at = ::open((check ? move.target() : move.source()).c_str(), O_RDONLY | O_DIRECTORY);
    for (int level = 0; level < 30; ++level) {
      if (!check) EXPECT_EQ(::mkdirat(at, name.c_str(), 0755), 0);
      const int next = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
      EXPECT_GE(next, 0);
      ::close(at);
      at = next;
    }
    const int file = ::openat(at, "file", check ? O_RDONLY : O_WRONLY | O_CREAT, 0600);
    EXPECT_GE(file, 0);
    char text[6] = "deep!";
    if (check) {
      EXPECT_EQ(::read(file, text, 5), 5);
      EXPECT_EQ(std::string(text, 5), "deep?");
    } else {
      EXPECT_EQ(::write(file, "deep?", 5), 5);
    }
    ::close(file);
    ::close(at);
  };
  build(false);
  move.round(RoundKind::Final);
  build(true);
  auto [left, right] = move.digests();
  EXPECT_EQ(left.digest, right.digest);
  EXPECT_EQ(left.files, 1);
  // And is removed again.
  ASSERT_EQ(std::system(("rm -rf '" + (move.source() / name).native() + "'").c_str()), 0);
  EXPECT_EQ(move.round(RoundKind::Final).deleted, 31);
  EXPECT_TRUE(fs::is_empty(move.target()));
}

TEST(Entries, veryManyLevelsNeedNoDescriptorEach) {
  Move move;
  int at = ::open(move.source().c_str(), O_RDONLY | O_DIRECTORY);
  for (int level = 0; level < 1200; ++level) {
    ASSERT_EQ(::mkdirat(at, "d", 0755), 0);
    const int next = ::openat(at, "d", O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = next;
  }
  ::close(at);
  move.round(RoundKind::Final);
  auto [left, right] = move.digests();
  EXPECT_EQ(left.digest, right.digest);
  ASSERT_EQ(std::system(("rm -rf '" + (move.source() / "d").native() + "'").c_str()), 0);
  EXPECT_EQ(move.round(RoundKind::Final).deleted, 1200);
}

TEST(Entries, modesKeepTheirSpecialBits) {
  Move move;
  int file = 0;
  for (unsigned mode : {04755U, 02755U, 06711U, 01777U, 0U, 0400U, 0444U, 07777U}) {
    const fs::path path = move.source() / std::to_string(file++);
    writeFile(path, noise(2000, mode));
    fs::create_directories(path.native() + ".d");
    writeFile(path.native() + ".d/inside", "x");
    fs::permissions(path, fs::perms(mode));
    fs::permissions(path.native() + ".d", fs::perms(mode));
  }
  move.moveAndCheck();
  // Written in place, which clears what chown and write clear.
  fs::permissions(move.source() / "0", fs::perms(0755));
  writeFile(move.source() / "0", "other");
  fs::permissions(move.source() / "0", fs::perms(04755));
  move.moveAndCheck();
}

TEST(Entries, ownersAreCarried) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs the superuser";
  Move move;
  writeFile(move.source() / "file", "x");
  ASSERT_EQ(::chown((move.source() / "file").c_str(), 1234, 2345), 0);
  ASSERT_EQ(::chmod((move.source() / "file").c_str(), 06755), 0);
  fs::create_symlink("x", move.source() / "link");
  ASSERT_EQ(::lchown((move.source() / "link").c_str(), 3, 4), 0);
  ASSERT_EQ(::chown(move.source().c_str(), 1000, 1000), 0);
  move.moveAndCheck();
  // Only the owner changes.
  ASSERT_EQ(::chown((move.source() / "file").c_str(), 1, 1), 0);
  ASSERT_EQ(::chmod((move.source() / "file").c_str(), 06755), 0);
  EXPECT_EQ(move.moveAndCheck().filesSent, 0);
}

TEST(Entries, attributesAreCarriedChangedAndRemoved) {
  Move move;
  writeFile(move.source() / "file", "x");
  fs::create_directories(move.source() / "directory");
  if (::setxattr((move.source() / "file").c_str(), "user.one", "1", 1, 0) != 0) GTEST_SKIP() << "no extended attributes here";
  ::setxattr((move.source() / "file").c_str(), "user.two", "", 0, 0);
  ::setxattr((move.source() / "directory").c_str(), "user.dir", "d\0d", 3, 0);
  ::setxattr(move.source().c_str(), "user.top", "t", 1, 0);
  move.moveAndCheck();
  ::setxattr((move.source() / "file").c_str(), "user.one", "other", 5, 0);
  ::removexattr((move.source() / "file").c_str(), "user.two");
  ::removexattr((move.source() / "directory").c_str(), "user.dir");
  EXPECT_EQ(move.moveAndCheck().filesSent, 0);
}

TEST(Entries, accessListsAndCapabilitiesAreCarried) {
  Move move;
  writeFile(move.source() / "file", "x");
  fs::create_directories(move.source() / "directory");
  // user::rw- user:1000:r-- group::r-- mask::r-- other::r--
  const unsigned char list[] = {2, 0, 0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,   4,  0, 232, 3, 0,   0,   4,   0,
                                4, 0, 255, 255, 255, 255, 16, 0, 4,   0,   255, 255, 255, 255, 32, 0, 4,   0, 255, 255, 255, 255};
  if (::setxattr((move.source() / "file").c_str(), "system.posix_acl_access", list, sizeof list, 0) != 0)
    GTEST_SKIP() << "no access lists here";
  ASSERT_EQ(::setxattr((move.source() / "directory").c_str(), "system.posix_acl_default", list, sizeof list, 0), 0);
  writeFile(move.source() / "directory" / "inherits", "x");
  const unsigned char capability[] = {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  writeFile(move.source() / "capable", noise(5000, 1));
  if (::geteuid() == 0) {
    ASSERT_EQ(::setxattr((move.source() / "capable").c_str(), "security.capability", capability, sizeof capability, 0), 0);
  }
  move.moveAndCheck();
  // A file below a default list that has none itself.
  ASSERT_EQ(::removexattr((move.source() / "directory" / "inherits").c_str(), "system.posix_acl_access"), 0);
  writeFile(move.source() / "directory" / "later", "y");
  ::removexattr((move.source() / "directory" / "later").c_str(), "system.posix_acl_access");
  move.moveAndCheck();
}

TEST(Entries, groupsOfNamesFollowTheSource) {
  Move move;
  const auto at = [&](const char* name) { return move.source() / name; };
  writeFile(at("a"), "content of a");
  fs::create_hard_link(at("a"), at("b"));
  fs::create_hard_link(at("a"), at("c"));
  fs::create_directories(at("z"));
  fs::create_hard_link(at("a"), at("z") / "d");
  EXPECT_EQ(move.moveAndCheck().filesSent, 1);
  // b leaves the group and gets different content; the others must not see it.
  fs::remove(at("b"));
  writeFile(at("b"), "content of b");
  move.moveAndCheck();
  // Two groups now, crossing the old ones.
  fs::remove(at("c"));
  fs::create_hard_link(at("b"), at("c"));
  writeFile(at("a"), "new content of a, longer than before");
  move.moveAndCheck();
  // All single.
  for (const char* name : {"a", "b", "c", "z/d"}) {
    fs::remove(at(name));
    writeFile(at(name), std::string("single ") + name);
  }
  move.moveAndCheck();
  // And all one.
  for (const char* name : {"b", "c", "z/d"}) {
    fs::remove(at(name));
    fs::create_hard_link(at("a"), at(name));
  }
  move.moveAndCheck();
}

TEST(Entries, aFileLinkedAtTheTargetOnlyIsNotWrittenThroughItsOtherName) {
  Move move;
  writeFile(move.source() / "a", "one");
  writeFile(move.source() / "b", "two");
  writeFile(move.target() / "a", "both");
  fs::create_hard_link(move.target() / "a", move.target() / "b");
  move.moveAndCheck();
  // A name outside of the moved storage keeps its content, too.
  fs::create_directories(move.source() / "mnt");
  fs::create_directories(move.target() / "mnt");
  move.scope.excluded = {"/data/mnt"};
  fs::create_hard_link(move.target() / "a", move.target() / "mnt" / "other");
  writeFile(move.source() / "a", "three");
  move.round(RoundKind::Final);
  EXPECT_EQ(readFile(move.target() / "mnt" / "other"), "one");
  EXPECT_EQ(readFile(move.target() / "a"), "three");
}

TEST(Entries, holesStayHolesAndArePunched) {
  Move move;
  const fs::path path = move.source() / "sparse";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  const std::string piece = noise(100'000, 9);
  ASSERT_EQ(::pwrite(file, piece.data(), piece.size(), 300 * 1024), static_cast<ssize_t>(piece.size()));
  ASSERT_EQ(::pwrite(file, piece.data(), piece.size(), 40 * 1024 * 1024 + 5), static_cast<ssize_t>(piece.size()));
  ASSERT_EQ(::ftruncate(file, 60 * 1024 * 1024), 0);
  const auto report = move.moveAndCheck();
  EXPECT_LT(report.bytesSent, 300'000);
  EXPECT_LT(occupied(move.target()), 1'000'000);
  ASSERT_EQ(::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 40 * 1024 * 1024, 1024 * 1024), 0);
  move.moveAndCheck();
  EXPECT_LT(occupied(move.target()), 300'000);
  // Data where a hole was, and a hole at the end.
  ASSERT_EQ(::pwrite(file, piece.data(), piece.size(), 50 * 1024 * 1024), static_cast<ssize_t>(piece.size()));
  ASSERT_EQ(::ftruncate(file, 70 * 1024 * 1024), 0);
  move.moveAndCheck();
  ASSERT_EQ(::ftruncate(file, 1000), 0);
  move.moveAndCheck();
  ::close(file);
}

TEST(Entries, socketsPipesAndDevicesAreSkippedReportedAndRemovedAtTheTarget) {
  Move move;
  makeSocket(move.source() / "socket");
  ASSERT_EQ(::mkfifo((move.source() / "pipe").c_str(), 0600), 0);
  writeFile(move.source() / "file", "x");
  makeSocket(move.target() / "old");
  ASSERT_EQ(::mkfifo((move.target() / "file").c_str(), 0600), 0);
  const auto report = move.moveAndCheck();
  EXPECT_EQ(report.skippedCount, 2);
  EXPECT_TRUE(contains(report.skipped, "/data/socket", "socket"));
  EXPECT_TRUE(contains(report.skipped, "/data/pipe", "pipe"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(move.target() / "old")));
  EXPECT_TRUE(fs::is_regular_file(move.target() / "file"));
  // The digests leave them out at both sides.
  makeSocket(move.target() / "here");
  setTime(move.target(), 5);
  setTime(move.source(), 5);
  const auto [left, right] = move.digests();
  EXPECT_EQ(left.digest, right.digest);
}

TEST(Entries, aFileOfAnySizeCostsWhatItsDataDoes) {
  Move move;
  const fs::path path = move.source() / "sparse";
  writeFile(path, noise(3'000'000, 1));
  fs::resize_file(path, std::uintmax_t{1} << 50);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp((std::int64_t{1} << 49) + 5);
    file << "middle";
  }
  // Blocks that were reserved and never written read as a hole.
  const fs::path reserved = move.source() / "reserved";
  const int file = ::open(reserved.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::fallocate(file, 0, 0, 64 << 20), 0);
  ::close(file);
  auto link = move.connect();
  const auto plan = move.loop().run(link->scan(Side::Source, {}));
  EXPECT_GE(plan.bytes, 3'000'000);
  EXPECT_LT(plan.bytes, 4'000'000) << "what must be read";
  move.loop().run(link->close());
  link.reset();
  const auto [left, right] = [&] {
    move.round(RoundKind::Final);
    return move.digests();
  }();
  EXPECT_EQ(left.digest, right.digest);
  EXPECT_EQ(fs::file_size(move.target() / "sparse"), std::uintmax_t{1} << 50);
  // Without caches, both sides read everything again, with the same result.
  move.forgetHashes();
  EXPECT_EQ(move.round(RoundKind::Final).filesSent, 0);
  {
    std::fstream again(move.target() / "sparse", std::ios::in | std::ios::out | std::ios::binary);
    again.seekp((std::int64_t{1} << 48) + 5);
    again << "wrong";
  }
  move.forgetHashes();
  EXPECT_EQ(move.round(RoundKind::Final).filesSent, 1);
  const auto [source, target] = move.digests();
  EXPECT_EQ(source.digest, target.digest);
}

TEST(Entries, aUsersLostAndFoundMovesAndTheFileSystemsIsReported) {
  Move move;
  fs::create_directories(move.source() / "lost+found");
  fs::create_directories(move.target() / "lost+found");
  writeFile(move.source() / "lost+found" / "mine", "x");
  auto report = move.moveAndCheck();
  EXPECT_EQ(report.skippedCount, 0);
  EXPECT_EQ(readFile(move.target() / "lost+found" / "mine"), "x");
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make the file system's own";
  fs::permissions(move.source() / "lost+found", fs::perms::owner_all);
  fs::permissions(move.target() / "lost+found", fs::perms::owner_all);
  writeFile(move.source() / "lost+found" / "found", "x");
  report = move.round(RoundKind::Final);
  ASSERT_EQ(report.skippedCount, 1);
  EXPECT_EQ(report.skipped[0].reason, "the file system's own folder");
  EXPECT_FALSE(fs::exists(move.target() / "lost+found" / "found"));
  const auto [left, right] = move.digests();
  EXPECT_EQ(left.digest, right.digest);
}

TEST(Entries, whatBelongsToOthersIsLeftOutAtBothSides) {
  Move move;
  for (const fs::path& top : {move.source(), move.target()}) {
    fs::create_directories(top / "lost+found");
    fs::create_directories(top / "project" / "cache");
    fs::create_directories(top / "inner");
    writeFile(top / "lost+found" / "x", top.native());
    fs::permissions(top / "lost+found", fs::perms::owner_all);
    writeFile(top / "project" / "cache" / "x", top.native());
  }
  fs::create_directories(move.source() / "deeper" / "lost+found");
  writeFile(move.source() / "deeper" / "lost+found" / "kept", "x");
  writeFile(move.source() / "inner" / "file", "of the inner storage");
  move.scope = Scope{{"/data/inner", "/data"}, {"/data/project/cache"}};
  const auto report = move.round(RoundKind::Final);
  EXPECT_EQ(report.files, 2);
  EXPECT_EQ(readFile(move.target() / "lost+found" / "x"), move.target().native());
  EXPECT_EQ(readFile(move.target() / "project" / "cache" / "x"), move.target().native());
  EXPECT_EQ(readFile(move.target() / "deeper" / "lost+found" / "kept"), "x");
  EXPECT_EQ(readFile(move.target() / "inner" / "file"), "of the inner storage");
  const auto [left, right] = move.digests();
  EXPECT_EQ(left.digest, right.digest);
  EXPECT_EQ(left.files, 2);
  // Also where the source no longer has anything around it.
  fs::remove_all(move.source() / "project");
  move.round(RoundKind::Final);
  EXPECT_EQ(readFile(move.target() / "project" / "cache" / "x"), move.target().native());
}

TEST(Entries, symbolicLinksAreNeverFollowed) {
  Move move;
  const test::TempDir outside;
  outside.write("secret", "secret");
  fs::create_directories(move.source() / "directory");
  writeFile(move.source() / "directory" / "secret", "mine");
  writeFile(move.source() / "file", "mine");
  fs::create_directory_symlink(outside.path(), move.source() / "out");
  fs::create_directory_symlink(outside.path(), move.target() / "directory");
  fs::create_symlink(outside / "secret", move.target() / "file");
  move.moveAndCheck();
  EXPECT_EQ(readFile(outside / "secret"), "secret");
  EXPECT_TRUE(fs::is_symlink(move.target() / "out"));
}

TEST(Entries, aHugeDirectoryGoesInParts) {
  Move move;
  const auto name = [](int file) { return std::to_string(file * 7919 % 100'003) + ".txt"; };
  // Mostly empty: removing files with blocks is slow on some disks.
  for (int file = 0; file < 9000; ++file) writeFile(move.source() / name(file), file % 20 == 0 ? std::to_string(file) : "");
  for (int file = 0; file < 1000; ++file) writeFile(move.target() / (std::to_string(file * 31) + ".txt"), "");
  move.moveAndCheck();
  for (int file = 1; file < 9000; file += 3) fs::remove(move.source() / name(file));
  const auto report = move.moveAndCheck();
  EXPECT_EQ(report.deleted, 3000);
  EXPECT_EQ(report.filesSent, 0);
}

}  // namespace
}  // namespace swarm::transfer

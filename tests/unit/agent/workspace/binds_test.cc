// Copies of trees, and several storages on one volume.
#include "agent/workspace/binds.h"
#include "base/error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "agent/server/config.h"
#include "base/files/descriptor.h"
#include "base/files/tree_copy.h"
#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {

namespace fs = std::filesystem;

struct stat factsOf(const fs::path& path) {
  struct stat facts{};
  EXPECT_EQ(::lstat(path.c_str(), &facts), 0) << path;
  return facts;
}

class TreeCopyTest : public testing::Test {
 protected:
  TreeCopyTest() : from(folder / "from"), to(folder / "to") { fs::create_directory(from); }
  test::TempDir folder;
  fs::path from;
  fs::path to;
};

TEST_F(TreeCopyTest, keepsContentModesTimesLinksAndPipes) {
  writeFile(from / "a/text", "hello");
  ::chmod((from / "a/text").c_str(), 06751);
  ::chmod((from / "a").c_str(), 01711);
  fs::create_hard_link(from / "a/text", from / "again");
  fs::create_symlink("../no/where", from / "dangling");
  ASSERT_EQ(::mkfifo((from / "pipe").c_str(), 0600), 0);
  ::chmod((from / "pipe").c_str(), 0620);
  std::array<timespec, 2> times{timespec{1'000'000'000, 1}, timespec{1'100'000'000, 123'456'789}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (from / "a").c_str(), times.data(), 0), 0);
  copyTree(from, to);
  EXPECT_EQ(readFile(to / "a/text"), "hello");
  EXPECT_EQ(factsOf(to / "a/text").st_mode & 07777, 06751U);
  EXPECT_EQ(factsOf(to / "a").st_mode & 07777, 01711U);
  EXPECT_EQ(factsOf(to / "a").st_mtim.tv_nsec, 123'456'789) << "although files were written into it";
  EXPECT_EQ(factsOf(to / "a/text").st_ino, factsOf(to / "again").st_ino);
  EXPECT_NE(factsOf(to / "a/text").st_ino, factsOf(from / "a/text").st_ino);
  EXPECT_EQ(fs::read_symlink(to / "dangling"), "../no/where");
  EXPECT_TRUE(S_ISFIFO(factsOf(to / "pipe").st_mode));
  EXPECT_EQ(factsOf(to / "pipe").st_mode & 07777, 0620U);
}

TEST_F(TreeCopyTest, keepsHolesAndExtendedAttributes) {
  fs::path sparse = from / "sparse";
  writeFile(sparse, "begin");
  fs::resize_file(sparse, 64 << 20);
  writeFile(from / "marked", "x");
  bool attributes = ::setxattr((from / "marked").c_str(), "user.note", "kept", 4, 0) == 0;
  copyTree(from, to);
  EXPECT_EQ(fs::file_size(to / "sparse"), 64U << 20);
  EXPECT_LT(factsOf(to / "sparse").st_blocks * 512, 1 << 20) << "holes became data";
  EXPECT_EQ(occupiedBytes(to), occupiedBytes(from));
  std::array<char, 16> value{};
  ssize_t length = ::getxattr((to / "marked").c_str(), "user.note", value.data(), value.size());
  EXPECT_EQ(length, attributes ? 4 : -1) << "if the file system of this test supports them";
}

TEST_F(TreeCopyTest, keepsOwners) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  writeFile(from / "theirs", "x");
  fs::create_symlink("theirs", from / "link");
  ASSERT_EQ(::lchown((from / "theirs").c_str(), 4242, 4243), 0);
  ASSERT_EQ(::lchown((from / "link").c_str(), 4244, 4245), 0);
  ASSERT_EQ(::chown(from.c_str(), 4246, 4247), 0);
  copyTree(from, to);
  EXPECT_EQ(factsOf(to / "theirs").st_uid, 4242U);
  EXPECT_EQ(factsOf(to / "link").st_gid, 4245U);
  EXPECT_EQ(factsOf(to).st_uid, 4246U);
}

TEST_F(TreeCopyTest, copiesATreeWhosePathsAreLongerThanTheSystemTakes) {
  constexpr int kDepth = 200;
  const std::string name(40, 'd');
  Descriptor at(::open(from.c_str(), O_RDONLY | O_DIRECTORY));
  for (int level = 0; level < kDepth; ++level) {
    ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0755), 0);
    at = Descriptor(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
  }
  copyTree(from, to);
  Descriptor copy(::open(to.c_str(), O_RDONLY | O_DIRECTORY));
  for (int level = 0; level < kDepth && copy.valid(); ++level)
    copy = Descriptor(::openat(copy.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_TRUE(copy.valid());
}

TEST_F(TreeCopyTest, saysWhichFileItStumbledOver) {
  writeFile(from / "sub/file", "x");
  writeFile(to / "sub/file", "there already");
  try {
    copyTree(from, to);
    FAIL() << "nothing is overwritten";
  } catch (const fs::filesystem_error& error) {
    EXPECT_EQ(error.path1(), "sub");
  }
}

/// Records what would be mounted where; mounts nothing.
class BindTest : public testing::Test {
 protected:
  BindMount recorder(int response = 0) {
    return [this, response](int directory, const fs::path& to) {
      std::string source = fs::read_symlink("/proc/self/fd/" + std::to_string(directory));
      mounted.emplace_back(fs::path(source).filename().string(), to.string());
      return response;
    };
  }
  StorageBind bind(std::string_view name, std::string_view to) { return {folder / ("data/volumes/" + std::string(name)), folder / to}; }
  test::TempDir folder;
  std::vector<std::pair<std::string, std::string>> mounted;
};

TEST_F(BindTest, newStorageIsFilledFromTheImageOnce) {
  writeFile(folder / "home/coder/.bashrc", "from the image");
  EXPECT_EQ(bindStorage({bind("home", "home/coder")}, recorder()), std::nullopt);
  EXPECT_EQ(readFile(folder / "data/volumes/home/.bashrc"), "from the image");
  writeFile(folder / "home/coder/.bashrc", "of a newer image");
  EXPECT_EQ(bindStorage({bind("home", "home/coder")}, recorder()), std::nullopt);
  EXPECT_EQ(readFile(folder / "data/volumes/home/.bashrc"), "from the image");
  EXPECT_EQ(mounted.size(), 2U);
}

TEST_F(BindTest, storageThatAnEmptiedHomeLeftIsNotFilledAgain) {
  writeFile(folder / "home/coder/.bashrc", "from the image");
  fs::create_directories(folder / "data/volumes/home");
  EXPECT_EQ(bindStorage({bind("home", "home/coder")}, recorder()), std::nullopt);
  EXPECT_TRUE(fs::is_empty(folder / "data/volumes/home"));
}

TEST_F(BindTest, anInterruptedFillIsRepeated) {
  writeFile(folder / "home/coder/.bashrc", "whole");
  writeFile(folder / "data/volumes/.home.filling/.bashrc", "wh");
  writeFile(folder / "data/volumes/.home.filling/gone", "x");
  EXPECT_EQ(bindStorage({bind("home", "home/coder")}, recorder()), std::nullopt);
  EXPECT_EQ(readFile(folder / "data/volumes/home/.bashrc"), "whole");
  EXPECT_FALSE(fs::exists(folder / "data/volumes/home/gone"));
  EXPECT_FALSE(fs::exists(folder / "data/volumes/.home.filling"));
}

TEST_F(BindTest, outerPlacesComeFirstAndInnerOnesAreFilledFromTheImageToo) {
  writeFile(folder / "home/coder/.bashrc", "outer");
  writeFile(folder / "home/coder/project/readme", "inner");
  EXPECT_EQ(bindStorage({bind("project", "home/coder/project"), bind("home", "home/coder")}, recorder()), std::nullopt);
  EXPECT_THAT(mounted, testing::ElementsAre(testing::Pair("home", (folder / "home/coder").string()),
                                            testing::Pair("project", (folder / "home/coder/project").string())));
  EXPECT_EQ(readFile(folder / "data/volumes/project/readme"), "inner");
}

TEST_F(BindTest, aPlaceThatTheImageLacksIsMade) {
  EXPECT_EQ(bindStorage({bind("cache", "var/cache/mine")}, recorder()), std::nullopt);
  EXPECT_TRUE(fs::is_directory(folder / "var/cache/mine"));
  EXPECT_TRUE(fs::is_empty(folder / "data/volumes/cache"));
}

TEST_F(BindTest, aPlaceThatCoversTheVolumeItselfIsFilledWithNothingAndOthersAreStillFound) {
  writeFile(folder / "data/on-the-volume", "x");
  writeFile(folder / "home/coder/.bashrc", "from the image");
  EXPECT_EQ(bindStorage({bind("data", "data"), bind("home", "home/coder")}, recorder()), std::nullopt);
  EXPECT_TRUE(fs::is_empty(folder / "data/volumes/data"));
  EXPECT_THAT(mounted, testing::ElementsAre(testing::Pair("data", (folder / "data").string()),
                                            testing::Pair("home", (folder / "home/coder").string())));
}

TEST_F(BindTest, whatIsBoundAlreadyIsLeftAlone) {
  fs::create_directories(folder / "data/volumes/home");
  fs::create_directories(folder / "home");
  fs::create_directory_symlink(folder / "data/volumes/home", folder / "home/coder");  // the same directory at two paths, as after a mount
  EXPECT_EQ(bindStorage({bind("home", "home/coder")}, recorder()), std::nullopt);
  EXPECT_TRUE(mounted.empty());
}

TEST_F(BindTest, aFailureNamesTheStorageThePlaceAndTheReason) {
  auto reason = bindStorage({bind("home", "home/coder")}, recorder(EPERM));
  ASSERT_TRUE(reason);
  EXPECT_THAT(*reason,
              testing::AllOf(testing::HasSubstr("volumes/home"), testing::HasSubstr("home/coder"), testing::HasSubstr("CAP_SYS_ADMIN")));
  writeFile(folder / "data/volumes/file", "not a directory");
  reason = bindStorage({bind("file", "home/coder")}, recorder());
  ASSERT_TRUE(reason);
  EXPECT_THAT(*reason, testing::HasSubstr("not a directory"));
}

TEST(AgentConfig, readsBindsAndRefusesThoseThatAreNotPlain) {
  test::TempDir folder;
  auto load = [&](const std::string& binds) {
    writeFile(folder / "agent.json", R"({"instanceId":"i-1","secret":"000102030405060708090a0b0c0d0e0f","binds":)" + binds + "}");
    return loadConfig(folder / "agent.json").binds;
  };
  auto binds = load(R"([{"from":"/data/volumes/home","to":"/home/coder","later":1}])");
  ASSERT_EQ(binds.size(), 1U);
  EXPECT_EQ(binds[0].from, "/data/volumes/home");
  EXPECT_EQ(binds[0].to, "/home/coder");
  EXPECT_TRUE(load("null").empty());
  for (const char* wrong :
       {"{}", R"([{"from":"/a"}])", R"([{"from":"a","to":"/b"}])", R"([{"from":"/a/../b","to":"/c"}])", R"([{"from":"/a","to":"/"}])",
        R"([{"from":"/a","to":"/b/"}])", R"([{"from":"/a","to":"/c"},{"from":"/b","to":"/c"}])", R"([["/a","/b"]])"}) {
    EXPECT_THROW(load(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace swarm::agent

// An import that is killed at any step: the files are either the old ones or the new ones, and nothing else is left.
#include <sys/wait.h>

#include "agent/archive/staging.h"
#include "base/error.h"
#include "base/text/format.h"
#include "unit/agent/fixture.h"
#include "unit/agent/shell.h"

namespace swarm::agent {
namespace {
namespace fs = std::filesystem;

class StagingTest : public testing::Test {
 protected:
  static constexpr const char* kOld = ".\n./a\n./folder\n./folder/b\n./inner\n./inner/mounted\n./inner/mounted/theirs\n./inner/own\n";
  static constexpr const char* kNew = ".\n./c\n./inner\n./inner/mounted\n./inner/mounted/theirs\n./inner/other\n";

  void makeOld() {
    fs::remove_all(folder / "root");
    for (const char* storage : {"home", "data"}) {
      writeFile(folder / "root" / storage / "a", "old");
      writeFile(folder / "root" / storage / "folder/b", "old");
      writeFile(folder / "root" / storage / "inner/own", "old");
      writeFile(folder / "root" / storage / "inner/mounted/theirs", "theirs");
    }
  }
  std::unique_ptr<Staging> begin(std::function<void()> passed) {
    transfer::Scope all{{"/home", "/data"}, {"/home/inner/mounted", "/data/inner/mounted"}};
    auto staging = std::make_unique<Staging>(std::vector<std::string>{"/home", "/data"}, all, folder / "root", std::move(passed));
    for (const char* storage : {"home", "data"}) {
      auto fresh = folder / "root" / storage / kStagingName / "new";
      writeFile(fresh / "c", "new");
      writeFile(fresh / "inner/other", "new");
    }
    return staging;
  }
  /// Runs it in a child process, which is killed at its n-th step; returns whether it ended before.
  bool killedAt(int step, const std::function<void(std::function<void()>)>& work) {
    pid_t child = ::fork();
    if (child == 0) {
      int left = step;
      work([&left] {
        if (--left == 0) ::raise(SIGKILL);
      });
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) || WTERMSIG(status) == SIGKILL);
    return WIFEXITED(status);
  }
  std::string listing(const char* storage) { return shell(format("cd '{}' && find . | sort", (folder / "root" / storage).string())); }
  void recover(std::function<void()> passed = {}) { recoverStaging({"/home", "/data"}, folder / "root", std::move(passed)); }

  test::TempDir folder{"/dev/shm"};  // each step syncs the disk, which may be busy
};

TEST_F(StagingTest, whatIsCommittedTakesThePlaceOfWhatWasThereAndOtherMountsStay) {
  makeOld();
  auto staging = begin({});
  EXPECT_EQ(readFile(folder / "root/home/a"), "old") << "until the commit";
  staging->commit();
  for (const char* storage : {"home", "data"}) EXPECT_EQ(listing(storage), kNew);
}

TEST_F(StagingTest, whatIsDiscardedLeavesNoTrace) {
  makeOld();
  auto before = shell(format("cd '{}' && find . -printf '%p %m %T@\\n' | sort", (folder / "root").string()));
  begin({})->discard();
  EXPECT_EQ(shell(format("cd '{}' && find . -printf '%p %m\\n' | sort", (folder / "root").string())),
            shell(format("printf '%s' '{}' | sed 's/ [^ ]*$//'", before)));
}

TEST_F(StagingTest, killedAtAnyStepBothStoragesAreOldOrBothAreNew) {
  bool was_old = false, was_new = false;
  for (int step = 1;; ++step) {
    makeOld();
    bool ended = killedAt(step, [this](auto passed) { begin(std::move(passed))->commit(); });
    recover();
    auto home = listing("home");
    EXPECT_EQ(home, listing("data")) << step;
    EXPECT_TRUE(home == kOld || home == kNew) << step << "\n" << home;
    EXPECT_FALSE(was_new && home == kOld) << "a committed import is completed";
    (home == kOld ? was_old : was_new) = true;
    if (ended) break;
    ASSERT_LT(step, 100);
  }
  EXPECT_TRUE(was_old && was_new);
}

TEST_F(StagingTest, killedAgainWhileItRecoversItStillGoesOn) {
  for (int step : {3, 10, 13, 20, 27, 35}) {
    for (int again : {1, 4, 9}) {
      makeOld();
      killedAt(step, [this](auto passed) { begin(std::move(passed))->commit(); });
      killedAt(again, [this](auto passed) { recover(std::move(passed)); });
      recover();
      auto home = listing("home");
      EXPECT_EQ(home, listing("data")) << step << " " << again;
      EXPECT_TRUE(home == kOld || home == kNew) << step << " " << again << "\n" << home;
    }
  }
}

TEST_F(StagingTest, aUsersFolderOfItsNameIsNotTouched) {
  makeOld();
  writeFile(folder / "root/home" / kStagingName / "mine", "precious");
  EXPECT_THROW(begin({}), Error);
  recover();
  EXPECT_EQ(readFile(folder / "root/home" / kStagingName / "mine"), "precious");
  EXPECT_EQ(listing("data"), kOld) << "the import begun in the other storage was rolled back";
}

}  // namespace
}  // namespace swarm::agent

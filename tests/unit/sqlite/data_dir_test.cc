// The data folder: who may read it, and that one server uses it.
#include "sqlite/data_dir.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "base/error.h"
#include "support/temp_dir.h"

namespace swarm::sqlite {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

template <typename Call>
Error errorOf(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::Internal, "nothing was thrown");
}

TEST(SqliteDataDir, isMadeWithItsParentsAndPrivate) {
  test::TempDir folder;
  const DataDir data(folder / "new/data");
  EXPECT_EQ(fs::status(data.path()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(data.databaseFile()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(SqliteDataDir, isForOneAtATimeAndNamesTheProcessThatHasIt) {
  test::TempDir folder;
  {
    const DataDir first(folder / "data");
    const Error error = errorOf([&] { DataDir{folder / "data"}; });
    EXPECT_EQ(error.code(), ErrorCode::Conflict);
    EXPECT_THAT(error.message(), HasSubstr("process " + std::to_string(::getpid())));
  }
  EXPECT_NO_THROW(DataDir{folder / "data"});
}

TEST(SqliteDataDir, keepsADatabaseThatIsThere) {
  test::TempDir folder;
  fs::create_directory(folder / "data");
  std::ofstream(folder / "data/swarm.db") << "content";
  const DataDir data(folder / "data");
  EXPECT_EQ(fs::file_size(data.databaseFile()), 7u);
}

TEST(SqliteDataDir, rejectsAFileInItsPlace) {
  test::TempDir folder;
  folder.write("data", "");
  EXPECT_EQ(errorOf([&] { DataDir{folder / "data"}; }).code(), ErrorCode::Unprocessable);
}

TEST(SqliteDataDir, checksForSpaceAndLeavesNothing) {
  test::TempDir folder;
  DataDir::checkSpace(folder.path());
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_EQ(errorOf([&] { DataDir::checkSpace(folder / "missing"); }).code(), ErrorCode::Unavailable);
}

}  // namespace
}  // namespace swarm::sqlite

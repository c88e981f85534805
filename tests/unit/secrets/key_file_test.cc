// The key file: made once, private, and refused when it is not.
#include "secrets/key_file.h"

#include <sys/stat.h>

#include <fstream>

#include "base/error.h"
#include "gmock/gmock.h"
#include "support/temp_dir.h"

namespace swarm {
namespace {

using testing::HasSubstr;

class KeyFile : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "secrets.key"; }
  Error errorOf(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::Internal, "nothing was thrown");
  }
  Error readError() {
    return errorOf([&] { readKeyFile(file()); });
  }
  test::TempDir folder_;
};

TEST_F(KeyFile, isMadeOnceAndPrivate) {
  EXPECT_FALSE(readKeyFile(file()));
  const Secret key = createKeyFile(file());
  EXPECT_EQ(key.reveal().size(), 32u);
  EXPECT_EQ(readKeyFile(file())->reveal(), key.reveal());
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_THAT(errorOf([&] { createKeyFile(file()); }).message(), HasSubstr("File exists"));
  EXPECT_EQ(readKeyFile(file())->reveal(), key.reveal()) << "it is never replaced";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1) << "no other file is left";
}

TEST_F(KeyFile, isRefusedWhenOthersMayUseIt) {
  createKeyFile(file());
  for (const mode_t mode : {0640, 0604, 0620}) {
    ::chmod(file().c_str(), mode);
    const Error error = readError();
    EXPECT_EQ(error.code(), ErrorCode::PermissionDenied);
    EXPECT_THAT(error.message(), HasSubstr(file().string()));
    EXPECT_THAT(error.message(), HasSubstr("chmod 600"));
  }
  ::chmod(file().c_str(), 0400);
  EXPECT_TRUE(readKeyFile(file()));
}

TEST_F(KeyFile, isRefusedWhenItIsNotAKey) {
  for (const std::string& content :
       {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'), std::string(9000, 'a')}) {
    std::ofstream(file()) << content;
    ::chmod(file().c_str(), 0600);
    EXPECT_EQ(readError().code(), ErrorCode::Unprocessable) << content.size();
    EXPECT_THAT(readError().message(), HasSubstr("expected 64 hexadecimal digits"));
  }
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_THAT(readError().message(), HasSubstr("is not a file"));
}

TEST_F(KeyFile, namesAFolderThatDoesNotExist) {
  const auto missing = folder_.path() / "unmounted" / "key";
  const Error error = errorOf([&] { createKeyFile(missing); });
  EXPECT_THAT(error.message(), HasSubstr(missing.string()));
  EXPECT_THAT(error.message(), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace swarm

// The host key of the SSH listener: clients pin it, so it is made once.
#include "ssh/host_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "protocol/ssh.h"
#include "support/temp_dir.h"

namespace swarm::ssh {
namespace {

const char* const kFile = "ssh_host_ed25519_key";

TEST(SshHostKey, isMadeOnceForItsOwnerAlone) {
  const test::TempDir folder;
  const HostKey made = keepHostKey(folder.path());
  EXPECT_TRUE(agent::parseSshPublicKey(made.publicKey));
  const HostKey kept = keepHostKey(folder.path());
  EXPECT_EQ(kept.publicKey, made.publicKey);
  EXPECT_EQ(kept.privateKey.reveal(), made.privateKey.reveal());
  struct stat facts{};
  ASSERT_EQ(::stat((folder / kFile).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  EXPECT_FALSE(std::filesystem::exists(folder / "ssh_host_ed25519_key.new"));
  const test::TempDir other;
  EXPECT_NE(keepHostKey(other.path()).publicKey, made.publicKey);
}

TEST(SshHostKey, isOneForOpenSsh) {
  const test::TempDir folder;
  const HostKey made = keepHostKey(folder.path());
  const std::string read = (folder / "public").native();
  ASSERT_EQ(std::system(("ssh-keygen -y -P '' -f '" + (folder / kFile).native() + "' >'" + read + "'").c_str()), 0);
  std::ifstream in(read);
  std::string type, key;
  in >> type >> key;
  EXPECT_EQ(type + ' ' + key, made.publicKey);
  ASSERT_EQ(
      std::system(("rm -f '" + (folder / kFile).native() + "'; ssh-keygen -q -t ed25519 -N '' -C me -f '" + (folder / kFile).native() + "'")
                      .c_str()),
      0);
  std::ifstream pub(folder / "ssh_host_ed25519_key.pub");
  pub >> type >> key;
  EXPECT_EQ(keepHostKey(folder.path()).publicKey, type + ' ' + key) << "an administrator may bring one";
}

TEST(SshHostKey, thatIsDamagedOrOpenToOthersIsNotReplaced) {
  const test::TempDir folder;
  keepHostKey(folder.path());
  std::filesystem::permissions(folder / kFile, std::filesystem::perms::group_read, std::filesystem::perm_options::add);
  EXPECT_THROW(keepHostKey(folder.path()), Error);
  std::filesystem::permissions(folder / kFile, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::resize_file(folder / kFile, 100);
  EXPECT_THROW(keepHostKey(folder.path()), Error);
  EXPECT_EQ(std::filesystem::file_size(folder / kFile), 100U);
}

}  // namespace
}  // namespace swarm::ssh

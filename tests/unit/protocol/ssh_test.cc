// Public keys of SSH come from clients, agents and servers, and become parts of lines that sshd and ssh read.
#include "protocol/ssh.h"

#include "base/id.h"
#include "gtest/gtest.h"

namespace swarm::agent {
namespace {

std::string keyOf(std::string_view type, std::string_view inside) {
  const std::string bytes = std::string{'\0', '\0', '\0', static_cast<char>(inside.size())} + std::string(inside) + "the key itself";
  return std::string(type) + " " + toBase64(bytes);
}
std::string keyOf(std::string_view type) { return keyOf(type, type); }

TEST(SshPublicKey, isReadWithAndWithoutItsComment) {
  for (const char* type : {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"}) {
    const std::string key = keyOf(type);
    EXPECT_EQ(readSshPublicKey(key), key);
    EXPECT_EQ(readSshPublicKey(key + " me@home\n"), key);
  }
}

TEST(SshPublicKey, isNothingElse) {
  const std::string key = keyOf("ssh-ed25519");
  for (const std::string& text :
       {std::string(), std::string("ssh-ed25519"), std::string("ssh-ed25519 "), keyOf("ssh-dss"), keyOf("ssh-ed25519", "ssh-rsa"),
        "command=\"id\" " + key, key + "\n" + key, key + "\ncommand=\"id\" " + key, std::string("ssh-ed25519 AAAA"),
        std::string("ssh-ed25519 !!!!"), key + std::string("\0x", 2), key + std::string(kMaxSshKey, 'x'), "\t" + key, key + "="})
    EXPECT_FALSE(readSshPublicKey(text)) << text;
}

}  // namespace
}  // namespace swarm::agent

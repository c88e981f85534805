// What the files of this machine say about who may use an Engine. Sockets are real; other users' rights need root.
#include "engine/transport/socket_access.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "support/temp_dir.h"

namespace swarm::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SocketAccess : public ::testing::Test {
 protected:
  /// A bound socket, which is the file of one that listens.
  fs::path makeSocket(const fs::path& path, mode_t mode) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::optional<SocketTrouble> asAnotherUser(const fs::path& socket) {
    EXPECT_EQ(::seteuid(65534), 0);
    auto trouble = socketTrouble(socket);
    EXPECT_EQ(::seteuid(0), 0);
    return trouble;
  }
  std::string exposureWith(mode_t mode) {
    Endpoint endpoint;
    endpoint.socketPath = folder_ / "docker.sock";
    std::error_code ignored;
    fs::remove(endpoint.socketPath, ignored);
    makeSocket(endpoint.socketPath, mode);
    return exposureOf(endpoint);
  }

  test::TempDir folder_;
};

TEST_F(SocketAccess, aSocketThatThisUserMayUseIsFine) { EXPECT_FALSE(socketTrouble(makeSocket(folder_ / "docker.sock", 0660))); }

TEST_F(SocketAccess, aMissingSocketNamesTheOneOfARootlessEngine) {
  const char* before = std::getenv("XDG_RUNTIME_DIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("XDG_RUNTIME_DIR", (folder_ / ".").c_str(), 1);
  const auto without = socketTrouble(folder_ / "none.sock");
  makeSocket(folder_ / "docker.sock", 0600);
  const auto with = socketTrouble(folder_ / "none.sock");
  if (before != nullptr)
    ::setenv("XDG_RUNTIME_DIR", kept.c_str(), 1);
  else
    ::unsetenv("XDG_RUNTIME_DIR");
  ASSERT_TRUE(without && with);
  EXPECT_FALSE(without->forbidden);
  EXPECT_THAT(without->detail, AllOf(HasSubstr("there is no such socket"), HasSubstr("systemctl start docker")));
  EXPECT_THAT(with->detail, AllOf(HasSubstr("rootless"), HasSubstr("DOCKER_HOST=unix://"), HasSubstr("docker.sock")));
}

TEST_F(SocketAccess, aFolderInItsPlaceIsExplained) {
  fs::create_directory(folder_ / "docker.sock");
  const auto folder = socketTrouble(folder_ / "docker.sock");
  ASSERT_TRUE(folder);
  EXPECT_THAT(folder->detail, AllOf(HasSubstr("is not a socket"), HasSubstr("Docker makes for a mount")));
  EXPECT_TRUE(socketTrouble(folder_.write("file", "")));
}

TEST_F(SocketAccess, anotherUsersSocketIsExplainedByItsGroupAndMode) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  ::chmod(folder_.path().c_str(), 0755);
  const fs::path socket = makeSocket(folder_ / "docker.sock", 0660);
  ASSERT_EQ(::chown(socket.c_str(), 0, 1), 0);
  const auto trouble = asAnotherUser(socket);
  ASSERT_TRUE(trouble);
  EXPECT_TRUE(trouble->forbidden);
  EXPECT_THAT(trouble->detail, AllOf(HasSubstr("group daemon, mode 0660"), HasSubstr("usermod -aG daemon")));
  ASSERT_EQ(::chown(socket.c_str(), 0, 0), 0);
  ::chmod(socket.c_str(), 0600);  // the process is still a member of root's group
  const auto of_root = asAnotherUser(socket);
  ASSERT_TRUE(of_root);
  EXPECT_THAT(of_root->detail, AllOf(HasSubstr("\"group\": \"docker\""), HasSubstr("usermod -aG docker")));
  ::chmod(folder_.path().c_str(), 0700);
  const auto behind = asAnotherUser(socket);
  ASSERT_TRUE(behind);
  EXPECT_THAT(behind->detail, HasSubstr("may not enter a folder"));
}

TEST_F(SocketAccess, aSocketForEveryUserIsAnExposure) {
  EXPECT_THAT(exposureWith(0660), IsEmpty());
  EXPECT_THAT(exposureWith(0666), AllOf(HasSubstr("every user of this machine"), HasSubstr("mode 0666")));
}

TEST_F(SocketAccess, aRemotePortWithoutTlsIsAnExposure) {
  Endpoint endpoint;
  endpoint.host = "10.0.0.2";
  EXPECT_THAT(exposureOf(endpoint), AllOf(HasSubstr("tcp://10.0.0.2:2375"), HasSubstr("no TLS")));
  endpoint.tls.enabled = true;
  EXPECT_THAT(exposureOf(endpoint), IsEmpty());
  endpoint.tls.enabled = false;
  endpoint.overSsh = true;
  EXPECT_THAT(exposureOf(endpoint), IsEmpty());
  endpoint = {};
  endpoint.host = "127.0.0.1";
  EXPECT_THAT(exposureOf(endpoint), IsEmpty());
}

}  // namespace
}  // namespace swarm::engine

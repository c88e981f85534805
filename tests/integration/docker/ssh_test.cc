// The machine's Engine behind a real sshd, which runs in a container on the machine's network, with keys of its own.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "base/text/format.h"
#include "engine/transport/ssh_command.h"
#include "engine/transport/transport.h"
#include "integration/docker/docker_test.h"
#include "integration/docker/own_engine.h"
#include "support/temp_dir.h"

namespace swarm::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSshdConfig =
    "ListenAddress 127.0.0.1\nHostKey /keys/host\nAuthorizedKeysFile /keys/user.pub\nPidFile none\nUsePAM no\nStrictModes no\n"
    "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n";

class DockerOverSsh : public DockerTest {
 protected:
  void SetUp() override {
    const char* image = std::getenv("SWARM_TEST_IMAGE");
    if (!image) GTEST_SKIP() << "SWARM_TEST_IMAGE is not set: it has the sshd";
    if (std::system("command -v docker >/dev/null") != 0) GTEST_SKIP() << "there is no program docker for the other side";
    path_before_ = std::getenv("PATH");
    for (const char* key : {"host", "user", "other"}) shell(format("ssh-keygen -q -t ed25519 -N '' -C '' -f {}/{}", folder(), key));
    folder_.write("sshd_config", kSshdConfig);
    socket_ = testEngineConfig().socketPath;
    name_ = newId("swarm-test-sshd-");
    port_ = freePort();
    shell(
        format("docker -H unix://{} run --rm -d --name {} --network host --user 0:0 -v {}:/keys:ro -v {}:/var/run/docker.sock "
               "-v \"$(readlink -f \"$(command -v docker)\")\":/usr/bin/docker:ro --entrypoint sh {} "
               "-c 'mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -p {} -f /keys/sshd_config' >/dev/null",
               socket_.string(), name_, folder(), socket_.string(), image, port_));
    // The system's ssh reads its configuration from the home in the user database, not from $HOME.
    shell(format("printf '#!/bin/sh\\nPATH={}\\nexec ssh -F {}/config \"$@\"\\n' >{}/ssh && chmod 755 {}/ssh", path_before_, folder(),
                 folder(), folder()));
    useKey("user");
    ::setenv("PATH", (folder() + ":" + path_before_).c_str(), 1);
  }
  void TearDown() override {
    DockerTest::TearDown();
    fixture_.reset();
    if (path_before_.empty()) return;
    ::setenv("PATH", path_before_.c_str(), 1);
    if (!name_.empty()) shell(format("docker -H unix://{} rm -f {} >/dev/null 2>&1", socket_.string(), name_));
  }

  static void shell(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }
  std::string folder() const { return folder_.path().string(); }
  void useKey(const std::string& name) {
    folder_.write("config", format("IdentityFile {}/{}\nIdentitiesOnly yes\nUserKnownHostsFile {}/known_hosts\nGlobalKnownHostsFile none\n",
                                   folder(), name, folder()));
  }
  void trustHost() { shell(format("printf '[127.0.0.1]:{} %s\\n' \"$(cat {}/host.pub)\" >{}/known_hosts", port_, folder(), folder())); }

  DockerProviderConfig overSsh() const {
    DockerProviderConfig config;
    static_cast<engine::Endpoint&>(config) = engine::parseSshUrl(format("ssh://root@127.0.0.1:{}", port_));
    return config;
  }
  std::string trouble() {
    engine::Transport transport(overSsh());
    auto error = errorOf([&] { runner_.run(transport.connect(Deadline::after(std::chrono::seconds(20)))); });
    return error ? error->message() : "";
  }
  void awaitSshd() {
    EXPECT_TRUE(runner_.waitFor([&] { return !trouble().contains("the SSH server cannot be reached"); })) << trouble();
  }

  test::TempDir folder_;
  std::filesystem::path socket_;
  std::string path_before_;
  std::string name_;
  std::uint16_t port_ = 0;
};

TEST_F(DockerOverSsh, anUnknownHostAndARefusedKeyAreExplained) {
  awaitSshd();
  EXPECT_THAT(trouble(), HasSubstr("its host key is unknown here"));
  trustHost();
  useKey("other");
  EXPECT_THAT(trouble(), HasSubstr("authorized_keys of root"));
}

TEST_F(DockerOverSsh, carriesAWholeLife) {
  trustHost();
  awaitSshd();
  ASSERT_EQ(trouble(), "");
  useEngine(overSsh());
  InstanceSpec wanted = spec();
  EXPECT_EQ(create(wanted).status, InstanceStatus::running);
  EXPECT_EQ(execute(wanted, {"cat"}, "through ssh").stdoutText, "through ssh");
  EXPECT_TRUE(runner_.waitFor([&] { return countEvents(ProviderEvent::Kind::Changed) > 0; }));
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

}  // namespace
}  // namespace swarm::testing

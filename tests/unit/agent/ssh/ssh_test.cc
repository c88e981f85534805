// SSH through the agent's port, with a program in place of sshd that sends its files and then all that it receives. Real clients and the
// real sshd: tests/e2e/ssh.
#include <sys/stat.h>

#include "agent/client/ssh_client.h"
#include "base/error.h"
#include "base/id.h"
#include "unit/agent/fixture.h"
#include "unit/agent/shell.h"

namespace swarm::agent {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;

std::string keyOf(std::string_view client) {
  const std::string type = "ssh-ed25519";
  return type + " " + toBase64(std::string{'\0', '\0', '\0', '\x0b'} + type + std::string(client));
}
const std::string kClientKey = keyOf("the key of a client"), kOtherKey = keyOf("another key");

class SshTest : public AgentTest {
 protected:
  SshTest() { exec.base["PATH"] = (folder / "bin").string() + ":/usr/bin:/bin"; }

  /// Its standard input and output are the connection, as sshd has it.
  void installServer() {
    writeFile(folder / "bin/sshd", "#!/bin/sh\n{ cat \"$4\"; cat \"${4%/*}/authorized_keys\"; echo ready; exec cat; }\n");
    ::chmod((folder / "bin/sshd").c_str(), 0755);
  }
  SshTunnel open(std::vector<std::string> keys = {kClientKey}) {
    return await(openSshTunnel(target(), {.keys = std::move(keys)}, Deadline::after(kPatience)));
  }
  std::string readUntil(net::Stream& stream, std::string_view wanted) {
    return await([](net::Stream& from, std::string until) -> awaitable<std::string> {
      std::string text;
      std::array<char, 4096> buffer{};
      while (text.find(until) == std::string::npos) {
        auto got = co_await from.readSome(asio::buffer(buffer));
        if (got.error) co_return text + " (closed)";
        text.append(buffer.data(), got.bytes);
      }
      co_return text;
    }(stream, std::string(wanted)));
  }
  void write(net::Stream& stream, std::string_view text) {
    await([](net::Stream& to, std::string_view what) -> awaitable<void> { co_await to.writeAll(what); }(stream, text));
  }
  Error errorOf(std::string key = kClientKey) {
    try {
      open({std::move(key)});
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "it was opened";
    return Error(ErrorCode::Internal, "");
  }
  fs::path hostKey() const { return folder / "home/.config/swarm/ssh/i-test_ed25519"; }
  std::size_t connections() const {
    return fs::exists(folder / "ssh") ? static_cast<std::size_t>(std::distance(fs::directory_iterator(folder / "ssh"), {})) : 0;
  }
};

TEST_F(SshTest, aConnectionHasAServerThatAdmitsItsKeyAlone) {
  installServer();
  exec.base["GREETING"] = "say \"hi\" \\ now";
  exec.base["LINES"] = "one\ntwo";
  SshTunnel tunnel = open({kClientKey + " a comment"});
  const std::string files = readUntil(*tunnel.stream, "ready\n");
  EXPECT_THAT(files, HasSubstr("\n" + kClientKey + "\nready\n")) << "the key, and nothing else";
  EXPECT_THAT(files, HasSubstr("HostKey \"" + hostKey().string() + "\"\n"));
  EXPECT_THAT(files, HasSubstr("AllowUsers \"coder\"\n"));
  EXPECT_THAT(files, HasSubstr("\nPasswordAuthentication no\n"));
  EXPECT_THAT(files, HasSubstr(R"( "GREETING=say \"hi\" \\ now")"));
  EXPECT_THAT(files, testing::Not(HasSubstr("LINES")));
  write(*tunnel.stream, "ping\n");
  EXPECT_EQ(readUntil(*tunnel.stream, "ping\n"), "ping\n");
  EXPECT_EQ(await(getActivity(target(), Deadline::after(kPatience))).connections, 1);
  EXPECT_EQ(connections(), 1);
  tunnel.stream.reset();
  waitUntil([this] { return activity.connections() == 0 && connections() == 0; });
}

TEST_F(SshTest, theHostKeyIsMadeOnceAndReadableByTheUserAlone) {
  installServer();
  const std::string first = open().hostKey;
  EXPECT_EQ(shell("ssh-keygen -y -f '" + hostKey().string() + "' | cut -d' ' -f1,2"), first + "\n");
  EXPECT_EQ(open().hostKey, first);
  struct stat facts{};
  ASSERT_EQ(::stat(hostKey().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  ASSERT_EQ(::stat(hostKey().parent_path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0700u);
  EXPECT_EQ(std::distance(fs::directory_iterator(hostKey().parent_path()), {}), 1) << "nothing unfinished";
}

TEST_F(SshTest, aConnectionAdmitsEachKeyOfTheRequestThatIsOne) {
  installServer();
  SshTunnel tunnel = open({kClientKey, "not a key", kOtherKey + " me"});
  EXPECT_THAT(readUntil(*tunnel.stream, "ready\n"), HasSubstr("\n" + kClientKey + "\n" + kOtherKey + "\nready\n"));
}

TEST_F(SshTest, aConnectionAdmitsCertificatesOfACaForOneUser) {
  installServer();
  const SshTunnel tunnel =
      await(openSshTunnel(target(), {.keys = {kClientKey}, .authority = kOtherKey, .user = "ann"}, Deadline::after(kPatience)));
  EXPECT_THAT(readUntil(*tunnel.stream, "ready\n"),
              HasSubstr("\n" + kClientKey + "\ncert-authority,principals=\"ann\" " + kOtherKey + "\nready\n"));
}

TEST_F(SshTest, concurrentFirstConnectionsGetOneHostKey) {
  installServer();
  std::vector<std::string> keys;
  auto one = [](AgentTarget where, std::vector<std::string>& into) -> awaitable<void> {
    into.push_back((co_await openSshTunnel(where, {.keys = {kClientKey}}, Deadline::after(kPatience))).hostKey);
  };
  for (int i = 0; i < 4; ++i) asio::co_spawn(context, one(target(), keys), asio::detached);
  waitUntil([&] { return keys.size() == 4; });
  for (const std::string& key : keys) EXPECT_EQ(key, keys.front());
}

TEST_F(SshTest, theHostKeyIsThereBeforeTheFirstConnection) {
  installServer();
  await(ssh.prepare(hold));
  ASSERT_TRUE(fs::exists(hostKey()));
  const std::string before = readFile(hostKey());
  open();
  EXPECT_EQ(readFile(hostKey()), before);
}

TEST_F(SshTest, anImageWithoutSshdGetsTheNameOfThePackage) {
  exec.base["PATH"] = folder / "bin";
  if (shell("PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v sshd || true") != "") GTEST_SKIP() << "this machine has sshd";
  await(ssh.prepare(hold));
  const Error error = errorOf();
  EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  EXPECT_THAT(error.message(), HasSubstr("openssh-server"));
}

TEST_F(SshTest, aDamagedHostKeyIsNamed) {
  installServer();
  writeFile(hostKey(), "no key");
  const Error error = errorOf();
  EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  EXPECT_THAT(error.message(), HasSubstr("i-test_ed25519"));
  EXPECT_EQ(connections(), 0) << "a folder that stays would contain the environment";
  writeFile(hostKey(), "");
  EXPECT_NE(open().hostKey, "") << "one that was never written completely";
}

TEST_F(SshTest, aStorageThatIsMissingGetsNoHostKeyAndNoServer) {
  installServer();
  ssh.refuse("The volume of /home/coder could not be mounted.");
  await(ssh.prepare(hold));
  const Error error = errorOf();
  EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  EXPECT_EQ(error.message(), "The volume of /home/coder could not be mounted.");
  EXPECT_FALSE(fs::exists(hostKey())) << "it would be lost, and clients would refuse the next one";
}

TEST_F(SshTest, whatIsNotAKeyIsRefused) {
  installServer();
  for (const char* key : {"", "ssh-ed25519", "command=\"id\" ssh-ed25519 AAAA"})
    EXPECT_EQ(errorOf(key).code(), ErrorCode::InvalidArgument) << key;
  EXPECT_EQ(send(request("GET", "/tunnel/ssh", token(TokenScope::Ssh))).status, 426);
}

TEST_F(SshTest, whatTheServerPrintsCountsAsActivity) {
  installServer();
  writeFile(folder / "bin/sshd", "#!/bin/sh\nwhile read line; do head -c 1000 /dev/zero; done\n");
  SshTunnel tunnel = open();
  const auto before = activity.lastActivity();
  write(*tunnel.stream, "\n");
  waitUntil([&] { return activity.lastActivity() > before; });
}

TEST_F(SshTest, aHeldInstanceStartsNoServer) {
  installServer();
  SshTunnel tunnel = open();
  readUntil(*tunnel.stream, "ready\n");
  await(agent::hold(target(), "op-1", "It moves.", Deadline::after(kPatience)));
  EXPECT_THAT(readUntil(*tunnel.stream, "never"), HasSubstr("(closed)"));
  const Error error = errorOf();
  EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  EXPECT_EQ(error.message(), "It moves.");
}

}  // namespace
}  // namespace swarm::agent

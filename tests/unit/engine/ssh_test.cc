// Engines that are reached by ssh: addresses, and what a program named ssh on PATH does wrong.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/files/descriptor.h"
#include "base/text/format.h"
#include "engine/transport/ssh_command.h"
#include "engine/transport/transport.h"
#include "support/coroutine_test.h"
#include "support/temp_dir.h"

namespace swarm::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

template <typename Work>
Error errorOf(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::Internal, "no error");
}

TEST(SshEndpoint, isReadAsUsersWriteIt) {
  for (const char* url : {"ssh://ops@box2.example.com", "ssh://box2", "ssh://ops@10.0.0.2:2222", "ssh://o.p_s-1@[fd00::2]:22"})
    EXPECT_EQ(toString(parseSshUrl(url)), url);
  EXPECT_EQ(parseSshUrl("ssh://ops@10.0.0.2:2222").port, 2222);
  EXPECT_EQ(parseSshUrl("ssh://[fd00::2]").host, "fd00::2");
  EXPECT_TRUE(isLocal(parseSshUrl("ssh://ops@127.0.0.1:2222")));
  EXPECT_FALSE(isLocal(parseSshUrl("ssh://ops@box2")));
}

TEST(SshEndpoint, passesNothingThatSshOrAShellCouldTakeForAnOptionOrACommand) {
  for (const char* url : {"ssh://",
                          "ssh://@box2",
                          "ssh://-oProxyCommand=id",
                          "ssh://-l@box2",
                          "ssh://ops@-v",
                          "ssh://ops@box2:",
                          "ssh://ops@box2:0",
                          "ssh://ops@box2:70000",
                          "ssh://ops@box2:22x",
                          "ssh://ops@box2/run/docker.sock",
                          "ssh://a b@box2",
                          "ssh://ops@box2;id",
                          "ssh://ops@$(id)",
                          "ssh://ops@`id`",
                          "ssh://o@ps@box2",
                          "ssh://ops@box2\n",
                          "ssh://ops@%h",
                          "ssh://[box2]",
                          "ssh://[::1",
                          "ssh://[::1]x"})
    EXPECT_EQ(errorOf([&] { parseSshUrl(url); }).code(), ErrorCode::InvalidArgument) << url;
  EXPECT_THAT(errorOf([] { parseSshUrl("ssh://ops:sesame@box2"); }).message(), AllOf(HasSubstr("use a key"), Not(HasSubstr("sesame"))));
}

TEST(SshEndpoint, becomesAPreciseCommand) {
  const auto arguments = sshArguments(parseSshUrl("ssh://ops@box2:2222"));
  const std::vector<std::string> end(arguments.end() - 9, arguments.end());
  EXPECT_THAT(end, ElementsAre("-l", "ops", "-p", "2222", "--", "box2", "docker", "system", "dial-stdio"));
  EXPECT_THAT(arguments, ::testing::Contains("BatchMode=yes"));
  EXPECT_THAT(arguments, ::testing::Contains("ConnectTimeout=10"));
}

/// A shell script in place of the system's ssh.
class SshProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    path_before_ = std::getenv("PATH");
    ::setenv("PATH", (folder_.path().string() + ":" + path_before_).c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_before_.c_str(), 1); }

  void is(const std::string& script) {
    folder_.write("ssh", "#!/bin/sh\necho $$ >>" + (folder_ / "pids").string() + "\n" + script);
    ::chmod((folder_ / "ssh").c_str(), 0755);
  }
  Error failure(std::chrono::milliseconds patience = std::chrono::seconds(15)) {
    return errorOf([&] { loop_.run(transport_.ping(Deadline::after(patience))); });
  }
  std::vector<pid_t> pids() {
    std::ifstream file(folder_ / "pids");
    std::vector<pid_t> pids;
    for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
    return pids;
  }
  bool anyRuns() {
    return std::ranges::any_of(pids(), [](pid_t pid) { return ::kill(pid, 0) == 0; });
  }

  test::TempDir folder_;
  std::string path_before_;
  test::TestLoop loop_;
  Transport transport_{parseSshUrl("ssh://ops@box2")};
};

/// Responds to the first request on a connection (HEAD) and to those after it, a line at a time, as an Engine does.
constexpr const char* kEngine = R"sh(cr=$(printf '\r')
while read -r method path rest; do
  while read -r line && [ "$line" != "$cr" ]; do :; done
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'
  [ "$method" = HEAD ] || printf OK
done
)sh";

TEST_F(SshProgram, carriesRequestsOverOneProcessAndEndsWithItsConnection) {
  is(kEngine);
  for (int i = 0; i < 3; ++i) loop_.run(transport_.ping(Deadline::after(std::chrono::seconds(15))));
  EXPECT_EQ(pids().size(), 1U);
  EXPECT_TRUE(anyRuns());
  transport_.forget();
  EXPECT_FALSE(anyRuns());
}

TEST_F(SshProgram, getsNoneOfTheServersSecrets) {
  ::setenv("FLY_API_TOKEN", "FlyV1 secret", 1);
  is("env >" + (folder_ / "environment").string() + "\n" + kEngine);
  loop_.run(transport_.ping(Deadline::after(std::chrono::seconds(15))));
  ::unsetenv("FLY_API_TOKEN");
  std::ifstream file(folder_ / "environment");
  const std::string environment(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(environment, AllOf(HasSubstr("LC_ALL=C\n"), Not(HasSubstr("FlyV1"))));
}

TEST_F(SshProgram, mayPrintWithoutEndToStderr) {
  is(format("head -c 300000 /dev/zero | tr '\\0' x >&2\n{}", kEngine));
  loop_.run(transport_.ping(Deadline::after(std::chrono::seconds(15))));
  is("head -c 300000 /dev/zero | tr '\\0' x >&2; exit 255");
  transport_.forget();
  EXPECT_LT(failure().message().size(), 1000U);
}

TEST_F(SshProgram, isExplainedWhenItFails) {
  struct Case {
    const char* script;
    const char* reason;
  };
  for (const Case& one : {
           Case{"echo 'Host key verification failed.' >&2; exit 255", "run once and compare the fingerprint: ssh ops@box2"},
           Case{"echo '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @' >&2; echo 'Host key verification failed.' >&2; exit 255",
                "ssh-keygen -R"},
           Case{"echo 'ops@box2: Permission denied (publickey).' >&2; exit 255", "authorized_keys of ops"},
           Case{"echo 'bash: line 1: docker: command not found' >&2; exit 127", "the program docker is missing there"},
           Case{"echo 'dial unix /var/run/docker.sock: connect: permission denied' >&2; exit 1", "sudo usermod -aG docker ops"},
           Case{"echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1", "does not respond"},
           Case{"echo 'failed to open the raw stream connection: dial unix /run/d.sock: connect: no such file or directory' >&2; exit 1",
                "does not respond"},
           Case{"echo \"docker: 'dial-stdio' is not a docker command.\" >&2; exit 1", "too old"},
           Case{"echo 'ssh: Could not resolve hostname box2: Name or service not known' >&2; exit 255", "its name is unknown"},
           Case{"echo 'ssh: connect to host box2 port 22: Connection refused' >&2; exit 255", "the SSH server cannot be reached"},
           Case{"exit 3", "Compare with: ssh -o BatchMode=yes ops@box2 docker version"},
           Case{"echo Welcome; sleep 1000", "it sent \"Welcome"},
       }) {
    is(one.script);
    const Error error = failure();
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_THAT(error.message(), AllOf(StartsWith("No Docker Engine responds at ssh://ops@box2: "), HasSubstr(one.reason)));
    EXPECT_FALSE(anyRuns()) << one.script;
  }
}

TEST_F(SshProgram, sendsNothingUnprintableIntoAnError) {
  is("printf 'no\\033[2Jway\\n' >&2; exit 255");
  EXPECT_THAT(failure().message(), AllOf(HasSubstr("(ssh: no"), HasSubstr("way)"), Not(HasSubstr("\033"))));
}

TEST_F(SshProgram, endsWithAllThatItStartedAtTheDeadline) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Descriptor reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  is("exec 3>" + pipe + "; echo started >&3; sleep 1000 & cat >/dev/null; wait");
  const Error error = failure(std::chrono::seconds(2));
  EXPECT_EQ(error.code(), ErrorCode::DeadlineExceeded);
  EXPECT_THAT(error.message(), EndsWith("Compare with: ssh -o BatchMode=yes ops@box2 docker version"));
  // The end of the pipe comes when no process has it open.
  ::fcntl(reader.get(), F_SETFL, 0);
  std::string text(64, '\0');
  ASSERT_EQ(::read(reader.get(), text.data(), text.size()), 8);
  EXPECT_EQ(::read(reader.get(), text.data(), text.size()), 0);
}

TEST_F(SshProgram, isNamedWhenItIsMissing) {
  ::setenv("PATH", folder_.path().c_str(), 1);
  EXPECT_THAT(failure().message(), HasSubstr("the program ssh is missing on this machine. Install it (Debian: openssh-client)"));
}

}  // namespace
}  // namespace swarm::engine

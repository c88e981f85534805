// The block in ssh's configuration, the pinned host keys, and what `swarm config-ssh` and `swarm open --desktop` do and report.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "cli/ssh/ssh_config.h"
#include "cli/ssh/ssh_files.h"
#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {
namespace fs = std::filesystem;

const std::string kBlock = sshBlock({"web1.swarm"}, {{"User", "coder"}});

TEST(SshBlock, comesFirstAndLeavesEveryOtherByte) {
  for (const std::string& config :
       {std::string(), std::string("Host *\n  User me\n"), std::string("Port 22"), std::string("\r\nPort 22\r\n\0x", 13)}) {
    const std::string with = replaceSshBlock(config, kBlock);
    EXPECT_EQ(with, kBlock + config);
    EXPECT_TRUE(hasSshBlock(with));
    EXPECT_EQ(replaceSshBlock(with, kBlock), with);
    EXPECT_EQ(replaceSshBlock(with, ""), config);
    EXPECT_EQ(replaceSshBlock("Host a\n" + with, "x\n"), "Host a\nx\n" + config) << "it stays where it was moved to";
  }
}

TEST(SshBlock, thatIsIncompleteIsNotGuessed) {
  const std::string begin = kBlock.substr(0, kBlock.find('\n') + 1);
  const std::string end = kBlock.substr(kBlock.rfind('\n', kBlock.size() - 2) + 1);
  for (const std::string& config : {begin, end, end + begin, kBlock + kBlock, kBlock + end})
    EXPECT_THROW(replaceSshBlock(config, kBlock), Error) << config;
}

TEST(SshBlock, matchesNoHostWithAQuote) { EXPECT_NE(kBlock.find(R"(Host web1.swarm *.swarm "!*'*")"), std::string::npos) << kBlock; }

class PinnedConnection final : public SshConnection {
 public:
  PinnedConnection(std::string key, std::string id) : key_("ssh-ed25519 " + std::move(key)), id_(std::move(id)) {}
  const std::string& hostKey() const override { return key_; }
  const std::string& instanceId() const override { return id_; }
  std::string read() override { return {}; }
  bool write(std::string) override { return false; }
  void closeWrite() override {}
  void close() override {}

 private:
  std::string key_, id_;
};

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SshPin, holdsForOneWorkspaceAndNotForItsName) {
  const test::TempDir folder;
  const SshFiles files{folder / "ssh"};
  const auto pin = [&](const std::string& host, const std::string& key, const std::string& id) {
    return pinHostKey(files, host, PinnedConnection(key, id));
  };
  EXPECT_EQ(pin("web1.swarm", "AAAA", "i-1"), Pin::Added);
  EXPECT_EQ(pin("web2.swarm", "BBBB", "i-2"), Pin::Added);
  EXPECT_EQ(pin("web1.swarm", "AAAA", "i-1"), Pin::Known);
  EXPECT_EQ(pin("web1.swarm", "CCCC", "i-1"), Pin::Refused);
  EXPECT_EQ(content(files.knownHosts()), "web1.swarm ssh-ed25519 AAAA i-1\nweb2.swarm ssh-ed25519 BBBB i-2\n");
  EXPECT_EQ(pin("web1.swarm", "DDDD", "i-3"), Pin::Replaced);
  EXPECT_EQ(content(files.knownHosts()), "web2.swarm ssh-ed25519 BBBB i-2\nweb1.swarm ssh-ed25519 DDDD i-3\n");
  for (const char* id : {"", "i-1\n* ssh-ed25519 EEEE", "i 1"}) EXPECT_THROW(pin("web3.swarm", "AAAA", id), Error) << id;
  EXPECT_EQ(content(files.knownHosts()).find("web3"), std::string::npos);
}

class SshCommand : public ::testing::Test {
 protected:
  SshCommand() {
    for (auto [name, value] : {std::pair{"HOME", folder_.path()}, {"XDG_CONFIG_HOME", folder_ / "config"}}) {
      const char* before = std::getenv(name);
      before_.emplace_back(name, before ? before : "");
      ::setenv(name, value.c_str(), 1);
    }
    api_.on("GET /api/instances/web1", 200, {instance("web1")});
    api_.on("GET /api/instances?limit=500", 200,
            {R"({"items":[)" + instance("web1") + "," + instance("dev") + "," + instance("x\\nProxyCommand evil") + "]}"});
  }
  ~SshCommand() override {
    for (const auto& [name, value] : before_) value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
  }
  static std::string instance(const std::string& name) {
    return R"({"id":"i-1","owner":"ada","provider":"docker","status":"running","config":{"name":")" + name +
           R"("},"url":"http://web1.localhost/","operationId":""})";
  }
  fs::path config() const { return folder_ / ".ssh/config"; }
  void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  static mode_t modeOf(const fs::path& path) {
    struct stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777;
  }

  test::TempDir folder_;
  std::vector<std::pair<std::string, std::string>> before_;
  ApiDouble api_;
};

TEST_F(SshCommand, configSshWritesABlockAndAKeyAndRemovesTheBlock) {
  const Ran ran = runCommand(api_, {"config-ssh"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string block = content(config());
  EXPECT_NE(block.find("Host dev.swarm web1.swarm *.swarm "), std::string::npos) << block;
  EXPECT_NE(block.find("' 'ssh' '--url' '" + api_.url() + "' '--stdio' '%h'\n"), std::string::npos) << block;
  EXPECT_EQ(block.find("evil"), std::string::npos) << block;
  EXPECT_EQ(modeOf(config()), 0600u);
  EXPECT_EQ(modeOf(config().parent_path()), 0700u);
  EXPECT_EQ(modeOf(folder_ / "config/swarm/ssh/id_ed25519"), 0600u);
  EXPECT_TRUE(content(folder_ / "config/swarm/ssh/id_ed25519.pub").starts_with("ssh-ed25519 "));
  EXPECT_EQ(runCommand(api_, {"config-ssh", "--remove"}).code, 0);
  EXPECT_EQ(content(config()), "");
}

std::string listener(const std::string& host, int port) {
  return R"({"enabled":true,"host":")" + host + R"(","port":)" + std::to_string(port) +
         R"(,"hostKey":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"})";
}

TEST_F(SshCommand, configSshNamesTheListenerAndPinsItsKey) {
  api_.on("GET /api/auth/status", 200, {R"({"user":"ada","role":"user"})"});
  api_.on("GET /api/ssh", 200, {listener("swarm.example.com", 2222)});
  ASSERT_EQ(runCommand(api_, {"config-ssh"}).code, 0);
  EXPECT_NE(
      content(config()).find("Host swarm-jump\n  HostName swarm.example.com\n  Port 2222\n  User ada\n  Ciphers aes128-gcm@openssh.com,"),
      std::string::npos)
      << content(config());
  const fs::path known = folder_ / "config/swarm/ssh/known_hosts";
  EXPECT_TRUE(content(known).starts_with("[swarm.example.com]:2222 ssh-ed25519 AAAA")) << content(known);
  api_.on("GET /api/ssh", 200, {listener("swarm.example.com", 22)});
  ASSERT_EQ(runCommand(api_, {"config-ssh"}).code, 0);
  EXPECT_NE(content(known).find("\nswarm.example.com ssh-ed25519 "), std::string::npos)
      << "the usual port is not named: " << content(known);
}

TEST_F(SshCommand, aMalformedListenerChangesNothing) {
  api_.on("GET /api/auth/status", 200, {R"({"user":"ada\n  ProxyCommand evil","role":"user"})"});
  for (const std::string host : {"swarm.example.com", "x\\n  ProxyCommand evil", ""}) {
    api_.on("GET /api/ssh", 200, {listener(host, 2222)});
    EXPECT_EQ(runCommand(api_, {"config-ssh"}).code, 1) << host;
    EXPECT_FALSE(fs::exists(config()));
  }
}

TEST_F(SshCommand, configSshFollowsALinkAndKeepsModeAndContent) {
  write(folder_ / "dotfiles/ssh_config", "Host a\n  Port 1\n");
  ::chmod((folder_ / "dotfiles/ssh_config").c_str(), 0640);
  fs::create_directories(config().parent_path());
  fs::create_symlink("../dotfiles/ssh_config", config());
  ASSERT_EQ(runCommand(api_, {"config-ssh"}).code, 0);
  EXPECT_TRUE(fs::is_symlink(config()));
  EXPECT_EQ(modeOf(config()), 0640u);
  EXPECT_TRUE(content(config()).ends_with("\nHost a\n  Port 1\n"));
  ASSERT_EQ(runCommand(api_, {"config-ssh", "--remove"}).code, 0);
  EXPECT_EQ(content(folder_ / "dotfiles/ssh_config"), "Host a\n  Port 1\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "dotfiles"), {}), 1) << "nothing beside it";
}

/// As when several terminals run `swarm config-ssh`.
TEST_F(SshCommand, concurrentChangesOfTheConfigurationAreAllKept) {
  constexpr int kWriters = 4, kLines = 8;
  std::vector<std::jthread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([] {
      for (int line = 0; line < kLines; ++line)
        changeSshConfig(sshFiles(), [](const std::string& config) { return config + "# a line\n"; });
    });
  }
  writers.clear();
  const std::string all = readSshConfig();
  EXPECT_EQ(std::ranges::count(all, '\n'), kWriters * kLines);
}

TEST_F(SshCommand, configSshCanSayWhatItWouldDo) {
  const Ran ran = runCommand(api_, {"config-ssh", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("Host dev.swarm web1.swarm"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("Nothing was changed"), std::string::npos) << ran.err;
  EXPECT_FALSE(fs::exists(config()));
}

TEST_F(SshCommand, theDesktopsLinkIsPrintedWithTheStepThatIsMissing) {
  const Ran first = runCommand(api_, {"open", "web1", "--desktop", "--print"});
  EXPECT_EQ(first.out, "vscode://vscode-remote/ssh-remote+web1.swarm/home/coder/project\n");
  EXPECT_NE(first.err.find("swarm config-ssh"), std::string::npos) << first.err;
  ASSERT_EQ(runCommand(api_, {"config-ssh"}).code, 0);
  EXPECT_EQ(runCommand(api_, {"open", "web1", "--desktop", "--print"}).err, "");
}

TEST_F(SshCommand, aMalformedNameBecomesNeitherALinkNorAnArgument) {
  for (const std::string name : {"-oProxyCommand=evil", "x/../y", "a b", "x\\u001b]0;y"}) {
    api_.on("GET /api/instances/web1", 200, {instance(name)});
    for (const std::vector<std::string>& words : {std::vector<std::string>{"open", "web1", "--desktop", "--print"}, {"ssh", "web1"}}) {
      const Ran ran = runCommand(api_, words);
      EXPECT_EQ(ran.code, 1) << name;
      EXPECT_EQ(ran.out, "") << name;
      EXPECT_NE(ran.err.find("the name of the workspace is malformed"), std::string::npos) << ran.err;
    }
  }
}

TEST_F(SshCommand, aStoppedWorkspaceGetsTheNextStep) {
  std::string stopped = instance("web1");
  stopped.replace(stopped.find("running"), 7, "stopped");
  api_.on("GET /api/instances/web1", 200, {stopped});
  const Ran ran = runCommand(api_, {"ssh", "web1"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("swarm start web1"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace swarm::cli::testing

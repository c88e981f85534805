// The agent's pure parts: detecting activity, log lines, users, environments, its file, homes.
#include <sys/stat.h>

#include "agent/process/log_pipe.h"
#include "agent/process/process_state.h"
#include "agent/server/config.h"
#include "agent/workspace/home.h"
#include "base/error.h"
#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {
using std::chrono::seconds;

enum class Deflate { No, Yes };
std::string webSocketFrame(std::size_t length, Deflate deflate = Deflate::Yes, int opcode = 2) {
  std::string frame(1, static_cast<char>(0x80 | (deflate == Deflate::Yes ? 0x40 : 0) | opcode));
  if (length < 126) {
    frame.push_back(static_cast<char>(0x80 | length));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(length >> 8));
    frame.push_back(static_cast<char>(length & 0xff));
  }
  return frame + std::string(4 + length, 'x');
}
constexpr std::string_view kUpgrade = "GET /stable HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

TEST(ActivityDetector, anHttpRequestIsActivity) {
  ActivityDetector detector(ActivityDetector::Traffic::Vscode);
  EXPECT_TRUE(detector.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n", SteadyTime(seconds(1))));
}

TEST(ActivityDetector, anIdlePageIsNotActivityHoweverLongItStays) {
  ActivityDetector detector(ActivityDetector::Traffic::Vscode);
  SteadyTime now(seconds(1));
  EXPECT_TRUE(detector.feed(kUpgrade, now));
  for (int beat = 0; beat < 10'000; ++beat) {
    now += seconds(1);
    // As recorded from a page without user input: keep-alives every 5 s, acknowledgements every 2 s, pings.
    if (beat % 5 == 0) EXPECT_FALSE(detector.feed(webSocketFrame(4), now));
    if (beat % 5 == 0) EXPECT_FALSE(detector.feed(webSocketFrame(13, Deflate::No), now));
    if (beat % 2 == 0) EXPECT_FALSE(detector.feed(webSocketFrame(14), now));
    EXPECT_FALSE(detector.feed(webSocketFrame(100, Deflate::No, 9), now)) << "a ping";
  }
}

TEST(ActivityDetector, typingInATerminalIsActivity) {
  ActivityDetector detector(ActivityDetector::Traffic::Vscode);
  SteadyTime now(seconds(1));
  detector.feed(kUpgrade, now);
  now += seconds(60);
  bool found = false;
  for (int key = 0; key < 10; ++key) {
    now += std::chrono::milliseconds(400);
    found |= detector.feed(webSocketFrame(14), now);
  }
  EXPECT_TRUE(found);
}

TEST(ActivityDetector, aUsersMessagesAreFoundHoweverTheBytesAreSplit) {
  ActivityDetector detector(ActivityDetector::Traffic::Vscode);
  SteadyTime now(seconds(1));
  detector.feed(kUpgrade.substr(0, 70), now);
  detector.feed(kUpgrade.substr(70), now);
  now += seconds(60);
  bool found = false;
  for (char byte : webSocketFrame(13) + webSocketFrame(300)) found |= detector.feed(std::string_view(&byte, 1), now);
  EXPECT_TRUE(found);
  now += seconds(60);
  found = false;
  for (char byte : webSocketFrame(13)) found |= detector.feed(std::string_view(&byte, 1), now);
  EXPECT_FALSE(found);
}

TEST(ActivityDetector, onAPortABurstIsActivityAndATrickleIsNot) {
  ActivityDetector detector(ActivityDetector::Traffic::Port);
  SteadyTime now(seconds(1));
  for (int beat = 0; beat < 100; ++beat) {
    now += seconds(15);
    EXPECT_FALSE(detector.feed(std::string(52, 'k'), now));
  }
  now += seconds(15);
  EXPECT_TRUE(detector.feed(std::string(500, 'd'), now));
}

TEST(ActivityDetector, keepAlivesOfSshAreNotActivityHoweverFrequent) {
  for (const auto interval : {seconds(1), seconds(3), seconds(15), seconds(60)}) {
    ActivityDetector detector(ActivityDetector::Traffic::Ssh);
    SteadyTime now(seconds(1));
    for (int beat = 0; beat < 1000; ++beat) {
      now += interval;
      EXPECT_FALSE(detector.feed(std::string(100, 'k'), now)) << interval.count() << " s, packet " << beat;
    }
  }
}

/// Two channels with a keep-alive every 5 s, and an acknowledgement for each of the other side's.
TEST(ActivityDetector, anIdleVsCodeOnTheDesktopIsNotActivity) {
  ActivityDetector detector(ActivityDetector::Traffic::Ssh);
  SteadyTime now(seconds(1));
  for (int beat = 0; beat < 1000; ++beat) {
    now += std::chrono::milliseconds(4980);
    for (int packet = 0; packet < 4; ++packet) {
      now += std::chrono::milliseconds(5);
      EXPECT_FALSE(detector.feed(std::string(64, 'k'), now)) << beat;
    }
  }
}

TEST(ActivityDetector, typingAndPrintingOverSshAreActivity) {
  for (const std::size_t bytes : {36U, 4000U}) {
    ActivityDetector detector(ActivityDetector::Traffic::Ssh);
    SteadyTime now(seconds(60));
    bool found = false;
    for (int packet = 0; packet < 20; ++packet) {
      now += std::chrono::milliseconds(250);
      found |= detector.feed(std::string(bytes, 'd'), now);
    }
    EXPECT_TRUE(found) << bytes;
  }
}

TEST(LinePrefixer, prefixesWholeLinesEmptyOnesAndTheLastPiece) {
  LinePrefixer lines("x");
  EXPECT_EQ(lines.feed("one\ntwo"), "[x] one\n");
  EXPECT_EQ(lines.feed("!\n\nthree"), "[x] two!\n[x] \n");
  EXPECT_EQ(lines.finish(), "[x] three\n");
  EXPECT_EQ(lines.finish(), "");
}

TEST(LinePrefixer, breaksALineThatNeverEnds) {
  LinePrefixer lines("x");
  std::string out = lines.feed(std::string(20'000, 'a'));
  EXPECT_EQ(std::ranges::count(out, '\n'), 2);
}

TEST(UserDatabase, findsIdsHomeShellAndSupplementaryGroups) {
  test::TempDir folder;
  writeFile(folder / "passwd", "root:x:0:0::/root:/bin/bash\nbroken line\ncoder:x:1000:1001:C:/home/coder:/bin/zsh\n");
  writeFile(folder / "group", "root:x:0:\ncoder:x:1001:\ndocker:x:999:other,coder\nsudo:x:27:coderx\n");
  UserDatabase users(folder / "passwd", folder / "group");
  auto coder = users.find("coder");
  ASSERT_TRUE(coder);
  EXPECT_EQ(coder->uid, 1000U);
  EXPECT_EQ(coder->gid, 1001U);
  EXPECT_EQ(coder->home, "/home/coder");
  EXPECT_EQ(coder->shell, "/bin/zsh");
  EXPECT_THAT(coder->groups, testing::ElementsAre(1001, 999));
  EXPECT_FALSE(users.find("code"));
  EXPECT_FALSE(UserDatabase(folder / "absent", folder / "absent").find("root"));
}

TEST(Environment, leavesOutWhatIsOursAndKeepsTheContainers) {
  std::array<char*, 6> lines{const_cast<char*>("SWARM_AGENT_CONFIG=/x"),
                             const_cast<char*>("SWARM_AGENT={}"),
                             const_cast<char*>("A=b=c"),
                             const_cast<char*>("PATH=/bin"),
                             const_cast<char*>("broken"),
                             nullptr};
  auto environment = containerEnvironment(lines.data());
  EXPECT_EQ(environment, (Environment{{"A", "b=c"}, {"PATH", "/bin"}}));
  UserRecord user;
  user.name = "coder";
  user.home = "/home/coder";
  user.shell = "/bin/bash";
  auto login = loginEnvironment(environment, user, {{"A", "mine"}});
  EXPECT_EQ(login["A"], "mine");
  EXPECT_EQ(login["PATH"], "/opt/swarm/bin:/bin");
  EXPECT_EQ(loginEnvironment(login, user)["PATH"], "/opt/swarm/bin:/bin");
}

TEST(AgentConfig, readsIdSecretAndMounts) {
  test::TempDir folder;
  writeFile(folder / "agent.json",
            R"({"instanceId":"i-1","secret":"000102030405060708090a0b0c0d0e0f","mounts":["/data"],"later":{"x":1}})");
  auto config = loadConfig(folder / "agent.json");
  EXPECT_EQ(config.instanceId, "i-1");
  EXPECT_EQ(config.key.algorithm, TokenAlgorithm::Hmac);
  EXPECT_EQ(config.key.bytes.reveal().size(), 16U);
  EXPECT_THAT(config.mounts, testing::ElementsAre("/data"));
  protectConfig(folder / "agent.json");
  struct stat facts{};
  ASSERT_EQ(::stat((folder / "agent.json").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0400U);
}

TEST(AgentConfig, refusesWhatItCannotUseWithoutTellingTheSecret) {
  test::TempDir folder;
  for (const char* text : {"", "{", "[]", R"({"instanceId":"i-1"})", R"({"instanceId":"i-1","secret":"deadbeef"})",
                           R"({"instanceId":"","secret":"000102030405060708090a0b0c0d0e0f"})",
                           R"({"instanceId":"i-1","secret":"zzz102030405060708090a0b0c0d0e0f"})"}) {
    writeFile(folder / "agent.json", text);
    try {
      loadConfig(folder / "agent.json");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), testing::HasSubstr("agent.json"));
      EXPECT_THAT(error.message(), testing::Not(testing::HasSubstr("0102030405")));
    }
  }
  EXPECT_THROW(loadConfig(folder / "absent.json"), Error);
}

TEST(AgentConfig, isReadFromTheEnvironmentWithAPublicKey) {
  std::string key(64, 'a');
  AgentConfig config = readSettings(R"({"instanceId":"i-1","publicKey":")" + key + R"(","mounts":["/data"],"hold":"op-1","later":1,)" +
                                    R"("setup":"#!/bin/sh\necho hi\n","git":{"name":"Ada","email":"ada@example.com"}})");
  EXPECT_EQ(config.instanceId, "i-1");
  EXPECT_EQ(config.key.algorithm, TokenAlgorithm::Ed25519);
  EXPECT_EQ(config.key.bytes.reveal(), std::string(32, '\xaa'));
  EXPECT_THAT(config.mounts, testing::ElementsAre("/data"));
  EXPECT_EQ(config.hold, "op-1");
  EXPECT_EQ(config.setup, "#!/bin/sh\necho hi\n");
  EXPECT_EQ(config.git, (GitIdentity{"Ada", "ada@example.com"}));
}

TEST(AgentConfig, hasTheKeyOfItsTlsOrNone) {
  const std::string settings = R"({"instanceId":"i-1","publicKey":")" + std::string(64, 'a') + "\"";
  EXPECT_TRUE(readSettings(settings + "}").tlsKey.empty());
  EXPECT_EQ(readSettings(settings + R"(,"tlsKey":")" + std::string(64, 'b') + "\"}").tlsKey.reveal(), std::string(32, '\xbb'));
  for (const std::string& key : {std::string(), std::string(62, 'b'), std::string(64, 'z')}) {
    try {
      readSettings(settings + R"(,"tlsKey":")" + key + "\"}");
      ADD_FAILURE() << "an agent without TLS would serve in the clear: " << key;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), testing::HasSubstr("/tlsKey must be 32 bytes"));
      EXPECT_THAT(error.message(), testing::Not(testing::HasSubstr("bbbb")));
    }
  }
}

TEST(AgentConfig, inTheEnvironmentIsRefusedWithoutItsKeyAndWithASecret) {
  std::string key = R"("publicKey":")" + std::string(64, 'a') + "\"";
  std::string short_key = R"({"instanceId":"i-1","publicKey":")" + std::string(62, 'a') + "\"}";
  std::string no_key = R"({"instanceId":"i-1","publicKey":")" + std::string(64, 'z') + "\"}";
  std::string secret_too = R"({"instanceId":"i-1","secret":"00",)" + key + "}";
  std::vector<std::string> wrong{"{", "[]", "{}", R"({"instanceId":"i-1"})",
                                 R"({"instanceId":"i-1","secret":"000102030405060708090a0b0c0d0e0f"})"};
  for (const std::string& more : {"{" + key + "}", short_key, no_key, secret_too}) wrong.push_back(more);
  for (const std::string& text : wrong) {
    try {
      readSettings(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), testing::HasSubstr("SWARM_AGENT"));
    }
  }
}

TEST(AgentConfig, anAgentThatIsNotRootSaysWhatToChangeInTheImage) {
  requireRoot(0);
  try {
    requireRoot(1000);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), testing::AllOf(testing::HasSubstr("user 1000"), testing::HasSubstr("USER root")));
  }
}

class HomeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    user.name = "coder";
    user.uid = 4242;
    user.gid = 4243;
    user.home = (folder / "home").string();
    writeFile(folder / "skel/.profile", "profile");
    writeFile(folder / "skel/.config/app", "app");
  }
  uid_t ownerOf(std::string_view name) {
    struct stat facts{};
    EXPECT_EQ(::lstat((folder / name).c_str(), &facts), 0) << name;
    return facts.st_uid;
  }
  test::TempDir folder;
  UserRecord user;
};

TEST_F(HomeTest, aMissingHomeIsMadeFromTheSkeleton) {
  prepareHome(user, folder / "skel");
  EXPECT_EQ(readFile(folder / "home/.config/app"), "app");
  for (const char* name : {"home", "home/.profile", "home/.config", "home/.config/app"}) EXPECT_EQ(ownerOf(name), 4242U) << name;
}

TEST_F(HomeTest, aFreshVolumeIsFilled) {
  std::filesystem::create_directories(folder / "home/lost+found");
  prepareHome(user, folder / "skel");
  EXPECT_EQ(ownerOf("home"), 4242U);
  EXPECT_EQ(readFile(folder / "home/.profile"), "profile");
  EXPECT_EQ(ownerOf("home/lost+found"), 0U);
}

TEST_F(HomeTest, aHomeWithFilesKeepsThem) {
  writeFile(folder / "home/work", "mine");
  prepareHome(user, folder / "skel");
  EXPECT_EQ(ownerOf("home"), 4242U) << "a home must be writable by its user";
  EXPECT_EQ(ownerOf("home/work"), 0U);
  EXPECT_FALSE(std::filesystem::exists(folder / "home/.profile"));
}

TEST_F(HomeTest, mountsAreGivenAwayOnlyWhenEmpty) {
  std::filesystem::create_directories(folder / "empty");
  writeFile(folder / "used/file", "x");
  prepareMounts(user, {folder / "empty", folder / "used", folder / "absent"});
  EXPECT_EQ(ownerOf("empty"), 4242U);
  EXPECT_EQ(ownerOf("used"), 0U);
}

TEST(Descendants, areChildrenAndTheirChildrenWhateverTheirNames) {
  test::TempDir proc;
  writeFile(proc / "10/stat", "10 (agent) S 1 10 10");
  writeFile(proc / "11/stat", "11 (a) b) S 99) R 10 11 11");
  writeFile(proc / "9/stat", "9 (grandchild) S 11 9 9");
  writeFile(proc / "12/stat", "12 (other) S 1 12 12");
  writeFile(proc / "13/stat", "");
  std::filesystem::create_directories(proc / "14/stat");  // opens, but reading fails: like a process that ends in between
  writeFile(proc / "self/stat", "10 (agent) S 1");
  EXPECT_THAT(descendantsOf(10, proc.path()), testing::ElementsAre(11, 9));
  EXPECT_TRUE(descendantsOf(12, proc.path()).empty());
}

TEST(ProcessState, isNoneOfAProcessThatEndsWhileItIsRead) {
  test::TempDir proc;
  std::filesystem::create_directories(proc / "14/stat");
  EXPECT_FALSE(stateOf(14, proc.path()));
  writeFile(proc / "15/stat", "15 (a) b\n) T 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 2200 23");
  std::filesystem::create_directories(proc / "15/task/16/stat");
  auto state = stateOf(15, proc.path());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->parent, 3);
  EXPECT_EQ(state->started, 2200U);
  EXPECT_TRUE(state->still);
}

}  // namespace
}  // namespace swarm::agent

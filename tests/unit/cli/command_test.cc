// Whole command lines: parsing, messages about mistakes, and confirmation before anything is lost.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

const std::string kStopped =
    R"({"id":"i-1","owner":"ada","provider":"docker","status":"stopped","config":{"name":"web1","storage":[{"size":10,"persistent":true,"mountPath":"/home/coder","volumeName":""}]},"resources":{"cpu":{"cores":2.0}},"url":"http://web1.swarm.localhost:7420/","operationId":""})";
const std::string kVolumes =
    R"({"items":[{"name":"swarm-i-1-home","instanceId":"i-1","owner":"ada","mountPath":"/home/coder","inUse":false},{"name":"swarm-i-9-home","instanceId":"i-9","owner":"ada","mountPath":"/home/coder","inUse":false},{"name":"vol_stray","instanceId":"i-1","owner":"ada","mountPath":"","inUse":false,"stray":true}]})";
const std::string kAccepted =
    R"({"id":"i-1","owner":"ada","provider":"docker","status":"deleting","config":{"name":"web1"},"operationId":"op-1"})";
const std::string kDeleted = R"({"id":"op-1","kind":"delete","instanceId":"i-1","instanceName":"web1","status":"succeeded","steps":[]})";

class Command : public ::testing::Test {
 protected:
  Command() {
    api_.on("GET /api/instances/web1", 200, {kStopped});
    api_.on("GET /api/instances?limit=500", 200, {R"({"items":[)" + kStopped + "]}"});
    api_.on("GET /api/volumes", 200, {kVolumes});
    api_.on("DELETE /api/instances/i-1", 202, {kAccepted});
    api_.on("DELETE /api/instances/i-1?volumes=true", 202, {kAccepted});
    api_.on("GET /api/operations/op-1", 200, {kDeleted});
  }
  Ran run(std::vector<std::string> words) { return runCommand(api_, std::move(words)); }
  Ran runResponding(const std::string& response, std::vector<std::string> words) {
    const StandardInput terminal = StandardInput::terminal(response + "\n");
    return run(std::move(words));
  }
  ApiDouble api_;
};

TEST_F(Command, anUnknownVerbIsNamedWithTheNearestOne) {
  for (auto [word, nearest] : {std::pair{"lst", "list"}, {"crate", "create"}, {"migrat", "migrate"}, {"satrt", "start"}}) {
    const Ran ran = run({word});
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(ran.err.find(std::string("\"") + word + "\""), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find(std::string("Did you mean \"") + nearest + "\"?"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(run({"xyzzyplugh"}).err.find("Did you mean"), std::string::npos);
}

TEST_F(Command, anUnknownPartOfAVerbIsNamedWithTheNearestOne) {
  EXPECT_TRUE(
      run({"providers", "region"}).err.starts_with(R"(swarm: There is no verb "providers region". Did you mean "providers regions"?)"));
  for (const auto& words : std::vector<std::vector<std::string>>{{"snapshot", "creat"}, {"help", "snapshot", "creat"}}) {
    const Ran ran = run(words);
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(ran.err.find(R"(There is no verb "snapshot creat". Did you mean "snapshot create"?)"), std::string::npos) << ran.err;
  }
}

TEST_F(Command, aMissingPartOfAVerbIsReportedWithThoseThatThereAre) {
  const Ran ran = run({"snapshot"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err, "swarm: `swarm snapshot` requires one of these words: create, list, restore, delete.\nSee `swarm snapshot --help`.\n");
}

TEST_F(Command, anUnknownFlagIsNamedWithTheNearestOne) {
  for (const char* flag : {"--cpu", "--cpu=2"}) {
    const Ran ran = run({"create", "web1", flag, "2"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.err, "swarm: There is no flag \"--cpu\". Did you mean \"--cpus\"?\nSee `swarm create --help`.\n");
  }
  EXPECT_EQ(run({"--frob", "whoami"}).err, "swarm: There is no flag \"--frob\".\nSee `swarm whoami --help`.\n");
  EXPECT_EQ(run({"show", "web1", "-x"}).err, "swarm: There is no flag \"-x\".\nSee `swarm show --help`.\n");
}

TEST_F(Command, wordsThatAreTooManyAreReportedInTheirOrder) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"whoami", "one", "two"}, {"whoami", "--", "one", "two"}})
    EXPECT_EQ(run(words).err, "swarm: \"one two\" was not expected.\nSee `swarm whoami --help`.\n");
}

TEST_F(Command, versionAndHelpAreThereInEveryUsualForm) {
  for (const char* flag : {"-v", "--version"}) EXPECT_EQ(run({flag}).out, "swarm " SWARM_VERSION "\n");
  EXPECT_NE(run({"help", "create"}).out.find("--memory"), std::string::npos);
  EXPECT_NE(run({"help", "snapshot", "restore"}).out.find("snapshot"), std::string::npos);
  EXPECT_NE(run({"help"}).out.find("migrate"), std::string::npos);
  EXPECT_NE(run({}).out.find("migrate"), std::string::npos);
  EXPECT_EQ(run({"help", "lst"}).code, 2);
}

TEST_F(Command, theServersAddressMayStandBeforeTheVerb) {
  ApiDouble other;
  other.on("GET /api/instances/web1", 200, {kStopped});
  EXPECT_EQ(run({"--url", other.url(), "show", "web1", "-o", "name"}).code, 0);
  EXPECT_EQ(other.received().size(), 1);
  EXPECT_TRUE(api_.received().empty());
}

TEST_F(Command, withoutAServerItSaysHowToGetOneAndTalksToNone) {
  const test::TempDir empty;
  ::setenv("XDG_CONFIG_HOME", empty.path().c_str(), 1);
  ::testing::internal::CaptureStderr();
  ::unsetenv("SWARM_URL");
  ::unsetenv("SWARM_TOKEN");
  std::string words[] = {"swarm", "list"};
  char* arguments[] = {words[0].data(), words[1].data()};
  EXPECT_EQ(cli::run(2, arguments, [](const ServeFlags&) { return 0; }), 4);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("swarm login --url"), std::string::npos);
}

TEST_F(Command, anAnswerThatCannotBeWrittenIsAnError) {
  const int before = ::dup(STDOUT_FILENO);
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ::setenv("SWARM_URL", api_.url().c_str(), 1);
  ::setenv("SWARM_TOKEN", "t", 1);
  std::string words[] = {"swarm", "show", "web1"};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data()};
  ::testing::internal::CaptureStderr();
  std::fflush(stdout);
  ::dup2(full, STDOUT_FILENO);
  const int code = cli::run(3, arguments, [](const ServeFlags&) { return 0; });
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  ::close(full);
  const std::string err = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 1);
  EXPECT_NE(err.find("No space left on device"), std::string::npos) << err;
}

TEST(StandardInput, thatIsClosedIsNotReusedForAConnection) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDIN_FILENO);
    const int null = ::open("/dev/null", O_WRONLY);  // it took the place of standard input
    ::dup2(null, STDOUT_FILENO);
    ::close(STDIN_FILENO);
    std::string words[] = {"swarm", "help"};
    char* arguments[] = {words[0].data(), words[1].data()};
    cli::run(2, arguments, [](const ServeFlags&) { return 0; });
    struct stat status{};
    ::_exit(::fstat(STDIN_FILENO, &status) == 0 && S_ISCHR(status.st_mode) ? 0 : 1);
  }
  int ended = 0;
  ASSERT_EQ(::waitpid(child, &ended, 0), child);
  EXPECT_TRUE(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
}

TEST_F(Command, errorsAreObjectsInTheFormatJson) {
  api_.on("GET /api/instances/none", 404, {R"({"code":"not_found","detail":"gone"})"});
  const Ran ran = run({"show", "none", "-o", "json"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  const auto error = boost::json::parse(ran.err).at("error");
  EXPECT_EQ(error.at("code"), "not_found");
  EXPECT_EQ(error.at("exitCode"), 3);
}

TEST_F(Command, errorsOfARequestNameTheFlagThatSetsTheMember) {
  const auto messageFor = [&](const std::string& pointer) {
    api_.on("POST /api/instances", 400,
            {R"({"code":"invalid_argument","detail":"Wrong.","errors":[{"pointer":")" + pointer + R"(","detail":"is wrong"}]})"});
    return run({"create", "web1"}).err;
  };
  for (auto [pointer, name] : {std::pair{"/resources/memory/max", "--memory"},
                               {"/resources/memory/min", "--memory-min"},
                               {"/resources/cpu/cores", "--cpus"},
                               {"/resources/storage/size", "--disk"},
                               {"/env/A~1B", "--env"},
                               {"/storage/0/size", "--volume"},
                               {"/network/exposedPorts/0", "--port"},
                               {"/network/regions/1", "--region"},
                               {"/name", "the name"},
                               {"/command", "the command"},
                               {"/metadata", "/metadata"}})
    EXPECT_EQ(messageFor(pointer), std::string("swarm: Wrong.\n  ") + name + ": is wrong\n");
}

TEST_F(Command, errorsOfARequestAreNotRepeated) {
  api_.on(
      "POST /api/instances", 400,
      {R"({"code":"invalid_argument","detail":"The request has 1 invalid field: /name must be short.","errors":[{"pointer":"/name","detail":"must be short"}]})"});
  EXPECT_EQ(run({"create", "web1"}).err, "swarm: The request has 1 invalid field: the name must be short.\n");
  api_.on("POST /api/instances", 400,
          {R"({"code":"invalid_argument","detail":"Too much.","errors":[{"pointer":"/resources/memory/max","detail":"Too much."}]})"});
  EXPECT_EQ(run({"create", "web1"}).err, "swarm: Too much.\n");
}

TEST_F(Command, aRefusedTokenOfTheEnvironmentIsNamedBecauseASignInWouldNotReplaceIt) {
  api_.on("GET /api/instances?limit=500", 401, {R"({"code":"unauthenticated","detail":"Wrong token."})"});
  EXPECT_EQ(run({"list"}).err,
            "swarm: Wrong token. Sign in with `swarm login`.\n  The token is the value of SWARM_TOKEN, which is used instead of the one "
            "that `swarm login` stores.\n");
}

TEST_F(Command, aRepeatableFlagTakesOneWord) {
  api_.on("POST /api/instances", 400, {R"({"code":"invalid_argument","detail":"Wrong."})"});
  run({"create", "-p", "3000", "-p", "3001", "-e", "A=1", "-l", "B=2", "-v", "/data", "--region", "ams,fra", "--region", "iad", "web1"});
  const boost::json::value body = api_.bodyOf("POST /api/instances");
  EXPECT_EQ(body.at("name"), "web1");
  EXPECT_EQ(body.at("network").at("exposedPorts"), boost::json::parse("[3000,3001]")) << body;
  EXPECT_EQ(body.at("network").at("regions"), boost::json::parse(R"(["ams","fra","iad"])")) << body;
}

TEST_F(Command, anUpdateOfTheImageSaysWhatIsTrueAlsoWhenTheImageIsCurrent) {
  api_.on("GET /api/instances/web1", 200, {kStopped});
  api_.on("PUT /api/instances/web1?refreshImage=true", 200,
          {R"({"instance":)" + std::string(kStopped) + R"(,"effect":"restart","operationId":"op-1"})"});
  api_.on("GET /api/instances/i-1", 200, {kStopped});
  const Ran ran = run({"update", "web1", "--refresh-image", "--yes"});
  EXPECT_NE(ran.err.find("web1 uses the current version of "), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("recreated"), std::string::npos) << ran.err;
}

TEST_F(Command, errorsOfARequestNameTheFlag) {
  api_.on(
      "POST /api/instances", 400,
      {R"({"code":"invalid_argument","detail":"The request is wrong.","errors":[{"pointer":"/resources/memory/max","detail":"must be at least 64"}]})"});
  const Ran ran = run({"create", "web1", "--memory", "1m"});
  EXPECT_NE(ran.err.find("--memory: must be at least 64"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("/resources"), std::string::npos) << ran.err;
}

TEST_F(Command, aCommandToRunNeedsNoDashes) {
  for (std::vector<std::string> words :
       {std::vector<std::string>{"exec", "web1", "ls", "-la", "--url"}, {"exec", "web1", "--", "ls", "-la"}}) {
    EXPECT_NE(run(words).code, 2);
    EXPECT_EQ(api_.received().back().line, "GET /api/instances/web1/exec");
  }
}

TEST_F(Command, anUpdateSaysBeforeWhatARestartEndsAndDropsAndAfterwardsTheTruth) {
  std::string running = kStopped;
  running.replace(running.find("stopped"), 7, "running");
  api_.on("GET /api/instances/web1", 200, {running});
  api_.on("GET /api/instances/i-1", 200, {running});
  api_.on("PUT /api/instances/web1", 200, {R"({"instance":)" + running + R"(,"effect":"restart","operationId":"op-1"})"});
  api_.on("PUT /api/instances/i-1?dryRun=true", 200,
          {R"({"effect":"restart","drops":{"files":1234,"more":false,"folders":[{"path":"/usr","files":1230}]}})"});
  const Ran restarted = runResponding("y", {"update", "web1", "--env", "A=1"});
  EXPECT_NE(restarted.err.find("web1 must be restarted for this"), std::string::npos) << restarted.err;
  EXPECT_NE(restarted.err.find("1,234 files outside of its volumes"), std::string::npos) << restarted.err;
  EXPECT_NE(restarted.err.find("/usr (1,230)"), std::string::npos) << restarted.err;
  EXPECT_NE(restarted.err.find("web1 was changed and restarted."), std::string::npos) << restarted.err;
  api_.on("PUT /api/instances/i-1?dryRun=true", 200,
          {R"({"effect":"restart","drops":{"files":1,"more":false,"folders":[{"path":"/usr","files":1}]}})"});
  const Ran one = runResponding("y", {"update", "web1", "--env", "A=1"});
  EXPECT_NE(one.err.find("1 file outside of its volumes, such as installed packages, is lost"), std::string::npos) << one.err;
  api_.on("PUT /api/instances/i-1?dryRun=true", 200, {R"({"effect":"restart","drops":{"files":0,"more":true,"folders":[]}})"});
  const Ran uncounted = runResponding("y", {"update", "web1", "--env", "A=1"});
  EXPECT_NE(uncounted.err.find("\nFiles outside of its volumes, such as installed packages, are lost.\n"), std::string::npos)
      << uncounted.err;
  EXPECT_EQ(run({"update", "web1", "--env", "A=1", "--yes"}).err.find("must be"), std::string::npos);
  api_.on("PUT /api/instances/i-1?dryRun=true", 200, {R"({"effect":"live","drops":{"files":0,"more":false,"folders":[]}})"});
  EXPECT_EQ(run({"update", "web1", "--cpus", "2"}).err.find("must be"), std::string::npos);
  api_.on("GET /api/instances/web1", 200, {kStopped});
  api_.on("PUT /api/instances/web1", 200, {R"({"instance":)" + kStopped + R"(,"effect":"restart","operationId":""})"});
  const Ran later = run({"update", "web1", "--env", "A=1"});
  EXPECT_NE(later.err.find("takes effect at its next start"), std::string::npos) << later.err;
}

TEST_F(Command, whatIsDeletedAndWhatStaysIsSaidBeforeAndAfter) {
  const Ran kept = run({"delete", "web1"});
  EXPECT_EQ(kept.code, 0) << kept.err;
  EXPECT_NE(kept.err.find("Deleting web1 (stopped); its files stay in swarm-i-1-home."), std::string::npos) << kept.err;
  EXPECT_NE(kept.err.find("Its files are in swarm-i-1-home"), std::string::npos) << kept.err;
  EXPECT_EQ(kept.err.find("swarm-i-9-home"), std::string::npos) << "another's";
  EXPECT_EQ(kept.err.find("vol_stray"), std::string::npos) << "a stray holds none of its files";
  const Ran all = run({"rm", "web1", "--volumes", "--yes"});
  EXPECT_NE(all.err.find("with all its files in swarm-i-1-home; they cannot be restored"), std::string::npos) << all.err;
  const auto json = boost::json::parse(run({"delete", "web1", "-o", "json"}).out);
  EXPECT_EQ(json.at("name"), "web1");
  EXPECT_EQ(json.at("volumes").as_array().at(0), "swarm-i-1-home");
}

TEST_F(Command, whatInterruptsOrDestroysIsNotDoneUnconfirmed) {
  std::string running = kStopped;
  running.replace(running.find("stopped"), 7, "running");
  api_.on("GET /api/instances/web2", 200, {running});
  std::string unkept = kStopped;
  unkept.replace(unkept.find("\"persistent\":true"), 17, "\"persistent\":false");
  api_.on("GET /api/instances/web3", 200, {unkept});
  api_.on("PUT /api/instances/i-1?dryRun=true", 200, {R"({"effect":"restart","drops":{"files":0,"more":false,"folders":[]}})"});
  const std::vector<std::string> commands[] = {
      {"delete", "web2"},     {"delete", "web1", "--volumes"}, {"delete", "web3"},          {"update", "web2", "--env", "A=1"},
      {"rm", "web1", "web2"}, {"volumes", "delete", "v"},      {"snapshot", "delete", "s"},
  };
  for (const auto& words : commands) {
    {
      const StandardInput nothing = StandardInput::nothing();
      const Ran ran = run(words);
      EXPECT_EQ(ran.code, 2) << words[0] << ": " << ran.err;
      EXPECT_NE(ran.err.find("--yes"), std::string::npos) << ran.err;
    }
    const Ran declined = runResponding("n", words);
    EXPECT_EQ(declined.code, 1) << words[0] << ": " << declined.err;
    EXPECT_NE(declined.err.find("Nothing was changed."), std::string::npos) << declined.err;
  }
  for (const Received& request : api_.received()) EXPECT_TRUE(request.line.starts_with("GET ") || request.line.ends_with("?dryRun=true"));
  EXPECT_EQ(runResponding("y", {"delete", "web2"}).code, 0);
  EXPECT_EQ(run({"delete", "web2", "--yes"}).code, 0);
}

TEST_F(Command, aDeletionWithVolumesNamesTheSnapshotsThatItDeletes) {
  api_.on(
      "GET /api/volumes", 200,
      {R"({"items":[{"name":"swarm-i-1-home","instanceId":"i-1","snapshot":""},{"name":"swarm-i-2-home","instanceId":"i-1","snapshot":"monday"}]})"});
  const Ran all = run({"delete", "web1", "--volumes", "--yes"});
  EXPECT_NE(all.err.find("its snapshots are deleted too: monday."), std::string::npos) << all.err;
  EXPECT_EQ(run({"delete", "web1"}).err.find("monday"), std::string::npos);
}

TEST_F(Command, severalResultsAreOneDocument) {
  api_.on("POST /api/instances/web1/stop", 200, {kStopped});
  api_.on("POST /api/instances/web2/stop", 200, {kStopped});
  api_.on("GET /api/instances/i-1", 200, {kStopped});
  const auto several = boost::json::parse(run({"stop", "web1", "web2", "-o", "json"}).out);
  EXPECT_EQ(several.as_array().size(), 2);
  EXPECT_TRUE(boost::json::parse(run({"stop", "web1", "-o", "json"}).out).is_object());
}

TEST_F(Command, createAndUpdateReportAFailedSetupScript) {
  std::string running = kStopped;
  running.replace(running.find("stopped"), 7, R"(running","statusReason":"The setup script failed with exit code 3.)");
  const std::string done = R"({"id":"op-1","kind":"create","instanceId":"i-1","instanceName":"web1","status":"succeeded","steps":[]})";
  std::string accepted = kAccepted;
  accepted.replace(accepted.find("deleting"), 8, "creating");
  api_.on("POST /api/instances", 202, {accepted});
  api_.on("GET /api/operations/op-1", 200, {done});
  api_.on("GET /api/instances/i-1", 200, {running});
  const Ran created = run({"create", "web1"});
  EXPECT_EQ(created.code, 0) << created.err;
  EXPECT_EQ(created.out, "http://web1.swarm.localhost:7420/\n");
  EXPECT_NE(created.err.find("Warning: The setup script failed with exit code 3.\n"), std::string::npos) << created.err;
  api_.on("PUT /api/instances/web1", 202, {R"({"effect":"restart",)" + accepted.substr(1)});
  const Ran updated = run({"update", "web1", "--cpus", "2", "--yes"});
  EXPECT_EQ(updated.code, 0) << updated.err;
  EXPECT_NE(updated.err.find("Warning: The setup script failed with exit code 3.\n"), std::string::npos) << updated.err;
}

TEST_F(Command, forwardToAStoppedWorkspaceEndsWithTheNextStep) {
  const Ran ran = run({"forward", "web1", "8080:3000"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("Workspace web1 is stopped"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("swarm start web1"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("127.0.0.1"), std::string::npos) << ran.err;
}

TEST_F(Command, volumesShowWhoseTheyWere) {
  api_.on("GET /api/operations?limit=1000", 200,
          {R"({"items":[{"id":"op-9","kind":"delete","instanceId":"i-9","instanceName":"web9","status":"succeeded","steps":[]}]})"});
  const Ran ran = run({"volumes"});
  EXPECT_NE(ran.out.find("web9 (deleted)"), std::string::npos) << ran.out << ran.err;
}

TEST_F(Command, volumesShowTheSnapshotsToWhichTheyBelong) {
  api_.on("GET /api/operations?limit=1000", 200, {R"({"items":[]})"});
  api_.on("GET /api/volumes", 200,
          {R"({"items":[{"name":"v1","instanceId":"i-1","owner":"ada","mountPath":"/home/coder","inUse":false,"snapshot":"monday"}]})"});
  const Ran ran = run({"volumes"});
  EXPECT_NE(ran.out.find("by snapshot monday"), std::string::npos) << ran.out << ran.err;
}

TEST_F(Command, anyCallOfTheApiCanBeMade) {
  api_.on("PUT /api/instances/web1", 200, {R"({"effect":"live","cores":2.0})"});
  const Ran ran = run({"api", "put", "/instances/web1", "--data", R"({"labels":{"a":"b"}})"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "{\n  \"effect\": \"live\",\n  \"cores\": 2\n}\n");
  EXPECT_EQ(api_.bodyOf("PUT /api/instances/web1").at("labels").at("a"), "b");
  EXPECT_EQ(run({"api", "GET", "/api/instances/none"}).code, 3);
}

TEST_F(Command, whatAWorkspaceSaysGivesTheTerminalNoOrders) {
  api_.on(
      "GET /api/operations/op-1", 200,
      {R"({"id":"op-1","kind":"delete","instanceId":"i-1","instanceName":"web1","status":"failed","error":{"code":"upstream_failed","message":"\u001b]0;owned\u0007bad"},"steps":[{"name":"\u001b[2Jstep","status":"failed","detail":"Oh \u001b[31m"}]})"});
  const Ran ran = run({"delete", "web1", "--yes"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err.find('\033'), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace swarm::cli::testing

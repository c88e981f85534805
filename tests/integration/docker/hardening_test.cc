// What the kernel says of hardened containers: privileges, a root that cannot be written, a seccomp profile, user namespaces, labels.
#include <gmock/gmock.h>

#include <fstream>

#include "engine/format/tar.h"
#include "integration/docker/docker_test.h"
#include "integration/docker/own_engine.h"
#include "provider/docker/spec/container_spec.h"
#include "support/temp_dir.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

class DockerHardening : public DockerTest {
 protected:
  void SetUp() override { useEngine(); }

  /// A line of /proc/PID/status of the first process: "NoNewPrivs".
  std::string statusLine(const InstanceSpec& wanted, const std::string& name) {
    const std::string status = execute(wanted, {"cat", "/proc/1/status"}).stdoutText;
    const auto at = status.find("\n" + name + ":\t");
    if (at == std::string::npos) return "(none)";
    const auto value = at + name.size() + 3;
    return status.substr(value, status.find('\n', value) - value);
  }
  bool canWrite(const InstanceSpec& wanted, const std::string& folder) {
    return execute(wanted, {"tee", folder + "/probe"}, "x").exitCode == 0;
  }
};

TEST_F(DockerHardening, noProcessGetsNewPrivilegesWhereThatIsRequested) {
  InstanceSpec plain = spec("plain"), limited = spec("limited");
  limited.config.security.noNewPrivileges = true;
  create(plain);
  create(limited);
  EXPECT_EQ(statusLine(plain, "NoNewPrivs"), "0");
  EXPECT_EQ(statusLine(limited, "NoNewPrivs"), "1");
  EXPECT_THAT(execute(limited, {"cat", "/proc/self/status"}).stdoutText, HasSubstr("NoNewPrivs:\t1")) << "commands, too";
}

TEST_F(DockerHardening, aReadOnlyRootIsWrittenNowhereButInVolumesAndMemory) {
  InstanceSpec wanted = spec();
  wanted.config.security.readOnlyRoot = true;
  create(wanted);
  for (const char* folder : {"/", "/etc", "/usr/bin", "/home"}) EXPECT_FALSE(canWrite(wanted, folder)) << folder;
  for (const char* folder : {"/home/coder", "/tmp", "/run", "/var/tmp", "/var/lib/swarm", "/dev/shm"})
    EXPECT_TRUE(canWrite(wanted, folder)) << folder;
  EXPECT_NE(execute(wanted, {"dd", "if=/dev/zero", "of=/tmp/full", "bs=1M", "count=40"}).exitCode, 0) << "half of 64 MiB";
  EXPECT_EQ(status(wanted), InstanceStatus::running) << "a full /tmp is not the end of it";
  // Turned off, the same volumes are in a container that can be written.
  wanted.config.security.readOnlyRoot = false;
  replace(wanted);
  EXPECT_TRUE(canWrite(wanted, "/etc"));
  EXPECT_EQ(execute(wanted, {"cat", "/home/coder/probe"}).stdoutText, "x");
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerHardening, aReadOnlyRootAndAnAgentThatNeedsAFileAreRefusedBeforeAnythingIsMade) {
  InstanceSpec wanted = spec();
  wanted.config.image = fixture_->engine().ensureImageOfSecrets();
  wanted.config.security.readOnlyRoot = true;
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerHardening, whatTheServerRequiresHoldsForAllOfItsContainers) {
  const test::TempDir folder;
  DockerProviderConfig config = testEngineConfig();
  config.noNewPrivileges = config.readOnlyRoot = true;
  config.seccompProfile = folder.write("profile.json", R"({"defaultAction":"SCMP_ACT_ALLOW",
    "syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]})");
  closeProvider();
  fixture_.reset();
  useEngine(config);
  InstanceSpec wanted = spec();
  create(wanted);
  EXPECT_EQ(statusLine(wanted, "NoNewPrivs"), "1");
  EXPECT_EQ(statusLine(wanted, "Seccomp"), "2") << "a filter";
  EXPECT_FALSE(canWrite(wanted, "/etc"));
  EXPECT_TRUE(canWrite(wanted, "/tmp"));
  EXPECT_NE(execute(wanted, {"/bin/busybox", "mkdir", "/tmp/folder"}).exitCode, 0) << "the profile";
}

TEST_F(DockerHardening, existingContainersKeepTheirLimitsUntilTheyAreReplaced) {
  InstanceSpec wanted = spec();
  create(wanted);
  closeProvider();
  DockerProviderConfig config = testEngineConfig();
  config.noNewPrivileges = true;
  provider_ = makeDockerProvider(config, fixture_->swarmId());
  runner_.run(provider_->open([](const ProviderEvent&) {}));
  runner_.run(provider_->stopInstance(wanted.placeId, std::chrono::seconds(5), progress_, soon()));
  runner_.run(provider_->startInstance(wanted.placeId, progress_, soon()));
  EXPECT_EQ(statusLine(wanted, "NoNewPrivs"), "0");
  replace(wanted);
  EXPECT_EQ(statusLine(wanted, "NoNewPrivs"), "1");
}

TEST_F(DockerHardening, labelsOfAnImageAreNotTakenForOurs) {
  engine::TarWriter files;
  std::ifstream busybox("/bin/busybox", std::ios::binary);
  files.addFolder("bin", 0755);
  files.addFolder("tmp", 01777);
  files.addFile("bin/busybox", 0755, std::string(std::istreambuf_iterator<char>(busybox), {}));
  InstanceSpec wanted = spec();
  wanted.config.image = fixture_->engine().importImage(
      "swarm-test-labels", std::move(files).finish(),
      {R"(CMD ["/bin/busybox","sleep","1000"])", "LABEL swarm.owner=eve swarm.run=true", "LABEL swarm.metadata=theirs swarm.agent=theirs"});
  ProviderInstance made = create(wanted);
  const auto labels = fixture_->engine()
                          .get("/containers/" + fixture_->engine().containerOf(fixture_->swarmId(), wanted.placeId) + "/json")
                          .at("Config")
                          .at("Labels");
  EXPECT_EQ(made.owner, "ada");
  EXPECT_EQ(labels.at("swarm.run"), json::value(""));
  EXPECT_EQ(labels.at("swarm.metadata"), json::value(""));
  EXPECT_EQ(labels.at("swarm.agent"), json::value("public-key"));
  remove(wanted);
  fixture_->engine().send("DELETE", "/images/" + wanted.config.image);
}

/// An Engine with userns-remap: root in a container is an ordinary user of the machine.
class DockerUserNamespaces : public DockerTest {
 protected:
  void SetUp() override {
    if (!OwnEngine::possible()) GTEST_SKIP() << "needs root and dockerd";
    engine_ = std::make_unique<OwnEngine>(OwnEngine::Options{.tmpfsMib = 512, .arguments = {}, .remapsUsers = true});
    ASSERT_TRUE(engine_->waitForSocket()) << engine_->log();
    useEngine(engine_->config());
  }
  void TearDown() override {
    DockerTest::TearDown();
    fixture_.reset();
    engine_.reset();
  }
  std::unique_ptr<OwnEngine> engine_;
};

TEST_F(DockerUserNamespaces, workspacesAreMadeStoppedStartedReplacedAndRemoved) {
  InstanceSpec wanted = spec();
  wanted.config.security = {.noNewPrivileges = true, .readOnlyRoot = true};
  create(wanted);
  const CommandResult ids = execute(wanted, {"cat", "/proc/self/uid_map"});
  EXPECT_THAT(ids.stdoutText, HasSubstr("100000")) << "root inside is this user outside";
  EXPECT_EQ(execute(wanted, {"tee", "/home/coder/note"}, "kept").exitCode, 0);
  EXPECT_EQ(execute(wanted, {"stat", "-c", "%u", "/home/coder"}).stdoutText, "0\n");
  runner_.run(provider_->stopInstance(wanted.placeId, std::chrono::seconds(5), progress_, soon()));
  runner_.run(provider_->startInstance(wanted.placeId, progress_, soon()));
  wanted.config.env["CHANGED"] = "yes";
  replace(wanted);
  EXPECT_EQ(execute(wanted, {"cat", "/home/coder/note"}).stdoutText, "kept");
  std::string hardening;
  for (const ValidationCheck& check : runner_.run(provider_->validate(soon())))
    if (check.name == "hardening") hardening = check.detail;
  EXPECT_THAT(hardening, HasSubstr("containers have user namespaces"));
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

}  // namespace
}  // namespace swarm::testing

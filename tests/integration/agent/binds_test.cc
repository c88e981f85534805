// Several storages on one volume, in the real image: as on a Machine of Fly's, whose root file system is new at each start.
#include "integration/agent/image_fixture.h"

namespace swarm::agent {
namespace {

using boost::json::array;
using boost::json::object;

class BindsInImage : public AgentInImage {
 protected:
  enum class MayMount { No, Yes };

  BindsInImage() : AgentInImage(optionsWith(MayMount::Yes)) {}
  ~BindsInImage() override {
    container_.reset();
    test::removeVolume(loop_, volume());
  }

  static const std::string& volume() {
    static const std::string name = "swarm-agent-binds-test-" + toHex(randomBytes(4));
    return name;
  }
  static Options optionsWith(MayMount may_mount) {
    Options made;
    object mount{{"Type", "volume"}, {"Source", volume()}, {"Target", "/data"}, {"VolumeOptions", object{{"NoCopy", true}}}};
    made.host = {{"Mounts", array{mount}}};
    if (may_mount == MayMount::Yes) {
      made.host["CapAdd"] = array{"SYS_ADMIN"};
      made.host["SecurityOpt"] = array{"apparmor=unconfined"};
    }
    made.members = R"("mounts":["/home/coder","/home/coder/cache","/srv/new"],"binds":[
      {"from":"/data/volumes/cache","to":"/home/coder/cache"},
      {"from":"/data/volumes/home","to":"/home/coder"},
      {"from":"/data/volumes/new","to":"/srv/new"}])";
    return made;
  }
  std::string boundPlaces() { return run("grep -c ' /home/coder \\| /home/coder/cache \\| /srv/new ' /proc/mounts").stdoutText; }
};

TEST_F(BindsInImage, whatIsWrittenThereOutlivesTheRootFileSystem) {
  waitUntilReady();
  EXPECT_EQ(boundPlaces(), "3\n");
  auto written =
      run("echo kept > ~/file && echo kept > ~/cache/file && echo kept > /srv/new/file && stat -c %U ~ ~/cache /srv/new ~/.bashrc");
  EXPECT_EQ(written.stdoutText, "coder\ncoder\ncoder\ncoder\n") << written.stderrText;
  EXPECT_EQ(run("ls -A /data/volumes; ls /data/volumes/home/file").stdoutText, "cache\nhome\nnew\n/data/volumes/home/file\n");
  begin(optionsWith(MayMount::Yes));
  waitUntilReady();
  EXPECT_EQ(run("cat ~/file ~/cache/file /srv/new/file").stdoutText, "kept\nkept\nkept\n");
  EXPECT_EQ(boundPlaces(), "3\n");
}

TEST_F(BindsInImage, aStorageMayCoverTheVolumeItself) {
  Options covering = optionsWith(MayMount::Yes);
  covering.members = R"("mounts":["/data","/home/coder"],"binds":[
    {"from":"/data/volumes/data","to":"/data"},{"from":"/data/volumes/home","to":"/home/coder"}])";
  begin(covering);
  EXPECT_EQ(run("ls -A /data; echo kept > /data/file && echo kept > ~/file && stat -c %U /data ~/.bashrc").stdoutText, "coder\ncoder\n");
  begin(covering);
  EXPECT_EQ(run("ls -A /data; cat /data/file ~/file").stdoutText, "file\nkept\nkept\n");
}

TEST_F(BindsInImage, aRestartOfTheSameContainerBindsAgain) {
  waitUntilReady();
  run("echo kept > ~/file; rm ~/.bashrc");
  container_->stop(10);
  EXPECT_EQ(container_->exitCode(), 0);
  startContainer();
  waitUntilReady();
  EXPECT_EQ(run("cat ~/file; ls ~/.bashrc 2>/dev/null | wc -l").stdoutText, "kept\n0\n") << "filled once, and never again";
  EXPECT_EQ(boundPlaces(), "3\n");
}

TEST_F(BindsInImage, whereMountingIsNotAllowedVscodeDoesNotRunAndTheReasonIsReported) {
  begin(optionsWith(MayMount::No));
  auto health = waitUntil([](const AgentHealth&) { return true; });
  EXPECT_FALSE(health.ready);
  EXPECT_THAT(health.reason, testing::HasSubstr("CAP_SYS_ADMIN"));
  EXPECT_THAT(container_->logs(), testing::HasSubstr("failed to bind storage"));
  EXPECT_EQ(run("ls /opt >/dev/null; echo $?", "root").stdoutText, "0\n") << "commands in it still work";
}

}  // namespace
}  // namespace swarm::agent

// Volumes: independent copies that keep everything.
#include "integration/fly_emulator/backend_fixture.h"

namespace swarm::emulator {
namespace {

using swarm::testing::errorOf;

class DockerVolumes : public DockerBackendTest {
 protected:
  MachinePlan withVolume(std::string machine, std::string volume) const {
    MachinePlan made = plan(std::move(machine));
    made.volumeId = std::move(volume);
    made.mountPath = "/data";
    return made;
  }
};

TEST_F(DockerVolumes, aCopyHasAllOfTheContentAndIsIndependent) {
  runner.run(backend->createVolume("vol1", 1, soon()));
  boot(withVolume("m1", "vol1"));
  shell(
      "cd /data; mkdir -p sub; echo one > sub/file; /bin/busybox chown 1000:1001 sub/file; /bin/busybox chmod 4750 sub/file;"
      "/bin/busybox ln sub/file again; /bin/busybox ln -s /no/where link; dd if=/dev/zero of=sparse bs=1 count=1 seek=50M 2>/dev/null");
  runner.run(backend->copyVolume("vol1", "vol2", soon()));
  shell("echo changed > /data/sub/file");
  boot(withVolume("m2", "vol2"));
  EXPECT_EQ(shell("cd /data; cat sub/file; stat -c '%a %u %g %h' again; /bin/busybox readlink link; stat -c %s sparse", "m2"),
            "one\n4750 1000 1001 2\n/no/where\n52428801\n");
  EXPECT_EQ(shell("test $(stat -c %b /data/sparse) -lt 1000 && echo holes", "m2"), "holes\n");
  shell("echo second > /data/sub/file", "m2");
  EXPECT_EQ(shell("cat /data/sub/file"), "changed\n");
}

TEST_F(DockerVolumes, aCopyThatIsMadeAgainReplacesWhatWasThere) {
  runner.run(backend->createVolume("vol1", 1, soon()));
  runner.run(backend->createVolume("vol2", 1, soon()));
  boot(withVolume("m1", "vol2"));
  shell("echo half > /data/half");
  runner.run(backend->destroy("m1", soon()));
  runner.run(backend->copyVolume("vol1", "vol2", soon()));
  boot(withVolume("m1", "vol2"));
  EXPECT_EQ(shell("ls -a /data/half 2>&1 >/dev/null | wc -l"), "1\n");
}

TEST_F(DockerVolumes, usedBytesAreMeasured) {
  runner.run(backend->createVolume("vol1", 1, soon()));
  boot(withVolume("m1", "vol1"));
  shell("dd if=/dev/urandom of=/data/file bs=1M count=5 2>/dev/null; sync");
  std::int64_t used = runner.run(backend->volumeBytesUsed("vol1", soon()));
  EXPECT_GE(used, 5 << 20);
  EXPECT_LT(used, 6 << 20);
}

TEST_F(DockerVolumes, aMissingVolumeIsReportedAndNotCreated) {
  EXPECT_EQ(errorOf([&] { boot(withVolume("m1", "none")); })->code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf([&] { runner.run(backend->copyVolume("none", "vol2", soon())); })->code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf([&] { runner.run(backend->volumeBytesUsed("none", soon())); })->code(), ErrorCode::NotFound);
  runner.run(backend->destroyVolume("none", soon()));
  EXPECT_TRUE(leftovers().empty());
}

TEST_F(DockerVolumes, aVolumeInUseIsNotRemoved) {
  runner.run(backend->createVolume("vol1", 1, soon()));
  boot(withVolume("m1", "vol1"));
  EXPECT_EQ(errorOf([&] { runner.run(backend->destroyVolume("vol1", soon())); })->code(), ErrorCode::Conflict);
  EXPECT_THAT(runner.run(backend->volumeIds(soon())), ::testing::ElementsAre("vol1"));
}

}  // namespace
}  // namespace swarm::emulator

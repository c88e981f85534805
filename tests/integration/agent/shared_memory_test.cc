// The size of /dev/shm in the real image, where the provider has no option for it: as on a Machine of Fly's.
#include "integration/agent/image_fixture.h"

namespace swarm::agent {
namespace {

class SharedMemoryInImage : public AgentInImage {
 protected:
  static Options optionsWith(boost::json::object host) {
    Options made;
    host["SecurityOpt"] = boost::json::array{"apparmor=unconfined"};
    made.host = std::move(host);
    made.members = R"("shmSize":96)";
    return made;
  }
  std::string size() { return run("df --output=size -BM /dev/shm | tail -1").stdoutText; }
};

TEST_F(SharedMemoryInImage, isAsLargeAsRequestedForTheUserToo) {
  EXPECT_THAT(size(), testing::HasSubstr("64M")) << "the Engine's default";
  begin(optionsWith({{"CapAdd", boost::json::array{"SYS_ADMIN"}}}));
  EXPECT_THAT(size(), testing::HasSubstr("96M"));
  EXPECT_EQ(run("dd if=/dev/zero of=/dev/shm/x bs=1M count=90 2>/dev/null; stat -c %s /dev/shm/x").stdoutText, "94371840\n");
  EXPECT_EQ(waitUntilReady().warning, "");
  EXPECT_THAT(run("grep ' /dev/shm ' /proc/mounts").stdoutText, testing::AllOf(testing::HasSubstr("nosuid"), testing::HasSubstr("noexec")));
}

TEST_F(SharedMemoryInImage, keepsItsSizeAndTheAgentRunsWhereMountingIsNotAllowed) {
  begin(optionsWith({}));
  EXPECT_THAT(size(), testing::HasSubstr("64M"));
  EXPECT_THAT(container_->logs(), testing::HasSubstr("failed to resize /dev/shm"));
  EXPECT_THAT(waitUntilReady().warning, testing::HasSubstr("/dev/shm could not be resized to 96 MiB: Operation not permitted."));
}

}  // namespace
}  // namespace swarm::agent

// An image of ours that ends with a USER, for the shells of its builder.
#include <fstream>
#include <iterator>

#include "engine/format/tar.h"
#include "integration/docker/docker_test.h"

namespace swarm::testing {
namespace {

/// Its first process has the agent's name.
std::string archiveWithAgent() {
  std::ifstream file("/bin/busybox", std::ios::binary);
  const std::string busybox{std::istreambuf_iterator<char>(file), {}};
  engine::TarWriter tar;
  for (const char* folder : {"bin", "etc", "home", "home/coder"}) tar.addFolder(folder, 0755);
  tar.addFile("bin/busybox", 0755, busybox);
  for (const char* applet : {"sh", "sleep", "stat"}) tar.addLink(std::string("bin/") + applet, "busybox");
  tar.addFile("bin/swarm-agent", 0755, "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 1000 & wait $!; done\n");
  tar.addFile("etc/passwd", 0644, "root:x:0:0:root:/:/bin/sh\ncoder:x:1000:1000:coder:/home/coder:/bin/sh\n");
  return std::move(tar).finish();
}

class DockerImageUser : public DockerTest {
 protected:
  void SetUp() override { useEngine(); }
};

/// The agent starts VS Code as the workspace's user, and needs root for that.
TEST_F(DockerImageUser, isNotThatOfTheAgent) {
  InstanceSpec wanted = spec();
  wanted.config.image = fixture_->engine().importImage("swarm-test-user", archiveWithAgent(),
                                                       {R"(ENTRYPOINT ["/bin/swarm-agent"])", "ENV PATH=/bin", "USER coder"});
  create(wanted);
  EXPECT_EQ(status(wanted), InstanceStatus::running);
  EXPECT_EQ(execute(wanted, {"stat", "-c", "%u:%g", "/proc/1"}).stdoutText, "0:0\n");
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

}  // namespace
}  // namespace swarm::testing

// Files from the build and from busybox, as one archive.
#include "chaos/image/chaos_image.h"

#include <fstream>
#include <sstream>

#include "engine/format/tar.h"

namespace swarm::testing {
namespace {

/// Makes, renames and removes files and appends to one, until it is killed; each action is in DIR/log only afterwards (tree.cc:
/// judge).
constexpr std::string_view kWriter = R"(#!/bin/sh
mkdir -p $1/data
n=0
while :; do
  n=$((n + 1))
  echo "content of $n" >$1/data/.new
  mv $1/data/.new $1/data/$n
  echo $n >>$1/all
  echo $n >>$1/log
  old=$((n - 20)) gone=$((n - 40))
  [ $old -lt 1 ] || { mv $1/data/$old $1/data/$old.old && echo r$old >>$1/log; }
  [ $gone -lt 1 ] || { rm $1/data/$gone.old && echo -$gone >>$1/log; }
done
)";

std::string contentOf(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string(path) + " is missing (busybox: install Debian's busybox-static)");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string ensureChaosImage(TestEngine& engine) {
  engine::TarWriter tar;
  for (const char* folder : {"bin", "etc", "etc/skel", "etc/swarm", "home", "opt", "opt/swarm", "opt/swarm/bin", "run", "usr", "usr/local",
                             "usr/local/bin", "var", "dev", "proc", "sys"})
    tar.addFolder(folder, 0755);
  tar.addFolder("root", 0700);
  tar.addFolder("tmp", 01777);
  tar.addFile("bin/busybox", 0755, contentOf("/bin/busybox"));
  for (const char* applet : {"sh",  "cat",    "tee", "echo", "true", "sleep", "ls", "stat", "id", "mv",    "rm",   "mkdir", "touch",
                             "seq", "setsid", "env", "kill", "ps",   "dd",    "wc", "tail", "ln", "chmod", "sync", "nohup"})
    tar.addLink(std::string("bin/") + applet, "busybox");
  tar.addFile("bin/writer", 0755, kWriter);
  tar.addFile("bin/begin", 0755, "#!/bin/sh\nsetsid \"$@\" >/dev/null 2>&1 </dev/null &\n");
  tar.addFile("bin/tree", 0755, contentOf(SWARM_TEST_TREE));
  tar.addFile("usr/local/bin/swarm-agent", 0755, contentOf(SWARM_TEST_AGENT));
  tar.addFile("opt/swarm/bin/code-server", 0755, contentOf(SWARM_TEST_CODE_SERVER));
  tar.addFile("etc/passwd", 0644, "root:x:0:0:root:/root:/bin/sh\ncoder:x:1000:1000::/home/coder:/bin/sh\n");
  tar.addFile("etc/group", 0644, "root:x:0:\ncoder:x:1000:\n");
  return engine.importImage(kChaosImage, std::move(tar).finish(), {R"(ENTRYPOINT ["/usr/local/bin/swarm-agent"])", "ENV PATH=/bin"});
}

}  // namespace swarm::testing

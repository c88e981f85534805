// Packs busybox, a handful of its names, and the main program.
#include "conformance/provider/fly/fly_image.h"

#include <fstream>
#include <sstream>

#include "base/text/format.h"
#include "engine/format/tar.h"
#include "net/http/http.h"

namespace swarm::testing {
namespace {

// The agent's settings have "binds":[{"from":"/data/volumes/x","to":"/home/coder"},…] and "shmSize":48: sed and tr are JSON parser enough
// for them.
constexpr std::string_view kMain = R"sh(#!/bin/sh
printf %s "$SWARM_AGENT" | sed 's/.*"binds":\[//; s/\].*//' | tr '}' '\n' |
  sed -n 's/.*"from":"\([^"]*\)","to":"\([^"]*\)".*/\1 \2/p' | while read -r from to; do
  mkdir -p "$from" "$to" && mount --bind "$from" "$to" || exit 9
done
shm=$(printf %s "$SWARM_AGENT" | sed -n 's/.*"shmSize":\([0-9]*\).*/\1/p')
[ -z "$shm" ] || mount -o "remount,size=${shm}m" /dev/shm || exit 9
: >/tmp/bound
trap 'exit 0' TERM
httpd -p 7777 -h /tmp
echo ready
while :; do sleep 1000 & wait $!; done
)sh";

// A Machine runs before its main program has bound anything; what reads and writes files waits for that, as a person waits for the agent.
constexpr std::string_view kBehindTheBinds = R"sh(#!/bin/sh
turn=0
while [ ! -e /tmp/bound ] && [ $((turn += 1)) -le 300 ]; do busybox usleep 10000; done
exec busybox )sh";

std::string imageArchive() {
  std::ifstream file("/bin/busybox", std::ios::binary);
  if (!file) throw std::runtime_error("/bin/busybox is missing; install Debian's busybox-static");
  std::stringstream busybox;
  busybox << file.rdbuf();
  engine::TarWriter tar;
  for (const char* folder : {"bin", "data", "etc", "etc/swarm", "home", "home/coder", "usr", "usr/bin"}) tar.addFolder(folder, 0755);
  tar.addFolder("tmp", 01777);
  tar.addFile("bin/busybox", 0755, busybox.str());
  for (const char* applet : {"sh", "echo", "true", "false", "sleep", "dd", "ls", "httpd", "id", "mkdir", "mount", "sed", "tr"}) {
    tar.addLink(std::string("bin/") + applet, "busybox");
  }
  for (const char* applet : {"cat", "tee"})
    tar.addFile(std::string("bin/") + applet, 0755, std::string(kBehindTheBinds) + applet + " \"$@\"\n");
  tar.addFile("bin/main", 0755, kMain);
  tar.addFile("bin/printenv", 0755, "#!/bin/sh\neval \"echo \\\"\\$$1\\\"\"\n");
  tar.addFile("etc/passwd", 0644, "root:x:0:0:root:/:/bin/sh\n");
  return std::move(tar).finish();
}

}  // namespace

std::string ensureFlyImage(CoroutineRunner& runner) {
  static const std::string archive = imageArchive();
  engine::Transport client(testEngineConfig());
  Deadline deadline = Deadline::after(std::chrono::seconds(60));
  std::string tag = toHex(sha256(archive)).substr(0, 12);
  std::string name = "swarm-test-fly:" + tag;
  engine::Request find{.target = "/images/" + name + "/json", .doing = "find the test image", .body = {}};
  if (runner.run(client.send(std::move(find), deadline)).ok()) return name;
  std::string target = format("/images/create?fromSrc=-&repo=swarm-test-fly&tag={}&changes={}&changes={}", tag,
                              net::percentEncode(R"(CMD ["/bin/main"])"), net::percentEncode("ENV PATH=/bin"));
  engine::Request make{.method = "POST",
                       .target = std::move(target),
                       .doing = "make the test image",
                       .body = {},
                       .rawBody = archive,
                       .contentType = "application/x-tar"};
  engine::Reply reply = runner.run(client.send(std::move(make), deadline));
  if (!reply.ok()) throw std::runtime_error("the test image could not be made: " + reply.body);
  return name;
}

}  // namespace swarm::testing

// Raw Engine calls for tests.
#include "conformance/provider/docker/test_engine.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/id.h"
#include "base/text/format.h"
#include "engine/format/tar.h"
#include "net/http/http.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

constexpr std::chrono::minutes kPatience{2};  ///< below the time limits of the tests; an Engine that removes a large volume stands still

// Ends at once at SIGTERM, and with code 3 at SIGUSR1 (a failure that a test can bring about).
constexpr std::string_view kMain = R"(#!/bin/sh
trap 'exit 0' TERM
trap 'exit 3' USR1
: >/tmp/main-runs
httpd -p 7777 -h /tmp
echo ready
while :; do sleep 1000 & wait $!; done
)";

std::string imageArchive() {
  std::ifstream file("/bin/busybox", std::ios::binary);
  if (!file) throw std::runtime_error("/bin/busybox is missing; install Debian's busybox-static");
  std::stringstream busybox;
  busybox << file.rdbuf();
  engine::TarWriter tar;
  for (const char* folder : {"bin", "etc", "home", "home/coder", "usr", "usr/bin"}) tar.addFolder(folder, 0755);
  tar.addFolder("tmp", 01777);
  tar.addFile("bin/busybox", 0755, busybox.str());
  for (const char* applet : {"sh",    "cat",  "tee", "echo", "true", "false", "sleep", "dd", "du",   "kill", "ls",
                             "httpd", "stat", "id",  "wget", "ping", "mknod", "sync",  "wc", "head", "env",  "pwd"}) {
    tar.addLink(std::string("bin/") + applet, "busybox");
  }
  tar.addFile("bin/main", 0755, kMain);
  tar.addFile("bin/printenv", 0755, "#!/bin/sh\neval \"echo \\\"\\$$1\\\"\"\n");
  tar.addFile("etc/passwd", 0644, "root:x:0:0:root:/:/bin/sh\n");
  return std::move(tar).finish();
}

}  // namespace

DockerProviderConfig testEngineConfig() {
  DockerProviderConfig config;
  if (const char* socket = std::getenv("SWARM_TEST_DOCKER_SOCKET")) config.socketPath = socket;
  return config;
}

engine::Reply TestEngine::send(std::string method, std::string target, std::optional<json::value> body) {
  engine::Request call{
      .method = std::move(method), .target = std::move(target), .doing = "perform the test's request", .body = std::move(body)};
  return runner_.run(transport_.send(std::move(call), Deadline::after(kPatience)));
}

json::value TestEngine::get(std::string target) { return send("GET", std::move(target)).json("perform the test's request"); }

std::string TestEngine::importImage(std::string_view repository, const std::string& archive, const std::vector<std::string>& changes) {
  std::string name = format("{}:{}", repository, toHex(sha256(archive)).substr(0, 12));
  if (send("GET", "/images/" + name + "/json").ok()) return name;
  std::string target = format("/images/create?fromSrc=-&repo={}&tag={}", repository, name.substr(name.find(':') + 1));
  for (const std::string& change : changes) target += "&changes=" + net::percentEncode(change);
  engine::Request call{.method = "POST",
                       .target = target,
                       .doing = "make the test image",
                       .body = {},
                       .rawBody = archive,
                       .contentType = "application/x-tar"};
  engine::Reply reply = runner_.run(transport_.send(std::move(call), Deadline::after(kPatience)));
  if (!reply.ok()) throw std::runtime_error("the test image could not be made: " + reply.body);
  return name;
}

std::string TestEngine::ensureImage() {
  return importImage("swarm-test-busybox", imageArchive(), {R"(CMD ["/bin/main"])", "ENV PATH=/bin"});
}

std::string TestEngine::ensureImageOfSecrets() {
  return importImage("swarm-test-secrets", imageArchive(), {R"(CMD ["/bin/main"])", "ENV PATH=/bin", "LABEL swarm.image.version=1"});
}

std::string TestEngine::tag(const std::string& swarm_id, const std::string& image) {
  engine::Reply reply = send("POST", format("/images/{}/tag?repo=swarm-test-tagged&tag={}", image, swarm_id));
  if (!reply.ok()) throw std::runtime_error("the test image could not be tagged: " + reply.body);
  return "swarm-test-tagged:" + swarm_id;
}

void TestEngine::untag(const std::string& swarm_id) { send("DELETE", "/images/swarm-test-tagged:" + swarm_id + "?noprune=true"); }

void TestEngine::awaitProgram(const std::string& swarm_id, const PlaceId& place_id) {
  const std::string container = containerOf(swarm_id, place_id);
  auto runs = [&] { return send("GET", "/containers/" + container + "/archive?path=/tmp/main-runs").ok(); };
  if (!runner_.waitFor(runs, kPatience)) throw std::runtime_error("the test image's program does not run");
}

void TestEngine::endWithFailure(const std::string& swarm_id, const PlaceId& place_id) {
  awaitProgram(swarm_id, place_id);
  send("POST", "/containers/" + containerOf(swarm_id, place_id) + "/kill?signal=SIGUSR1");
}

std::string TestEngine::containerOf(const std::string& swarm_id, const PlaceId& place_id) {
  json::object filter{{"label", json::array{json::string("swarm.id=" + swarm_id), json::string("swarm.instance=" + place_id.str())}}};
  json::value list = get("/containers/json?all=true&" + engine::filterQuery(filter));
  return list.as_array().empty() ? "" : engine::stringAt(list.as_array().front(), "Id");
}

std::vector<std::string> TestEngine::listed(const std::string& kind, const std::string& swarm_id) {
  std::string filter = engine::filterQuery({{"label", json::array{json::string("swarm.id=" + swarm_id)}}});
  json::value response = get(kind == "containers" ? "/containers/json?all=true&" + filter : "/" + kind + "?" + filter);
  const json::value* list = kind == "volumes" ? engine::member(response, "Volumes") : &response;
  std::vector<std::string> names;
  if (list && list->is_array()) {
    for (const json::value& item : list->as_array()) names.push_back(engine::stringAt(item, kind == "containers" ? "Id" : "Name"));
  }
  return names;
}

std::vector<std::string> TestEngine::leftovers(const std::string& swarm_id) {
  std::vector<std::string> found;
  for (const char* kind : {"containers", "volumes", "networks"}) {
    for (const std::string& name : listed(kind, swarm_id)) found.push_back(std::string(kind) + " " + name);
  }
  return found;
}

void TestEngine::removeAll(const std::string& swarm_id) {
  for (const std::string& id : listed("containers", swarm_id)) send("DELETE", "/containers/" + id + "?force=true&v=true");
  for (const std::string& name : listed("volumes", swarm_id)) send("DELETE", "/volumes/" + name);
  for (const std::string& name : listed("networks", swarm_id)) send("DELETE", "/networks/" + name);
}

}  // namespace swarm::testing

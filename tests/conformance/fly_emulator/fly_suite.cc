// Starts and stops the emulator around each test, and the client.
#include "conformance/fly_emulator/fly_suite.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "async/deadline.h"
#include "base/text/format.h"
#include "emulator/openapi/checker.h"
#include "net/connect.h"
#include "support/fly_response_check.h"

namespace swarm::testing {
namespace {

Deadline soon() { return Deadline::after(std::chrono::seconds(90)); }

}  // namespace

struct FlySuite::World {
  World(test::TestLoop& loop, const Clock& clock, const FlyBackend& backend, emulator::EmulatorOptions options)
      : emulator(loop.executor(), clock, std::move(options), backend.make(loop.executor(), clock)),
        server(net::listenTcp(loop.executor(), {"127.0.0.1", 0}), [this](net::Exchange& exchange) { return emulator.handle(exchange); }),
        client([port = server.port()](Deadline deadline) { return net::connectTcp({"127.0.0.1", port}, deadline); },
               {.host = "127.0.0.1", .name = "the emulator"}) {}

  async::awaitable<void> serve() {
    co_await server.run();
    ended = true;
  }

  emulator::Emulator emulator;
  net::HttpServer server;
  net::HttpClient client;
  bool ended = false;
};

FlySuite::FlySuite() {
  options.tokens = {{Secret(kToken), "personal", "ada@example.com"}, {Secret(kOtherToken), "elsewhere", "bob@example.com"}};
  options.rateLimits = emulator::RateLimits::Off;
}

FlySuite::~FlySuite() = default;

FlySuite::World& FlySuite::world() {
  if (!world_) {
    auto made = std::make_unique<World>(loop, clock, GetParam(), options);
    loop.run(made->emulator.open(), std::chrono::seconds(90));
    loop.spawn(made->serve());
    world_ = std::move(made);
  }
  return *world_;
}

emulator::Emulator& FlySuite::emulator() { return world().emulator; }

async::awaitable<void> FlySuite::destroyAll() {
  emulator::Backend& backend = world_->emulator.backend();
  for (const std::string& id : co_await backend.machineIds(soon())) co_await backend.destroy(id, soon());
  for (const std::string& id : co_await backend.volumeIds(soon())) co_await backend.destroyVolume(id, soon());
}

void FlySuite::TearDown() {
  if (world_) endWorld(Leftovers::Destroy);
}

void FlySuite::restart() {
  endWorld(Leftovers::Keep);
  world();
}

void FlySuite::endWorld(Leftovers leftovers) {
  world_->client.dropIdle();
  world_->server.stop();
  loop.runUntil([this] { return world_->ended; });
  // Closed first: an emulator that still runs would boot again what is destroyed here (restart policy "always").
  loop.run(world_->emulator.close(), std::chrono::seconds(90));
  if (leftovers == Leftovers::Destroy) loop.run(destroyAll(), std::chrono::seconds(90));
  world_.reset();
}

async::awaitable<void> FlySuite::exchange(FlyRequest request, std::optional<FlyResponse>& response) {
  net::HttpRequest message;
  message.method = request.method;
  message.target = request.target;
  message.headers = request.headers;
  message.body = request.body.value_or("");
  if (request.body) message.contentType = "application/json";
  const std::string authorization = request.authorization.value_or(std::string("Bearer ") + kToken);
  if (!authorization.empty()) message.headers.push_back({"Authorization", authorization});
  net::HttpResponse raw = co_await world().client.send(std::move(message), soon());
  FlyResponse made{raw.status, raw.headers, raw.body, nullptr};
  boost::system::error_code not_json;
  json::value parsed = json::parse(made.text, not_json);
  if (!not_json) made.body = std::move(parsed);
  if (request.target.starts_with("/v1/")) expectLikeFly(request, made);
  response = std::move(made);
}

void FlySuite::expectLikeFly(const FlyRequest& request, const FlyResponse& response) {
  using namespace emulator::openapi;
  const std::string what = request.method + " " + request.target;
  EXPECT_NE(response.header("fly-request-id"), "") << what << ": every response has a request id";
  const auto question = request.target.find('?');
  const std::string path = request.target.substr(0, question);
  const std::string query = question == std::string::npos ? "" : request.target.substr(question + 1);
  const std::string body = request.body.value_or("");
  const RequestFacts facts{request.method, path, query, body.empty() ? "" : "application/json", body};
  if (response.status < 300)
    EXPECT_EQ(describe(check(facts)), "") << what << ": it was accepted, so Fly's document should allow it\n" << body;
  // The envelope of a held lease (§6) is not part of the document.
  if (response.status >= 300 && (response.body.is_null() || response.at("/code") == "invalid")) return;
  EXPECT_EQ(describe(checkResponse(facts, response.status, response.text)), "")
      << what << ": the response has the types of Fly's document\n"
      << response;
}

FlyResponse FlySuite::send(FlyRequest request) {
  world();  // outside of the loop's run
  std::optional<FlyResponse> response;
  loop.run(exchange(std::move(request), response), std::chrono::seconds(90));
  return std::move(*response);
}

std::vector<FlyResponse> FlySuite::sendAtOnce(std::vector<FlyRequest> requests) {
  world();
  std::vector<std::optional<FlyResponse>> responses(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) loop.spawn(exchange(std::move(requests[i]), responses[i]));
  loop.runUntil([&] { return std::ranges::all_of(responses, [](const auto& response) { return response.has_value(); }); },
                std::chrono::seconds(90));
  std::vector<FlyResponse> all;
  for (auto& response : responses) all.push_back(std::move(*response));
  return all;
}

FlyResponse FlySuite::post(std::string target, const json::object& body) {
  return send({"POST", std::move(target), json::serialize(body)});
}

std::string textAt(const json::value& tree, std::string_view pointer) {
  boost::system::error_code error;
  const json::value* found = tree.find_pointer(pointer, error);
  if (!found) return "(missing)";
  return found->is_string() ? std::string(found->as_string()) : json::serialize(*found);
}

std::string FlyResponse::at(std::string_view pointer) const { return textAt(body, pointer); }

json::object named(json::object request, const char* name) {
  request["name"] = name;
  return request;
}

std::ostream& operator<<(std::ostream& out, const FlyResponse& response) { return out << response.status << " " << response.text; }

void FlySuite::createApp(const std::string& name) {
  const FlyResponse response = post("/v1/apps", json::object{{"name", name}, {"org_slug", "personal"}, {"network", name}});
  ASSERT_EQ(response.status, 201) << response;
}

json::object FlySuite::config() const {
  json::object made{{"image", GetParam().image()}, {"guest", {{"cpu_kind", "shared"}, {"cpus", 1}, {"memory_mb", 256}}}};
  if (!GetParam().idle.empty()) made["init"] = json::object{{"exec", json::array(GetParam().idle.begin(), GetParam().idle.end())}};
  return made;
}

json::object FlySuite::configWith(std::string_view key, json::value value) const {
  json::object made = config();
  made[key] = std::move(value);
  return made;
}

json::object FlySuite::machineRequest(json::object config) const { return {{"region", "ams"}, {"config", std::move(config)}}; }

json::object FlySuite::mounting(const std::string& volume_id) const {
  return machineRequest(configWith("mounts", json::array{{{"volume", volume_id}, {"path", "/data"}}}));
}

FlyMachine FlySuite::create(const json::object& request, const std::string& app) {
  const std::string machines = "/v1/apps/" + app + "/machines";
  const FlyResponse response = post(machines, request);
  EXPECT_EQ(response.status, 200) << response;
  return {response.at("/id"), response.at("/instance_id"), machines + "/" + response.at("/id")};
}

FlyMachine FlySuite::started(const json::object& request, const std::string& app) {
  FlyMachine machine = create(request, app);
  waitFor(machine, "started");
  return machine;
}

FlyMachine FlySuite::stopped(const json::object& request) {
  FlyMachine machine = started(request);
  stop(machine);
  return machine;
}

void FlySuite::stop(const FlyMachine& machine) {
  const FlyResponse response = post(machine.path + "/stop");
  ASSERT_EQ(response.status, 200) << response;
  waitFor(machine, "stopped");
}

void FlySuite::waitFor(const FlyMachine& machine, const std::string& state) {
  const FlyResponse response = get(format("{}/wait?state={}&timeout=60&version={}", machine.path, state, machine.version));
  ASSERT_EQ(response.status, 200) << "waiting for " << state << ": " << response;
  ASSERT_EQ(response.at("/ok"), "true");
}

std::string FlySuite::createVolume(const std::string& body, const std::string& app) {
  const FlyResponse response = post("/v1/apps/" + app + "/volumes", body);
  EXPECT_EQ(response.status, 200) << response;
  return response.at("/id");
}

std::string FlySuite::lease(const FlyMachine& machine, const std::string& body) {
  const FlyResponse response = post(machine.path + "/lease", body);
  EXPECT_EQ(response.status, 201) << response;
  return response.at("/data/nonce");
}

FlyResponse FlySuite::runInside(const FlyMachine& machine, const std::string& script) {
  return post(machine.path + "/exec", json::object{{"command", {"sh", "-c", script}}, {"timeout", 20}});
}

int FlySuite::countEvents(const FlyMachine& machine, std::string_view type, std::string_view status) {
  int count = 0;
  const json::value shown = get(machine.path + "/events?limit=50").body;
  for (const json::value& event : shown.as_array()) count += textAt(event, "/type") == type && textAt(event, "/status") == status ? 1 : 0;
  return count;
}

void FlySuite::eventually(const std::function<bool()>& condition, const std::string& what) {
  const Deadline end = Deadline::after(std::chrono::seconds(20));
  while (!condition()) {
    ASSERT_FALSE(end.hasPassed()) << "in vain: " << what;
    loop.run(async::sleepFor(std::chrono::milliseconds(10)));
  }
}

}  // namespace swarm::testing

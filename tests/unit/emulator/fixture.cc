// Starts and stops the emulator, and the client.
#include "unit/emulator/fixture.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "net/connect.h"

namespace swarm::test {
namespace {

constexpr const char* kToken = "fm2_good";
Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

}  // namespace

std::string ApiResponse::at(std::string_view pointer) const {
  boost::system::error_code code;
  const json::value* found = body.find_pointer(pointer, code);
  if (!found) return "";
  return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

struct EmulatorFixture::Running {
  Running(TestLoop& loop, const Clock& clock, const emulator::EmulatorOptions& options, emulator::BackendPtr backend)
      : emulator(loop.executor(), clock, options, std::move(backend)),
        server(net::listenTcp(loop.executor(), {"127.0.0.1", 0}), [this](net::Exchange& exchange) { return emulator.handle(exchange); }),
        client([port = server.port()](Deadline deadline) { return net::connectTcp({"127.0.0.1", port}, deadline); },
               {.host = "127.0.0.1", .name = "the emulator", .maxIdle = 64}) {}

  awaitable<void> serve() {
    co_await server.run();
    ended = true;
  }

  emulator::Emulator emulator;
  net::HttpServer server;
  net::HttpClient client;
  bool ended = false;
};

EmulatorFixture::EmulatorFixture() {
  options.tokens = {{Secret(kToken), "personal", "ada@example.com"}};
  options.rateLimits = emulator::RateLimits::Off;
}

EmulatorFixture::~EmulatorFixture() { close(); }

void EmulatorFixture::open() {
  if (running_) return;
  running_ = std::make_unique<Running>(*loop, clock, options, wrap(emulator::makeMemoryBackend(loop->executor(), clock, memory)));
  loop->run(running_->emulator.open());
  loop->spawn(running_->serve());
}

void EmulatorFixture::close() {
  if (!running_) return;
  running_->client.dropIdle();
  running_->server.stop();
  loop->runUntil([this] { return running_->ended; });
  loop->run(running_->emulator.close());
  running_.reset();
}

void EmulatorFixture::crash() {
  running_.reset();
  loop.reset();
  loop = std::make_unique<TestLoop>();
}

emulator::Emulator& EmulatorFixture::emulator() {
  open();
  return running_->emulator;
}

awaitable<void> EmulatorFixture::exchange(net::HttpRequest request, ApiResponse& response) {
  request.headers.push_back({"Authorization", std::string("Bearer ") + kToken});
  if (!request.body.empty()) request.contentType = "application/json";
  try {
    net::HttpResponse raw = co_await running_->client.send(std::move(request), soon());
    response = {raw.status, raw.body, nullptr, raw.headers};
    boost::system::error_code code;
    json::value body = json::parse(raw.body, code);
    if (!code) response.body = std::move(body);
  } catch (const Error& error) {
    response.text = error.message();
  }
}

ApiResponse EmulatorFixture::send(std::string method, std::string target, std::string body, net::Headers headers) {
  open();
  ApiResponse response;
  loop->run(exchange({.method = std::move(method), .target = std::move(target), .headers = std::move(headers), .body = std::move(body)},
                     response));
  return response;
}

std::vector<ApiResponse> EmulatorFixture::sendAll(std::vector<net::HttpRequest> requests) {
  open();
  std::vector<ApiResponse> responses(requests.size());
  std::size_t left = requests.size();
  auto one = [this, &left](net::HttpRequest request, ApiResponse& response) -> awaitable<void> {
    co_await exchange(std::move(request), response);
    --left;
  };
  for (std::size_t index = 0; index < requests.size(); ++index) loop->spawn(one(std::move(requests[index]), responses[index]));
  loop->runUntil([&] { return left == 0; });
  return responses;
}

ApiResponse EmulatorFixture::post(std::string target, const json::value& body) {
  return send("POST", std::move(target), json::serialize(body));
}

void EmulatorFixture::addFault(std::string_view text) {
  open();
  emulator().addFault(json::parse(text).as_object());
}

void EmulatorFixture::createApp(const std::string& name) {
  ApiResponse response = post("/v1/apps", json::object{{"name", name}, {"org_slug", "personal"}, {"network", name}});
  ASSERT_EQ(response.status, 201) << response.text;
}

std::string EmulatorFixture::createMachine(json::object config, json::object more) {
  config["image"] = "alpine";
  more["config"] = std::move(config);
  if (!more.contains("region")) more["region"] = "ams";
  ApiResponse response = post("/v1/apps/a1/machines", more);
  EXPECT_EQ(response.status, 200) << response.text;
  return "/v1/apps/a1/machines/" + response.at("/id");
}

std::string EmulatorFixture::createStarted(json::object config, json::object more) {
  std::string machine = createMachine(std::move(config), std::move(more));
  waitFor(machine, "started");
  return machine;
}

void EmulatorFixture::waitFor(const std::string& machine, const std::string& state) {
  ApiResponse response = get(machine + "/wait?timeout=20&state=" + state);
  ASSERT_EQ(response.status, 200) << response.text;
}

ApiResponse EmulatorFixture::exec(const std::string& machine, const std::string& script) {
  return post(machine + "/exec", json::object{{"command", json::array{"sh", "-c", script}}});
}

void EmulatorFixture::eventually(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) ASSERT_LT(std::chrono::steady_clock::now(), end) << "timed out waiting for the condition";
}

}  // namespace swarm::test

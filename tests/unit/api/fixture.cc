// Wires the server of the API's tests.
#include "unit/api/fixture.h"

#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <thread>

#include "base/diagnostics/log.h"
#include "model/codec/codec.h"
#include "protocol/agent.h"
#include "store/sqlite/sqlite_store.h"
#include "support/agents/fake_moves.h"
#include "support/auth/low_cost.h"

namespace swarm::test {
namespace {

/// The fake provider, whose agents and logs are the test's.
class ScriptedProvider final : public Provider {
 public:
  ScriptedProvider(fake::FakeWorld& world, const Clock& clock, Inside& inside, std::function<net::Connector()> agent)
      : fake_(world, clock, withSnapshots()), inside_(inside), agent_(std::move(agent)) {}

  ProviderType type() const override { return fake_.type(); }
  ProviderInfo info() const override { return fake_.info(); }
  awaitable<void> open(ProviderEventSink sink) override { return fake_.open(std::move(sink)); }
  awaitable<void> close() override { return fake_.close(); }
  void checkRequest(const InstanceSpec& spec) const override { fake_.checkRequest(spec); }
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override {
    return fake_.createInstance(std::move(spec), progress, deadline);
  }
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override {
    return fake_.previewInstance(std::move(spec), deadline);
  }
  awaitable<void> startInstance(PlaceId id, Progress& progress, Deadline deadline) override {
    return fake_.startInstance(std::move(id), progress, deadline);
  }
  awaitable<void> stopInstance(PlaceId id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override {
    return fake_.stopInstance(std::move(id), grace, progress, deadline);
  }
  awaitable<void> deleteInstance(PlaceId id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override {
    return fake_.deleteInstance(std::move(id), volumes, std::move(external), progress, deadline);
  }
  awaitable<std::optional<ProviderInstance>> getInstance(PlaceId id, Deadline deadline) override {
    return fake_.getInstance(std::move(id), deadline);
  }
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override {
    return fake_.listInstances(std::move(filter), deadline);
  }
  awaitable<AllocationEffect> allocateResources(PlaceId id, ResourceConfig resources, Deadline deadline) override {
    return fake_.allocateResources(std::move(id), std::move(resources), deadline);
  }
  awaitable<ResourceUsage> getResourceUsage(PlaceId id, UsageDepth depth, Deadline deadline) override {
    return fake_.getResourceUsage(std::move(id), depth, deadline);
  }
  awaitable<AllocationEffect> configureNetwork(PlaceId id, NetworkConfig network, Deadline deadline) override {
    return fake_.configureNetwork(std::move(id), std::move(network), deadline);
  }
  awaitable<NetworkInfo> getNetworkInfo(PlaceId id, Deadline deadline) override { return fake_.getNetworkInfo(std::move(id), deadline); }
  awaitable<CommandResult> executeCommand(PlaceId id, std::vector<std::string> command, std::string input, Deadline deadline) override {
    return fake_.executeCommand(std::move(id), std::move(command), std::move(input), deadline);
  }
  ProviderCapabilities getProviderCapabilities() const override { return fake_.getProviderCapabilities(); }
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override {
    return fake_.replaceInstance(std::move(spec), progress, deadline);
  }
  awaitable<AgentEndpoint> agentEndpoint(PlaceId id, Deadline deadline) override {
    if (!inside_.agent) co_return co_await fake_.agentEndpoint(std::move(id), deadline);
    co_return agent_();
  }
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override { return fake_.listVolumes(deadline); }
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override { return fake_.deleteVolume(std::move(name), deadline); }
  ProviderHealthReport health() const override { return fake_.health(); }
  ApiToken* apiToken() override { return fake_.apiToken(); }
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override { return fake_.validate(deadline); }
  UsedTotal cpuTotal() const override { return fake_.cpuTotal(); }
  UsedTotal memoryTotal() const override { return fake_.memoryTotal(); }
  VolumeSnapshots* volumeSnapshots() override { return fake_.volumeSnapshots(); }
  LogSource* logs() override { return inside_.logs ? inside_.logs.get() : fake_.logs(); }

 private:
  static fake::FakeOptions withSnapshots() {
    fake::FakeOptions options;
    options.regions = {"ams", "fra"};
    options.takesVolumeSnapshots = true;
    return options;
  }
  fake::FakeProvider fake_;
  Inside& inside_;
  std::function<net::Connector()> agent_;
};

awaitable<void> serveAgent(Inside& inside, net::Exchange& exchange) {
  if (exchange.head().path() == agent::kHealthPath) {
    co_await exchange.respond(200, {{"Content-Type", "application/json"}},
                              R"({"ready":true,"reason":"","generation":"g1","vscode":"running","uptime":1})");
  } else {
    co_await inside.agent(exchange);
  }
}

std::unique_ptr<net::HttpServer> listen(TestLoop& loop, net::HttpHandler handler, bool& done) {
  auto server = std::make_unique<net::HttpServer>(net::listenTcp(loop.executor(), {"127.0.0.1", 0}), std::move(handler));
  loop.spawn([](net::HttpServer& running, bool& ended) -> awaitable<void> {
    co_await running.run();
    ended = true;
  }(*server, done));
  return server;
}

}  // namespace

std::vector<std::string> idsOf(const Response& list) {
  std::vector<std::string> ids;
  for (const auto& item : list.json.at("items").as_array()) ids.emplace_back(item.at("id").as_string());
  return ids;
}

std::string Response::at(std::string_view name) const {
  const boost::json::object* object = json.if_object();
  const boost::json::value* member = object != nullptr ? object->if_contains(name) : nullptr;
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

ApiServer::ApiServer(ApiOptions options, AccessRules rules, ControllerOptions controller_options) {
  log::configure(log::Level::Warning, log::Style::Text);
  agent_server_ = listen(loop, [this](net::Exchange& exchange) { return serveAgent(inside, exchange); }, agent_done_);
  net::HostPort agent_address{"127.0.0.1", agent_server_->port()};
  auto agent_connector = [agent_address]() -> net::Connector {
    return [agent_address](Deadline deadline) { return net::connectTcp(agent_address, deadline); };
  };
  store_ = openSqliteStore(dir_ / "data");
  audit = std::make_unique<Audit>(store_->audit(), clock);
  if (options.audit == nullptr) options.audit = audit.get();
  auth = makeAuth(*store_, clock, {.access = rules, .audit = audit.get(), .passwordCost = test::kLowCost});
  loop.run(auth->initialise());
  password = "correct horse battery staple";
  loop.run(auth->putUser("ulla", Secret(password), Role::user));
  // Only one of them can sign in by password.
  loop.run(auth->putUser("sten", Secret(), Role::user));
  loop.run(auth->putUser("vera", Secret(), Role::viewer));
  loop.run(auth->putUser("auda", Secret(), Role::auditor));
  loop.run(auth->putUser("olaf", Secret(), Role::operator_));
  admin = issue("admin");
  user = issue("ulla");
  stranger = issue("sten");
  viewer = issue("vera");
  auditor = issue("auda");
  operates = issue("olaf");

  std::map<ProviderType, ProviderPtr> providers;
  providers[ProviderType::fake] = std::make_unique<ScriptedProvider>(world, clock, inside, agent_connector);
  controller_options.moveAgents = std::make_shared<test::FakeMoves>(world);
  controller_options.urlPattern = "http://{name}.localhost:7420/";
  controller = std::make_unique<SwarmController>(loop.executor(), *store_, std::move(providers), clock, controller_options);
  loop.run(controller->open());
  api_ = std::make_unique<Api>(std::move(options), *controller, *auth, metrics, clock);
  server_ = listen(loop, [this](net::Exchange& exchange) { return api_->handle(exchange); }, server_done_);
  net::HostPort address{"127.0.0.1", server_->port()};
  client_ = std::make_unique<net::HttpClient>([address](Deadline deadline) { return net::connectTcp(address, deadline); },
                                              net::HttpClientOptions{.host = "swarm.localhost"});
}

ApiServer::~ApiServer() {
  client_.reset();
  server_->stop();
  agent_server_->stop();
  loop.runUntil([this] { return server_done_ && agent_done_; });
  loop.run(controller->close(std::chrono::seconds(1)));
}

Response ApiServer::send(Request request, const std::string& token) {
  net::HttpRequest out;
  out.method = request.method;
  out.target = request.target;
  out.body = request.body;
  out.headers = request.headers;
  if (!request.body.empty()) out.contentType = request.contentType;
  if (!token.empty()) out.headers.push_back({"Authorization", "Bearer " + token});
  net::HttpResponse received = loop.run(client_->send(std::move(out), Deadline::after(std::chrono::seconds(15))));
  Response response{received.status, std::move(received.headers), std::move(received.body), nullptr};
  if (response.header("Content-Type").find("json") != std::string::npos) {
    boost::system::error_code malformed;
    response.json = boost::json::parse(response.text, malformed);
  }
  return response;
}

std::string ApiServer::create(const std::string& name, const std::string& token) {
  Response response = send({"POST", "/api/instances?wait=10", R"({"provider":"fake","name":")" + name + "\"}"}, token);
  if (response.status != 201) throw std::runtime_error("create answered " + response.text);
  return response.at("id");
}

std::vector<AuditRecord> ApiServer::recorded(const std::string& action) {
  std::vector<AuditRecord> records;
  for (const AuditRow& row : loop.run(audit->list({.action = action, .withBegun = false}, 0, 500)).rows)
    records.push_back(fromJson<AuditRecord>(boost::json::parse(row.body)));
  return records;
}

std::string ApiServer::url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

net::StreamPtr ApiServer::connect() {
  return loop.run(net::connectTcp({"127.0.0.1", server_->port()}, Deadline::after(std::chrono::seconds(5))));
}

std::string ApiServer::raw(const std::string& bytes) {
  net::StreamPtr stream = connect();
  return loop.run([](net::Stream& wire, std::string text) -> awaitable<std::string> {
    co_await wire.writeAll(text);
    std::string out;
    std::vector<char> buffer(16 * 1024);
    for (;;) {
      net::IoResult got = co_await wire.readSome(boost::asio::buffer(buffer));
      if (got.error) co_return out;
      out.append(buffer.data(), got.bytes);
    }
  }(*stream, bytes));
}

void ApiServer::withClient(const std::function<void(SwarmClient&)>& use, const std::string& token) {
  bool done = false;
  std::exception_ptr failure;
  std::thread thread([&] {
    try {
      ClientConfig config;
      config.url = url();
      config.token = Secret(token);
      SwarmClient client(std::move(config));
      use(client);
    } catch (...) {
      failure = std::current_exception();
    }
    boost::asio::post(loop.context(), [&done] { done = true; });
  });
  loop.runUntil([&done] { return done; });
  thread.join();
  if (failure) std::rethrow_exception(failure);
}

std::string ApiServer::issue(const std::string& name, std::chrono::seconds ttl) { return loop.run(auth->issue(name, ttl)).token.reveal(); }

}  // namespace swarm::test

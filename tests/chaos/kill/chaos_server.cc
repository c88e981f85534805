// A server reduced to what kill -9 can hurt: SQLite store, one provider, controller. One request per line on stdin, one JSON response per
// line on stdout. usage: chaos_server DATA_DIR SWARM_ID IMAGE [FLY_API_URL [FLY_APP_URL]]
// With FLY_APP_URL there are both providers, and the image has an agent. CHAOS_SECOND_ENGINE: the socket of another Docker host, "box2".
// CHAOS_AGENT: the image has an agent, at Docker alone.
// CHAOS_TROUBLE=KIND[:SEED]: what lies between the server and its agents (trouble.h), or "repeats".
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <future>
#include <iostream>
#include <sstream>

#include "async/deadline.h"
#include "async/loop.h"
#include "base/diagnostics/log.h"
#include "chaos/kill/trouble.h"
#include "chaos/races/storm.h"
#include "controller/controller.h"
#include "model/codec/codec.h"
#include "provider/docker/docker_config.h"
#include "provider/flyio/flyio_provider.h"
#include "store/sqlite/sqlite_store.h"

namespace swarm {
namespace {

constexpr std::chrono::seconds kPatience{600};

ProviderPtr makeDocker(const std::string& swarm_id) {
  DockerProviderConfig docker;
  if (const char* socket = std::getenv("SWARM_TEST_DOCKER_SOCKET")) docker.socketPath = socket;
  docker.localImages.push_back("swarm-test-busybox");
  docker.localImages.push_back("swarm-test-agent");
  const char* second = std::getenv("CHAOS_SECOND_ENGINE");
  if (!second) return makeDockerProvider(docker, swarm_id);
  DockerProviderConfig other = docker;
  docker.name = "local";
  other.name = "box2";
  other.socketPath = second;
  return makeDockerProvider(std::vector{docker, other}, swarm_id);
}

/// The emulator is near and does not limit: what the provider does patiently at Fly it does quickly here.
ProviderPtr makeFly(const std::string& api_url, const char* app_url, const std::string& image, const std::string& swarm_id,
                    const Clock& clock) {
  FlyIOProviderConfig config;
  config.apiToken = Secret("chaos");
  config.regions = {"ams"};
  config.apiBaseUrl = api_url;
  config.appUrl = app_url ? app_url : api_url;
  config.localWorkspaceImage = image;
  config.workspaceImage = "registry.fly.io/chaos/" + image;
  flyio::Tuning tuning;
  tuning.lookFor = std::chrono::milliseconds(300);
  tuning.firstPause = std::chrono::milliseconds(2);
  tuning.longestPause = std::chrono::milliseconds(50);
  tuning.ratesTimes = 1'000;
  return std::make_unique<flyio::FlyIOProvider>(config, swarm_id, clock, tuning);
}

class Server {
 public:
  Server(const char* data_dir, std::string swarm_id, std::string image, const char* fly_api, const char* fly_app)
      : store_(openSqliteStore(data_dir)), loop_("control"), world_(swarm_id), file_(fly_api ? "/data/notes" : "/home/coder/notes") {
    std::map<ProviderType, ProviderPtr> providers;
    if (fly_api) providers[ProviderType::flyio] = makeFly(fly_api, fly_app, image, swarm_id, clock_);
    if (!fly_api || fly_app) providers[ProviderType::docker] = makeDocker(swarm_id);
    ControllerOptions options;
    addTrouble(providers, options);
    options.moveExecutor = move_loop_.executor();
    options.swarmId = std::move(swarm_id);
    options.workspaceImage = std::move(image);
    has_agent_ = fly_app || std::getenv("CHAOS_AGENT");
    if (!has_agent_) options.agentRefusal = std::chrono::milliseconds(20);  // the image has no agent
    options.needsVscode = has_agent_;
    options.stopGrace = std::chrono::seconds(3);
    options.providerOutage = std::chrono::seconds(20);
    options.maxRetryDelay = std::chrono::seconds(1);
    controller_ = std::make_unique<SwarmController>(loop_.executor(), *store_, std::move(providers), clock_, options);
    run(controller_->open());
  }

  boost::json::value handle(const std::string& verb, const std::string& name, const std::string& rest) {
    if (verb == "create") return create(name, rest);
    if (verb == "start") return finish(run(controller_->startInstance(name, "ann")));
    if (verb == "stop") return finish(run(controller_->stopInstance(name, "ann")));
    if (verb == "restart") return finish(run(controller_->restartInstance(name, "ann")));
    if (verb == "update") return update(name);
    if (verb == "delete") return finish(run(controller_->deleteInstance(name, DeleteVolumes::No, "ann")));
    if (verb == "purge") return finish(run(controller_->deleteInstance(name, DeleteVolumes::Yes, "ann")));
    if (verb == "write") return exec(name, {"tee", file_}, "precious");
    if (verb == "read") return exec(name, {"cat", file_}, "");
    if (verb == "exec" || verb == "migrate") waitUntilReady(name);
    if (verb == "exec") return exec(name, wordsOf(rest), "");
    if (verb == "migrate") return migrate(name, wordsOf(rest));
    if (verb == "storm") return storm(std::stoul(name), wordsOf(rest));
    if (verb == "settle") return settle();
    if (verb == "list") return toJson(run(controller_->listInstances({})).items);
    throw Error(ErrorCode::InvalidArgument, "unknown verb " + verb);
  }

  void close() { run(controller_->close(std::chrono::seconds(5))); }

 private:
  static void addTrouble(std::map<ProviderType, ProviderPtr>& providers, ControllerOptions& options) {
    const char* setting = std::getenv("CHAOS_TROUBLE");
    if (!setting) return;
    std::string kind = setting;
    if (kind == "repeats") {
      options.moveAgents = test::repeatingMoveAgents();
      return;
    }
    unsigned seed = 1;
    if (auto colon = kind.find(':'); colon != std::string::npos) {
      seed = static_cast<unsigned>(std::stoul(kind.substr(colon + 1)));
      kind.resize(colon);
    }
    for (auto& [type, provider] : providers) provider = test::withTrouble(std::move(provider), kind, seed);
  }

  template <typename T>
  T run(awaitable<T> work) {
    return boost::asio::co_spawn(loop_.executor(), std::move(work), boost::asio::use_future).get();
  }

  boost::json::value finish(const InstanceAndOperation& started) {
    return toJson(run(controller_->waitForOperation(started.operation.id, Deadline::after(kPatience))));
  }

  /// `memory`: of the container, in MiB.
  boost::json::value create(const std::string& name, const std::string& memory) {
    CreateRequest request;
    request.owner = "ann";
    request.actor = "ann";
    request.config.name = name;
    request.config.resources.memory.max = memory.empty() ? 64 : std::stoi(memory);
    request.config.env["CHAOS_WORLD"] = world_;  // by it the test knows its processes
    return finish(run(controller_->createInstance(request)));
  }

  boost::json::value update(const std::string& name) {
    UpdateRequest request;
    request.env = std::map<std::string, std::string>{{"CHANGED", "yes"}};
    UpdateResult result = run(controller_->updateInstance(name, request, "ann"));
    return toJson(run(controller_->waitForOperation(result.operation.value().id, Deadline::after(kPatience))));
  }

  static std::vector<std::string> wordsOf(const std::string& text) {
    std::istringstream words(text);
    std::vector<std::string> found;
    for (std::string word; words >> word;) found.push_back(word);
    return found;
  }

  /// After a start of the server, the agents of running instances are queried first; requests before that take an unusual path.
  void waitUntilReady(const std::string& name) {
    Deadline deadline = Deadline::after(std::chrono::seconds(20));
    while (!deadline.hasPassed()) {
      auto table = controller_->routes().current();
      auto route = table->find(name);
      if (route == table->end() || route->second->status != InstanceStatus::running || route->second->ready) return;
      run(async::sleepFor(std::chrono::milliseconds(5)));
    }
  }

  /// Words: a provider's name, "region=R", "keep", "back", "limit=BYTES" (a second).
  boost::json::value migrate(const std::string& name, const std::vector<std::string>& words) {
    MigrateRequest request;
    for (const std::string& word : words) {
      if (auto provider = enumFromName<ProviderType>(word)) request.targetProvider = provider;
      if (word.starts_with("region=")) request.region = word.substr(7);
      if (word.starts_with("limit=")) request.bandwidthLimit = std::stoll(word.substr(6));
      if (word == "keep") request.keepSource = true;
      if (word == "back") request.back = true;
    }
    return finish(run(controller_->migrateInstance(name, request, "ann")));
  }

  boost::json::value exec(const std::string& name, std::vector<std::string> command, std::string input) {
    CommandResult result = run(controller_->executeCommand(name, std::move(command), std::move(input), Deadline::after(kPatience)));
    return boost::json::value(boost::json::string(result.stdoutText));
  }

  /// Words: rounds, seed, "purge" (nothing is deleted without its volumes), "moves" (between Docker and Fly).
  boost::json::value storm(std::size_t lanes, const std::vector<std::string>& words) {
    const auto has = [&](std::string_view word) { return std::ranges::find(words, word) != words.end(); };
    test::StormPlan plan{.lanes = lanes,
                         .rounds = std::stoul(words.at(0)),
                         .seed = static_cast<unsigned>(std::stoul(words.at(1))),
                         .hasAgent = has_agent_,
                         .moves = has("moves"),
                         .keepsVolumes = !has("purge")};
    return run(test::runStorm(*controller_, plan));
  }

  bool hasUnusedPlaces() {
    auto is_unused = [](const PlaceRecord& place) { return place.role != PlaceRole::kept && place.role != PlaceRole::snapshot; };
    return std::ranges::any_of(run(store_->loadPlaces()), is_unused);
  }

  /// Waits for every operation that an earlier life left unfinished, and for the removal of the places that they left behind, which the
  /// next life would complete, passing fault points at any time.
  boost::json::value settle() {
    for (const Operation& operation : run(controller_->listOperations({})))
      if (operation.status == OperationStatus::pending || operation.status == OperationStatus::running)
        run(controller_->waitForOperation(operation.id, Deadline::after(kPatience)));
    for (Deadline deadline = Deadline::after(kPatience); hasUnusedPlaces() && !deadline.hasPassed();)
      run(async::sleepFor(std::chrono::milliseconds(5)));
    OperationFilter all;
    all.limit = 10'000;
    return toJson(run(controller_->listOperations(all)));
  }

  RealClock clock_;
  std::unique_ptr<Store> store_;
  async::Loop loop_;
  async::Loop move_loop_{"move"};
  std::string world_;
  bool has_agent_ = false;
  std::string file_;  ///< on what outlives the instance's processes: no agent binds a Machine's volume to the home here
  std::unique_ptr<SwarmController> controller_;
};

}  // namespace
}  // namespace swarm

int main(int argc, char** argv) {
  if (argc < 4 || argc > 6) return 2;
  swarm::log::configure(swarm::log::Level::Debug, swarm::log::Style::Text);
  try {
    swarm::Server server(argv[1], argv[2], argv[3], argc > 4 ? argv[4] : nullptr, argc > 5 ? argv[5] : nullptr);
    std::cout << "{\"ready\":true}" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string verb, name, rest;
      words >> verb >> name;
      std::getline(words, rest);
      try {
        std::cout << boost::json::serialize(server.handle(verb, name, rest)) << std::endl;
      } catch (const swarm::Error& error) {
        std::cout << boost::json::serialize(boost::json::object{{"failed", error.message()}}) << std::endl;
      }
    }
    server.close();
  } catch (const std::exception& error) {
    std::cerr << "chaos_server: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}

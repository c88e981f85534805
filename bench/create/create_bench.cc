// create → container running by the Docker provider, against the same Engine calls made bare in the same order. Interleaved; prints the
// median of each and of the ratios, as a Markdown table.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>

#include "bare_engine.h"
#include "base/id.h"
#include "provider/docker/docker_config.h"
#include "provider/docker/spec/container_spec.h"
#include "provider/docker/spec/image_agent.h"

namespace swarm::bench {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

struct Settings {
  std::string image = "swarm-workspace:latest";
  int rounds = 25;
};

double millisecondsSince(SteadyTime start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double quantile(std::vector<double> values, double at) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(at * static_cast<double>(values.size() - 1))];
}

class Bench {
 public:
  explicit Bench(Settings settings)
      : settings_(std::move(settings)), bare_(config_.socketPath.string()), provider_(makeDockerProvider(config_, swarm_id_)) {}

  void run() {
    wait(provider_->open([](const ProviderEvent&) {}));
    InstanceSpec resident = spec();  // keeps the owner's network, as a second workspace of the same person does
    wait(createByProvider(resident));
    try {
      measure();
    } catch (...) {
      cleanUp(resident);
      throw;
    }
    cleanUp(resident);
  }

 private:
  static std::string bootOf() { return R"({"instanceId":"bench","publicKey":")" + std::string(64, '0') + R"("})"; }

  InstanceSpec spec() {
    InstanceSpec made{PlaceId(newId("i")), "bench", "bench", {}, bootOf(), Secret(R"({"instanceId":"bench","secret":"00"})")};
    made.config.name = "bench";
    made.config.image = settings_.image;
    made.config.resources.cpu = {1, 1000};
    made.config.resources.memory = {0, 1024};
    made.config.storage = {{1, true, "/home/coder", ""}};
    return made;
  }

  void wait(awaitable<void> work) {
    bool ended = false;
    std::exception_ptr failure;
    asio::co_spawn(context_, std::move(work), [&](std::exception_ptr error) {
      failure = error;
      ended = true;
    });
    while (!ended) {
      context_.restart();
      context_.run_one();
    }
    if (failure) std::rethrow_exception(failure);
  }

  static Deadline soon() { return Deadline::after(std::chrono::seconds(120)); }
  awaitable<void> createByProvider(InstanceSpec spec) { co_await provider_->createInstance(std::move(spec), progress_, soon()); }
  awaitable<void> remove(PlaceId place_id) {
    co_await provider_->deleteInstance(std::move(place_id), DeleteVolumes::Yes, {}, progress_, soon());
  }
  void cleanUp(const InstanceSpec& resident) {
    wait(remove(resident.placeId));
    wait(provider_->close());
  }

  /// The provider's own bodies, in its order: volume, container, (an older agent's file,) start, inspect.
  void createBare(const InstanceSpec& spec) {
    auto network = docker::planNetwork(spec, config_, swarm_id_);
    auto volumes = docker::planVolumes(spec);
    const std::string v = "/v1.41";
    bare_.call("POST", v + "/volumes/create", json::serialize(docker::volumeBody(spec, volumes[0], config_, swarm_id_)));
    json::object body = docker::containerBody(spec, config_, swarm_id_, network, volumes);
    docker::fitToAgent(body, spec, agent_, config_);
    json::value made = json::parse(bare_.call("POST", v + "/containers/create?name=" + docker::containerName(spec), json::serialize(body)));
    std::string container(made.at("Id").as_string());
    if (agent_.credential == AgentCredential::Secret) {
      bare_.call("PUT", v + "/containers/" + container + "/archive?path=%2F", docker::agentFileArchive(spec.agentFile),
                 "application/x-tar");
    }
    bare_.call("POST", v + "/containers/" + container + "/start");
    bare_.call("GET", v + "/containers/" + container + "/json");
  }

  void measure() {
    agent_ = docker::readImage(json::parse(bare_.call("GET", "/v1.41/images/" + net::percentEncode(settings_.image) + "/json"))).agent;
    std::vector<double> ours, bare, ratios;
    for (int round = 0; round < settings_.rounds + 1; ++round) {
      double times[2] = {0, 0};
      for (int turn = 0; turn < 2; ++turn) {
        int which = (turn + round) % 2;  // who goes first changes: the second one finds warmer caches
        InstanceSpec wanted = spec();
        SteadyTime start = std::chrono::steady_clock::now();
        if (which == 0) wait(createByProvider(wanted));
        if (which == 1) createBare(wanted);
        times[which] = millisecondsSince(start);
        wait(remove(wanted.placeId));
      }
      if (round == 0) continue;  // warms both
      ours.push_back(times[0]);
      bare.push_back(times[1]);
      ratios.push_back(times[0] / times[1]);
      std::fprintf(stderr, "round %d: ours %.1f ms, bare %.1f ms\n", round, times[0], times[1]);
    }
    std::printf("| create → container running (%s, %d rounds) | median | p90 |\n| --- | --- | --- |\n", settings_.image.c_str(),
                settings_.rounds);
    std::printf("| Docker provider | %.1f ms | %.1f ms |\n", quantile(ours, 0.5), quantile(ours, 0.9));
    std::printf("| the same Engine calls, bare | %.1f ms | %.1f ms |\n", quantile(bare, 0.5), quantile(bare, 0.9));
    std::printf("| ratio of the medians | %.3f | |\n", quantile(ours, 0.5) / quantile(bare, 0.5));
    std::printf("| median of the rounds' ratios | %.3f | |\n", quantile(ratios, 0.5));
  }

  Settings settings_;
  DockerProviderConfig config_;
  std::string swarm_id_ = newId("bench");
  BareEngine bare_;
  docker::ImageAgent agent_;
  asio::io_context context_{1};
  ProviderPtr provider_;
  NoProgress progress_;
};

}  // namespace
}  // namespace swarm::bench

int main(int argc, char** argv) {
  swarm::bench::Settings settings;
  if (argc > 1 && std::string_view(argv[1]).starts_with("-")) {
    std::cout << "usage: bench_create [IMAGE [ROUNDS]]   (default: swarm-workspace:latest 25)\n";
    return 0;
  }
  if (argc > 1) settings.image = argv[1];
  if (argc > 2) settings.rounds = std::max(1, std::atoi(argv[2]));
  try {
    swarm::bench::Bench(settings).run();
  } catch (const std::exception& error) {
    std::cerr << "bench_create: " << error.what() << "\n";
    return 1;
  }
}

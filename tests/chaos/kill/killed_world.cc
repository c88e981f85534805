// The Engine, and an emulated Fly.
#include "chaos/kill/killed_world.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <stdexcept>

#include "chaos/kill/server_process.h"
#include "conformance/provider/test_engine.h"
#include "net/http_client.h"

namespace swarm::test {
namespace {

class KilledDocker final : public KilledWorld {
 public:
  KilledDocker() : engine_(runner_, testing::testEngineConfig()) {}
  void prepare(ServerSettings& settings) override { settings.image = engine_.ensureImage(); }
  Holdings holdings(const std::string& swarm_id) override {
    Holdings have;
    for (const std::string& one : engine_.leftovers(swarm_id)) {
      have.machines += one.starts_with("containers ");
      have.enclosures += one.starts_with("networks ");
      have.volumes += one.starts_with("volumes ");
    }
    return have;
  }
  Holdings holdingsOf(std::size_t instances, std::size_t volumes) const override { return {instances, instances, volumes, 0}; }
  void removeAll(const std::string& swarm_id) override { engine_.removeAll(swarm_id); }

 private:
  testing::CoroutineRunner runner_;
  testing::TestEngine engine_;
};

/// fly-emulator --backend memory, in a process of its own.
class KilledFly final : public KilledWorld {
 public:
  KilledFly() {
    int out[2];
    if (::pipe(out) != 0) throw std::runtime_error("pipe failed");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
      ::dup2(out[1], 1);
      ::execl(FLY_EMULATOR, "fly-emulator", "--backend", "memory", "--token", "chaos", "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0",
              "--no-rate-limits", "--strict", nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    readAddress(out[0]);
    ::close(out[0]);
  }
  ~KilledFly() override {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  KilledFly(const KilledFly&) = delete;
  KilledFly& operator=(const KilledFly&) = delete;

  void prepare(ServerSettings& settings) override {
    settings.image = "workspace";
    settings.flyApi = "http://127.0.0.1:" + std::to_string(port_);
  }
  Holdings holdings(const std::string&) override {
    boost::json::value state = boost::json::parse(send("GET", "/emulator/state"));
    auto count = [&](std::string_view what) { return state.at(what).to_number<std::size_t>(); };
    return {count("machines"), count("apps"), count("volumes"), count("ips")};
  }
  /// A volume can't be without its app; the addresses go with the Machine.
  Holdings holdingsOf(std::size_t instances, std::size_t volumes) const override {
    return {instances, std::max(instances, volumes), volumes, 2 * instances};
  }
  void removeAll(const std::string&) override {
    for (const auto& app : boost::json::parse(send("GET", "/v1/apps?org_slug=personal")).at("apps").as_array())
      send("DELETE", "/v1/apps/" + std::string(app.at("name").as_string()) + "?force=true");
  }

 private:
  /// "Machines API  http://127.0.0.1:4280/v1"
  void readAddress(int from) {
    std::string text;
    char piece[512];
    while (text.find("/v1") == std::string::npos) {
      ssize_t got = ::read(from, piece, sizeof piece);
      if (got <= 0) throw std::runtime_error("fly-emulator did not start: " + text);
      text.append(piece, static_cast<std::size_t>(got));
    }
    constexpr std::string_view host = "http://127.0.0.1:";
    port_ = static_cast<std::uint16_t>(std::stoi(text.substr(text.find(host) + host.size())));
  }

  std::string send(std::string method, std::string target) {
    auto connect = [this](Deadline deadline) { return net::connectTcp({"127.0.0.1", port_}, deadline); };
    net::HttpClient client(connect, {.host = "127.0.0.1", .name = "the emulator"});
    net::HttpRequest request{.method = std::move(method), .target = std::move(target), .headers = {{"Authorization", "Bearer chaos"}}};
    return runner_.run(client.send(std::move(request), Deadline::after(std::chrono::seconds(60)))).body;
  }

  testing::CoroutineRunner runner_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace

std::unique_ptr<KilledWorld> makeKilledDocker() { return std::make_unique<KilledDocker>(); }
std::unique_ptr<KilledWorld> makeKilledFly() { return std::make_unique<KilledFly>(); }

}  // namespace swarm::test

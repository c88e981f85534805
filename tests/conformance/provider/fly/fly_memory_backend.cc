// A decorator that reads the agent's settings at boot, as the agent would.
#include "conformance/provider/fly/fly_memory_backend.h"
#include "async/awaitable.h"

#include <boost/json/parse.hpp>

#include "emulator/memory/memory_backend.h"

namespace swarm::testing {
namespace {

using namespace emulator;

class BindingBackend final : public Backend {
 public:
  explicit BindingBackend(BackendPtr inner) : inner_(std::move(inner)) {}

  awaitable<void> open(GuestExitSink sink) override { return inner_->open(std::move(sink)); }
  awaitable<void> close() override { return inner_->close(); }
  awaitable<std::optional<ImageFacts>> findImage(std::string image, Deadline deadline) override {
    return inner_->findImage(std::move(image), deadline);
  }
  awaitable<void> boot(MachinePlan plan, Deadline deadline) override {
    auto settings = plan.env.find("SWARM_AGENT");
    if (settings != plan.env.end() && !plan.volumeId.empty()) {
      boost::json::value config = boost::json::parse(settings->second);
      if (const boost::json::value* binds = config.as_object().if_contains("binds")) {
        plan.mountPath = std::string(binds->as_array().front().at("to").as_string());
      }
    }
    return inner_->boot(std::move(plan), deadline);
  }
  awaitable<void> stop(std::string id, std::string signal, std::chrono::milliseconds timeout, Deadline deadline) override {
    return inner_->stop(std::move(id), std::move(signal), timeout, deadline);
  }
  awaitable<void> suspend(std::string id, Deadline deadline) override { return inner_->suspend(std::move(id), deadline); }
  awaitable<void> resume(std::string id, Deadline deadline) override { return inner_->resume(std::move(id), deadline); }
  awaitable<void> signal(std::string id, std::string signal, Deadline deadline) override {
    return inner_->signal(std::move(id), std::move(signal), deadline);
  }
  awaitable<void> destroy(std::string id, Deadline deadline) override { return inner_->destroy(std::move(id), deadline); }
  awaitable<bool> isRunning(std::string id, Deadline deadline) override { return inner_->isRunning(std::move(id), deadline); }
  awaitable<GuestExecResult> exec(std::string id, GuestExec request, Deadline deadline) override {
    return inner_->exec(std::move(id), std::move(request), deadline);
  }
  awaitable<std::vector<GuestProcess>> processes(std::string id, Deadline deadline) override {
    return inner_->processes(std::move(id), deadline);
  }
  /// The simulated program writes nothing while it runs; the tests' image says that it is ready.
  awaitable<std::vector<GuestLine>> log(std::string id, int most, Deadline deadline) override {
    std::vector<GuestLine> lines = co_await inner_->log(std::move(id), most, deadline);
    lines.insert(lines.begin(), {"2026-01-01T00:00:00.000000000Z", "ready"});
    co_return lines;
  }
  awaitable<net::StreamPtr> connect(std::string id, std::uint16_t port, Deadline deadline) override {
    return inner_->connect(std::move(id), port, deadline);
  }
  awaitable<void> createVolume(std::string id, std::int64_t size_gb, Deadline deadline) override {
    return inner_->createVolume(std::move(id), size_gb, deadline);
  }
  awaitable<void> copyVolume(std::string from, std::string to, Deadline deadline) override {
    return inner_->copyVolume(std::move(from), std::move(to), deadline);
  }
  awaitable<void> destroyVolume(std::string id, Deadline deadline) override { return inner_->destroyVolume(std::move(id), deadline); }
  awaitable<std::int64_t> volumeBytesUsed(std::string id, Deadline deadline) override {
    return inner_->volumeBytesUsed(std::move(id), deadline);
  }
  awaitable<std::vector<std::string>> machineIds(Deadline deadline) override { return inner_->machineIds(deadline); }
  awaitable<std::vector<std::string>> volumeIds(Deadline deadline) override { return inner_->volumeIds(deadline); }

 private:
  BackendPtr inner_;
};

}  // namespace

emulator::BackendPtr makeTestMemoryBackend(async::Executor executor, const Clock& clock) {
  MemoryOptions options;
  options.missingImages = {"swarm-no-such-image:1"};
  return std::make_unique<BindingBackend>(makeMemoryBackend(std::move(executor), clock, std::move(options)));
}

}  // namespace swarm::testing

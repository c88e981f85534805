// ControllerTest: boots, kills and drives the controller.
#include "unit/controller/fixture.h"

#include "base/diagnostics/log.h"
#include "model/codec/codec.h"

namespace swarm::test {

using std::chrono::milliseconds;

ControllerTest::ControllerTest() {
  log::configure(log::Level::Error, log::Style::Text);
  options_.urlPattern = "http://{name}.localhost:7420/";
  options_.agentRefusal = milliseconds(50);
  options_.probeInterval = milliseconds(1);
  options_.retryDelay = milliseconds(2);
  options_.maxRetryDelay = milliseconds(10);
  options_.exitSettle = milliseconds(1);
  options_.orphanGrace = milliseconds(0);
  options_.startTimeout = std::chrono::seconds(10);
}

ControllerTest::~ControllerTest() { kill(); }

void ControllerTest::boot() {
  life_ = std::make_unique<Life>();
  auto provider = std::make_unique<fake::FakeProvider>(world_, clock_, fake_options_);
  provider_ = provider.get();
  std::map<ProviderType, ProviderPtr> providers;
  providers[provider->type()] = std::move(provider);
  for (const fake::FakeOptions& other : other_providers_)
    providers[other.type] = std::make_unique<fake::FakeProvider>(world_, clock_, other);
  life_->controller = std::make_unique<SwarmController>(life_->loop.get_executor(), store_, std::move(providers), clock_, options_);
  run(life_->controller->open());
}

void ControllerTest::kill() { life_.reset(); }

void ControllerTest::drive(std::function<bool()> done) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("the swarm did not get there within a minute");
    life_->loop.restart();
    life_->loop.run_one_for(milliseconds(100));
  }
}

bool ControllerTest::turn(int turns) {
  for (int i = 0; i < turns; ++i) {
    life_->loop.restart();
    if (life_->loop.run_one_for(milliseconds(20)) == 0) return false;
  }
  return true;
}

CreateRequest ControllerTest::request(const std::string& name, const std::string& owner) const {
  CreateRequest request;
  request.owner = owner;
  request.actor = owner;
  request.config.name = name;
  return request;
}

Operation ControllerTest::finish(const InstanceAndOperation& started) {
  return run(swarm().waitForOperation(started.operation.id, Deadline::after(std::chrono::seconds(30))));
}

Instance ControllerTest::create(const std::string& name) {
  InstanceAndOperation started = run(swarm().createInstance(request(name)));
  Operation ended = finish(started);
  EXPECT_EQ(ended.status, OperationStatus::succeeded) << (ended.error ? ended.error->message() : "");
  return get(name);
}

Instance ControllerTest::get(const std::string& ref) {
  auto instance = run(swarm().getInstance(ref));
  if (!instance) throw std::runtime_error("there is no instance " + ref);
  return *instance;
}

std::shared_ptr<const InstanceRoute> ControllerTest::route(const std::string& name) {
  auto table = swarm().routes().current();
  auto found = table->find(name);
  return found == table->end() ? nullptr : found->second;
}

void ControllerTest::waitForStatus(const std::string& ref, InstanceStatus status) {
  drive([&] {
    life_->loop.poll_one();
    auto snapshot = route(ref);
    return snapshot && snapshot->status == status;
  });
}

}  // namespace swarm::test

// SwarmController: composition, start and end.
#include "controller/controller.h"

#include <boost/asio/post.hpp>

#include "base/diagnostics/log.h"
#include "base/id.h"
#include "controller/impl.h"
#include "protocol/ed25519.h"

namespace swarm {
namespace {

ControllerOptions completed(ControllerOptions options, const async::Executor& control_loop) {
  if (!options.moveAgents) options.moveAgents = makeMoveAgents();
  if (!options.moveExecutor) options.moveExecutor = control_loop;
  return options;
}

}  // namespace

SwarmController::Impl::Impl(async::Executor control_loop, Store& durable, std::map<ProviderType, ProviderPtr> all, const Clock& time,
                            ControllerOptions chosen)
    : executor(std::move(control_loop)),
      store(durable),
      clock(time),
      options(completed(std::move(chosen), executor)),
      providers(std::move(all)),
      registry(clock),
      tasks(executor, [this] { return shared_from_this(); }),
      routes(executor, registry, providers, tasks),
      limits(options, providers, registry),
      changes(registry, events, routes),
      context{executor, store, clock, options, providers, registry, tasks, events, routes, changes, operations, limits},
      agents(context),
      places(context),
      lifecycle(context, agents),
      migration(context, places),
      snapshots(context, places),
      runner(context, {context, lifecycle, places, migration},
             [this](control::EntryPtr entry) { reconciler.afterOperation(std::move(entry)); }),
      creation(context, runner),
      updates(context, runner),
      ports(context),
      reconciler(context, agents, runner),
      usage(context),
      issuedTokens(context),
      providerTokens(context) {}

template <typename Part, typename... Arguments>
std::function<void(Arguments...)> SwarmController::Impl::posting(Part Impl::* part, void (Part::*call)(Arguments...)) {
  return [weak = weak_from_this(), part, call](Arguments... arguments) {
    if (auto impl = weak.lock())
      boost::asio::post(impl->executor,
                        [impl, part, call, ... values = std::decay_t<Arguments>(arguments)] { (*impl.*part.*call)(values...); });
  };
}

awaitable<void> SwarmController::Impl::load() {
  std::vector<InstanceRecord> records = co_await store.loadInstances();
  limits.setQuotas(co_await store.quotas().load());
  for (const UserRecord& user : co_await store.listUsers()) {
    if (user.git != GitIdentity{}) registry.setGitIdentity(user.name, user.git);
  }
  for (InstanceRecord& record : records) {
    if (record.agentKey.empty()) {  // durable before an agent receives it
      record.agentKey = Secret(toHex(randomBytes(ed25519::kSeedBytes)));
      co_await store.updateInstance(record);
    }
    auto entry = std::make_shared<control::Entry>();
    entry->record = std::move(record);
    entry->instance().operationId.clear();
    entry->instance().url = control::urlOf(options, entry->instance().config.name);  // the server's address may have changed
    entry->instance().stale = true;                                                  // until the provider has reported it
    const InstanceStatus status = entry->instance().status;
    entry->occupies = status != InstanceStatus::stopped && status != InstanceStatus::failed;
    registry.add(entry);
    routes.breakConnections(*entry);  // publishes its first route
  }
  co_await ports.load();
  co_await store.pruneNameHolds(clock.now());
  for (NameHold& hold : co_await store.loadNameHolds()) registry.hold(std::move(hold));
  co_await places.load();
  for (Departure& departure : co_await store.loadDepartures()) registry.depart(std::move(departure));
  for (const VolumeOwner& one : co_await store.loadVolumeOwners()) registry.setVolumeOwner(one);
  // A write that was queued behind the deletion of its owner may have written the former owner.
  for (const auto& [name, successor] : co_await store.loadSuccessors()) registry.handOver(name, successor);
}

awaitable<void> SwarmController::Impl::open() {
  co_await load();
  co_await providerTokens.load();
  routes.source().onDoubt(posting(&Impl::agents, &control::AgentWatch::noteTrouble));
  routes.source().onUse(posting(&Impl::agents, &control::AgentWatch::noteUse));
  log::info("controller opened", {{"instances", registry.instances().size()}});
  for (auto& [type, provider] : providers) co_await openProvider(type);
  co_await runner.resumeAll();
  places.begin();
  reconciler.begin();
  usage.begin();
}

awaitable<void> SwarmController::Impl::openProvider(ProviderType type) {
  co_await providers.at(type).open([weak = weak_from_this(), type](const ProviderEvent& event) {
    if (auto impl = weak.lock()) impl->reconciler.onEvent(type, event);
  });
}

awaitable<void> SwarmController::Impl::close(std::chrono::seconds grace) {
  co_await runner.close(grace);
  co_await tasks.stop();
  co_await usage.close();
  for (auto& [type, provider] : providers) co_await provider->close();
}

SwarmController::SwarmController(async::Executor control_loop, Store& store, std::map<ProviderType, ProviderPtr> providers,
                                 const Clock& clock, ControllerOptions options)
    : impl_(std::make_shared<Impl>(std::move(control_loop), store, std::move(providers), clock, std::move(options))) {}

SwarmController::~SwarmController() = default;

awaitable<void> SwarmController::open() {
  return onLoop([](Impl& impl) { return impl.open(); });
}
awaitable<void> SwarmController::close(std::chrono::seconds grace) {
  return onLoop([=](Impl& impl) { return impl.close(grace); });
}

std::function<void()> SwarmController::sessionListener() const {
  return impl_->posting(&Impl::issuedTokens, &control::IssuedTokens::check);
}

RouteSource& SwarmController::routes() { return impl_->routes.source(); }
EventBus& SwarmController::events() { return impl_->events; }

}  // namespace swarm

// Core: look-ups, background tasks, snapshots and routes.
#include "controller/state/core.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

constexpr std::chrono::milliseconds kPublishEvery{5};
constexpr std::size_t kMaxReason = 2048;  ///< of a status reason, which is part of rows, lists and events

SigningKey keyOf(const InstanceRecord& record, AgentCredential credential) {
  bool is_public = credential == AgentCredential::PublicKey;
  const Secret& hex = is_public ? record.agentKey : record.agentSecret;
  return {is_public ? TokenAlgorithm::Ed25519 : TokenAlgorithm::Hmac, Secret(fromHex(hex.reveal()).value_or(""))};
}

}  // namespace

Core::Core(async::Executor control_loop, Store& durable, std::map<ProviderType, ProviderPtr> all, const Clock& time,
           ControllerOptions chosen)
    : executor(std::move(control_loop)), store(durable), providers(std::move(all)), clock(time), options(std::move(chosen)) {
  if (!options.moveAgents) options.moveAgents = makeMoveAgents();
}

EntryPtr Core::find(std::string_view ref) const {
  auto by_id = instances.find(std::string(ref));
  if (by_id != instances.end()) return by_id->second;
  auto by_name = names.find(ref);
  if (by_name == names.end()) return nullptr;
  by_id = instances.find(by_name->second);
  return by_id == instances.end() ? nullptr : by_id->second;
}

EntryPtr Core::findByPlace(const std::string& place_id) const {
  auto found = place_owners_.find(place_id);
  return found == place_owners_.end() ? nullptr : find(found->second);
}

std::string Core::ownerOfPlace(const std::string& place_id) const {
  if (EntryPtr entry = findByPlace(place_id)) return entry->record.instance.owner;
  if (auto place = places.find(place_id); place != places.end()) return place->second.owner;
  auto gone = departed.find(place_id);
  return gone == departed.end() ? std::string() : gone->second.owner;
}

void Core::placeChanged(Entry& entry, const std::string& former) {
  place_owners_.erase(former);
  place_owners_[entry.placeId()] = entry.id();
}

EntryPtr Core::require(const std::string& ref) const {
  EntryPtr entry = find(ref);
  if (!entry) throw notFound("workspace", ref).withInstance(ref);
  return entry;
}

ActivePtr Core::activeOf(const Entry& entry) const {
  const std::string& id = entry.record.instance.operationId;
  auto found = active.find(id);
  return id.empty() || found == active.end() ? nullptr : found->second;
}

Provider& Core::providerOf(const Entry& entry) const {
  auto found = providers.find(entry.record.instance.provider);
  if (found == providers.end())
    throw Error(ErrorCode::Unavailable, format("The provider \"{}\" of workspace {} is not configured on this server.",
                                               enumName(entry.record.instance.provider), entry.record.instance.config.name));
  return *found->second;
}

void Core::spawn(std::string what, awaitable<void> work) {
  auto task = std::make_shared<Task>();
  auto place = tasks_.insert(tasks_.end(), task);
  auto done = [self = shared_from_this(), place, what = std::move(what)](std::exception_ptr failure) {
    self->tasks_.erase(place);
    self->task_ended_.notifyAll();
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (...) {
      Error error = currentExceptionAsError();
      if (error.code() != ErrorCode::Cancelled)
        log::error("background task failed", {{"work", what}, {"error", error.message()}, {"cause", error.cause()}});
    }
  };
  boost::asio::co_spawn(executor, holding<void>(shared_from_this(), std::move(work)),
                        boost::asio::bind_cancellation_slot(task->signal.slot(), std::move(done)));
}

awaitable<void> Core::stopTasks() {
  while (!tasks_.empty()) {
    auto seen = task_ended_.version();
    auto tasks = tasks_;
    for (auto& task : tasks) task->signal.emit(boost::asio::cancellation_type::terminal);
    if (!tasks_.empty()) co_await task_ended_.wait(seen, Deadline::after(std::chrono::milliseconds(100)));
  }
}

void Core::setStatus(Entry& entry, InstanceStatus status, std::string reason) {
  entry.instance().status = status;
  entry.instance().statusReason = printable(reason, kMaxReason);
  changed(entry);
}

void Core::changed(Entry& entry) {
  auto snapshot = std::make_shared<Instance>(entry.record.instance);
  entry.snapshot = snapshot;
  boost::json::object data;
  data["id"] = snapshot->id;
  data["name"] = snapshot->config.name;
  data["owner"] = snapshot->owner;
  data["status"] = enumName(snapshot->status);
  data["statusReason"] = snapshot->statusReason;
  data["desired"] = enumName(snapshot->desired);
  data["url"] = snapshot->url;
  data["version"] = snapshot->version;
  data["stale"] = snapshot->stale;
  data["imageOutdated"] = snapshot->imageOutdated;
  data["ready"] = entry.ready;
  data["operationId"] = snapshot->operationId;
  bus.publish("instance", snapshot->owner, data);
  routeChanged(entry);
}

void Core::operationChanged(const Operation& operation) { bus.publish("operation", operation.owner, toJson(operation).as_object()); }

/// Copying the table costs time in proportion to the swarm, so a burst of changes is published together.
void Core::routeChanged(const Entry& entry) {
  dirty_routes_[entry.record.instance.config.name] = entry.id();
  if (publishing_) return;
  publishing_ = true;
  spawn("publish routes", publishLater());
}

awaitable<void> Core::publishLater() {
  auto due = published_ + kPublishEvery;
  if (due > std::chrono::steady_clock::now()) {
    co_await async::sleepUntil(Deadline::at(due));
  } else {
    co_await boost::asio::post(executor, boost::asio::use_awaitable);  // includes other changes of this turn
  }
  publishing_ = false;
  publishRoutes();
}

Route Core::routeOf(const Entry& entry) const {
  const Instance& instance = entry.record.instance;
  Route route;
  route.instanceId = instance.id;
  route.name = instance.config.name;
  route.owner = instance.owner;
  route.provider = instance.provider;
  route.status = instance.status;
  route.reason = instance.statusReason;
  route.imageOutdated = instance.imageOutdated;
  if (auto provider = providers.find(instance.provider); provider != providers.end())
    route.enforcesStorage = provider->second->getProviderCapabilities().enforcesStorage;
  route.step = entry.step;
  route.stepStartedAt = entry.stepStartedAt;
  route.ready = entry.ready;
  route.generation = entry.generation;
  route.epoch = entry.epoch;
  route.moving = entry.moving;
  route.agent = targetOf(entry);
  return route;
}

void Core::publishRoutes() {
  if (dirty_routes_.empty()) return;
  auto table = std::make_shared<RouteTable>(*routes.current());
  for (const auto& [name, id] : std::exchange(dirty_routes_, {})) {
    auto found = instances.find(id);
    auto old = table->find(name);
    if (found != instances.end()) {
      table->insert_or_assign(name, std::make_shared<const Route>(routeOf(*found->second)));
    } else if (old != table->end() && old->second->instanceId == id) {
      table->erase(old);
    }
  }
  published_ = std::chrono::steady_clock::now();
  routes.publish(std::move(table));
}

void Core::breakConnections(Entry& entry) {
  entry.epoch = next_epoch_++;
  entry.endpoint = {};
  entry.ready = false;
  entry.incarnation.clear();
  entry.observed.notifyAll();
  routeChanged(entry);
}

void Core::add(EntryPtr entry) {
  entry->epoch = next_epoch_++;
  entry->snapshot = std::make_shared<const Instance>(entry->record.instance);
  names[entry->record.instance.config.name] = entry->id();
  instances[entry->id()] = entry;
  place_owners_[entry->placeId()] = entry->id();
  routeChanged(*entry);
}

void Core::remove(const EntryPtr& entry) {
  entry->removed = true;
  breakConnections(*entry);
  auto name = names.find(entry->record.instance.config.name);
  if (name != names.end() && name->second == entry->id()) names.erase(name);
  instances.erase(entry->id());
  place_owners_.erase(entry->placeId());
  routeChanged(*entry);
}

agent::AgentTarget Core::targetOf(const Entry& entry, AgentEndpoint endpoint) const {
  agent::AgentTarget target;
  target.instanceId = entry.record.instance.id;
  target.key = keyOf(entry.record, endpoint.credential);
  target.endpoint = std::move(endpoint);
  return target;
}

void Core::addAgentSettings(InstanceSpec& spec, const Entry& entry, const std::string& hold) const {
  boost::json::object settings{{"instanceId", entry.id()}};  // also at a place with another id
  boost::json::array mounts;
  for (const StorageConfig& storage : spec.config.storage) mounts.push_back(boost::json::string(storage.mountPath));
  if (!mounts.empty()) settings["mounts"] = std::move(mounts);
  if (!hold.empty()) settings["hold"] = hold;
  if (!spec.config.setup.empty()) settings["setup"] = spec.config.setup;
  if (auto git = gitIdentities.find(spec.owner); git != gitIdentities.end() && git->second != GitIdentity{})
    settings["git"] = toJson(git->second);
  boost::json::object file = settings;
  file["secret"] = entry.record.agentSecret.reveal();
  spec.agentFile = Secret(boost::json::serialize(file));
  settings["publicKey"] = toHex(verifyingKeyOf(keyOf(entry.record, AgentCredential::PublicKey)).bytes.reveal());
  spec.agentBoot = boost::json::serialize(settings);
}

const NameHold* Core::holdOf(std::string_view name) const {
  const auto found = heldNames.find(name);
  return found == heldNames.end() || found->second.until <= clock.now() ? nullptr : &found->second;
}

awaitable<void> Core::forgetRow(const Entry& entry, Departure departure) {
  const Instance& instance = entry.record.instance;
  std::optional<NameHold> hold;
  if (options.nameHold.count() > 0) hold = NameHold{instance.config.name, instance.owner, clock.now() + options.nameHold};
  co_await store.deleteInstanceRow(instance.id, std::move(departure), hold);
  if (hold) heldNames[hold->name] = *hold;
}

InstanceSpec Core::specOf(const Entry& entry) const {
  const Instance& instance = entry.record.instance;
  InstanceSpec spec;
  spec.instanceId = entry.placeId();
  spec.name = instance.config.name;
  spec.owner = instance.owner;
  spec.config = instance.config;
  for (const auto& [name, value] : options.environment) spec.config.env.try_emplace(name, value);
  addAgentSettings(spec, entry, "");
  spec.known = entry.record.external;
  return spec;
}

awaitable<agent::AgentHealth> Core::probe(agent::AgentTarget target, Deadline deadline, std::chrono::milliseconds wait) const {
  if (options.probe) return options.probe(std::move(target), deadline);
  return agent::getHealth(std::move(target), deadline, wait);
}

awaitable<agent::AgentActivity> Core::activity(agent::AgentTarget target, Deadline deadline) const {
  if (options.activity) return options.activity(std::move(target), deadline);
  return agent::getActivity(std::move(target), deadline);
}

/// In memory only: the agent records it, too, and the next write of the row includes it.
void Core::noteActive(Entry& entry, SystemTime at) {
  Instance& instance = entry.instance();
  at = std::min(at, clock.now());  // the workspace's clock may be ahead
  if (at <= instance.lastActive) return;
  instance.lastActive = at;
  entry.snapshot = std::make_shared<const Instance>(instance);
}

std::string Core::urlOf(const std::string& name) const {
  std::string url = options.urlPattern;
  constexpr std::string_view place = "{name}";
  auto at = url.find(place);
  if (at != std::string::npos) url.replace(at, place.size(), name);
  return url;
}

}  // namespace swarm::control

// Places: durable records, the switch, removal in the background.
#include "controller/state/places.h"

#include <boost/asio/cancellation_state.hpp>

#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kRemoveTimeout{120};
constexpr std::chrono::seconds kOperationsPatience{30};  ///< an operation does not wait longer for a removal

}  // namespace

void describePlace(PlaceRecord& place, const Entry& entry, PlaceId id, PlaceRole role) {
  const Instance& instance = entry.record.instance;
  place.id = std::move(id);
  place.instanceId = entry.id();
  place.owner = instance.owner;
  place.role = role;
  place.provider = instance.provider;
  place.region = instance.region;
  place.config = instance.config;
}

NetworkConfig networkAt(NetworkConfig place, const NetworkConfig& present) {
  place.internalNetwork = present.internalNetwork;
  place.egress = present.egress;
  return place;
}

awaitable<void> PlaceProgress::recorded(ExternalResource resource) {
  PlaceRecord* found = context_.registry.findPlace(place_id_);
  if (!found || std::ranges::find(found->external, resource) != found->external.end()) co_return;
  found->external.push_back(resource);
  if (operation_) operation_->fault(format("record.{}", resource.kind.name()));
  PlaceRecord place = *found;
  co_await context_.store.putPlace(std::move(place));
  if (operation_) operation_->fault(format("recorded.{}", resource.kind.name()));
}

void PlaceProgress::step(Step step) {
  if (operation_) operation_->detail(std::string(stepName(step)));
}

void PlaceProgress::detail(std::string text, std::int64_t bytes_done, std::int64_t bytes_total) {
  if (operation_) operation_->detail(std::move(text), bytes_done, bytes_total);
}

awaitable<void> Places::load() {
  auto loaded = co_await context_.store.loadPlaces();
  for (PlaceRecord& place : loaded) context_.registry.putPlace(std::move(place));
  for (auto& [id, entry] : context_.registry.instances()) describe(*entry);
}

void Places::begin() {
  for (const auto& [id, place] : context_.registry.places())
    if (place.role == PlaceRole::snapshot) to_close_.insert(id);  // the server's last run may have left a container there
  context_.tasks.spawn("remove unused places", run());
}

awaitable<void> Places::put(PlaceRecord place) {
  if (!context_.registry.findPlace(place.id)) context_.registry.putPlace(place);  // the write completes even when its caller is cancelled
  co_await context_.store.putPlace(place);
  EntryPtr entry = context_.registry.find(place.instanceId);
  context_.registry.putPlace(std::move(place));
  if (entry) describe(*entry);
}

awaitable<void> Places::switchTo(EntryPtr entry, PlaceId place_id, PlaceRole role, SystemTime until, OperationRecord operation,
                                 std::string name) {
  const PlaceRecord target = *context_.registry.findPlace(place_id);
  PlaceRecord former;
  describePlace(former, *entry, entry->placeId(), role);
  former.external = entry->record.external;
  former.createdAt = role == PlaceRole::snapshot ? context_.clock.now() : entry->instance().createdAt;
  former.expiresAt = until;
  former.name = std::move(name);
  InstanceRecord record = entry->record;
  record.placeId = place_id;
  record.external = target.external;
  record.instance.provider = target.provider;
  record.instance.region = target.region;
  record.instance.config = target.config;
  record.instance.network = NetworkInfo{};
  ++record.instance.version;
  // The write completes even when the caller is cancelled: memory must follow it.
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  co_await context_.store.switchPlace(record, former, std::move(operation));
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::enable_terminal_cancellation());
  entry->record = std::move(record);
  context_.registry.removePlace(place_id);
  context_.registry.putPlace(former);
  context_.registry.placeChanged(*entry, former.id);
  describe(*entry);
  context_.changes.changed(*entry);
}

const PlaceRecord* Places::keptFor(const InstanceId& instance) const {
  for (const auto& [id, place] : context_.registry.places())
    if (place.instanceId == instance && place.role == PlaceRole::kept) return &place;
  return nullptr;
}

void Places::describe(Entry& entry) const {
  const PlaceRecord* kept = keptFor(entry.id());
  entry.instance().keptSource = kept ? std::optional(KeptSource{kept->provider, kept->region, kept->expiresAt}) : std::nullopt;
}

awaitable<void> Places::discard(PlaceId place_id) {
  const PlaceRecord* found = context_.registry.findPlace(place_id);
  if (!found) co_return;
  PlaceRecord place = *found;
  place.role = PlaceRole::discarded;
  co_await put(std::move(place));
  changed_.notifyAll();
}

awaitable<void> Places::discardAllOf(InstanceId instance, Snapshots snapshots) {
  std::vector<PlaceId> ids;
  for (const auto& [id, place] : context_.registry.places()) {
    bool stays = place.role == PlaceRole::discarded || (place.role == PlaceRole::snapshot && snapshots == Snapshots::Stay);
    if (place.instanceId == instance && !stays) ids.push_back(id);
  }
  for (const PlaceId& id : ids) co_await discard(id);
}

void Places::closeSoon(PlaceId place_id) {
  to_close_.insert(std::move(place_id));
  changed_.notifyAll();
}

bool Places::isInUse(const PlaceId& place_id) const {
  return std::ranges::any_of(context_.operations.all(),
                             [&](const auto& active) { return std::ranges::count(active.second->places(), place_id) > 0; });
}

awaitable<void> Places::close(PlaceId place_id) {
  const PlaceRecord* found = context_.registry.findPlace(place_id);
  Provider* provider = found ? context_.providers.find(found->provider) : nullptr;
  if (provider) {
    PlaceProgress progress(context_, place_id, nullptr);
    faultPoint("controller.place.close");
    co_await provider->deleteInstance(place_id, DeleteVolumes::No, found->external, progress, Deadline::after(kRemoveTimeout));
    faultPoint("controller.place.closed");
  }
  to_close_.erase(place_id);
}

/// The background removal and an operation may remove it concurrently: one works, the other waits for the result.
awaitable<void> Places::removeNow(PlaceId place_id, ActivePtr operation) {
  Deadline deadline = Deadline::after(operation ? kOperationsPatience : kRemoveTimeout);
  while (removing_.contains(place_id)) {
    if (!co_await removed_.wait(removed_.version(), deadline))
      throw Error(ErrorCode::DeadlineExceeded, "Timed out waiting for the removal of the place.");
  }
  const PlaceRecord* found = context_.registry.findPlace(place_id);
  if (!found) co_return;
  removing_.insert(place_id);
  std::optional<Error> failure;
  try {
    co_await remove(*found, operation, deadline);
  } catch (...) {
    failure = currentExceptionAsError();
  }
  removing_.erase(place_id);
  removed_.notifyAll();
  if (failure) throw *failure;
}

awaitable<void> Places::remove(PlaceRecord place, ActivePtr operation, Deadline deadline) {
  Provider& provider = context_.providers.require(place.provider);
  PlaceProgress progress(context_, place.id, operation);
  Departure departure{place.id, place.owner, place.provider, DeleteVolumes::Yes, context_.clock.now()};
  faultPoint("controller.place.remove");
  co_await provider.deleteInstance(place.id, DeleteVolumes::Yes, place.external, progress, deadline);
  faultPoint("controller.place.removed");
  co_await context_.store.deletePlace(place.id, departure);
  context_.registry.depart(departure);
  context_.registry.removePlace(place.id);
  EntryPtr entry = context_.registry.find(place.instanceId);
  if (!entry) co_return;
  describe(*entry);
  context_.changes.changed(*entry);
}

bool Places::isDue(const PlaceRecord& place) const {
  bool expired = place.role == PlaceRole::kept && place.expiresAt <= context_.clock.now();
  bool left_behind = place.role == PlaceRole::target;  // by an operation that has ended
  return place.role == PlaceRole::discarded || ((expired || left_behind) && !isInUse(place.id));
}

awaitable<void> Places::sweep() {
  std::vector<PlaceId> due;
  for (const auto& [id, place] : context_.registry.places())
    if (isDue(place)) due.push_back(id);
  for (const PlaceId& id : due) co_await tidy(id, removeIfDue(id));
  auto closing = to_close_;
  for (const PlaceId& id : closing)
    if (!isInUse(id)) co_await tidy(id, close(id));
}

/// Retried with the next sweep after a failure.
awaitable<void> Places::tidy(PlaceId id, awaitable<void> work) {
  auto done = co_await attemptUnlessCancelled(std::move(work));
  if (!done) log::warning("place could not be removed yet; retrying", {{"place", id}, {"error", done.error().message()}});
}

awaitable<void> Places::removeIfDue(PlaceId id) {
  const PlaceRecord* found = context_.registry.findPlace(id);
  if (!found || !isDue(*found)) co_return;  // an operation may use it again by now
  // Durable first: after a crash, the place must not be used again.
  if (found->role != PlaceRole::discarded) co_await discard(id);
  co_await removeNow(id, nullptr);
}

awaitable<void> Places::run() {
  for (;;) {
    auto seen = changed_.version();
    co_await sweep();
    co_await changed_.wait(seen, Deadline::after(context_.options.reconcileInterval));
  }
}

}  // namespace swarm::control

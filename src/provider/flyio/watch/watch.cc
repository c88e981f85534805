// One loop of polls; what changed between two of them becomes events.
#include "provider/flyio/watch/watch.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/flyio/api/transport/backoff.h"
#include "provider/flyio/spec/fly_names.h"

namespace swarm::flyio {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kPollTime{20};
constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kMaxPause{15'000};
/// Changes may appear late in the list: each query goes back this far (spec: "offset your timestamps to catch late-arriving events").
constexpr std::chrono::seconds kOverlap{20};

std::string toSeconds(SystemTime time) { return formatTime(std::chrono::floor<std::chrono::seconds>(time)); }

}  // namespace

Watch::Watch(MachinesClient& client, MachinesClient& web, MachineCache& cache, Organization& organization, Regions& regions,
             const Clock& clock)
    : client_(client), web_(web), cache_(cache), organization_(organization), regions_(regions), clock_(clock) {
  cache_.onFirst([this] {
    if (is_idle_) pollNow();
  });
}

void Watch::pollNow() {
  if (pause_) pause_->cancel();
}

ProviderHealthReport Watch::health() const {
  if (connected_ && partial_) return {ProviderHealth::degraded, "Fly could not list the Machines of all regions"};
  if (connected_)
    return {ProviderHealth::healthy, format("Fly's Machines API at {}, organization {}", client_.baseUrl(), client_.organization())};
  return {ProviderHealth::unavailable, trouble_.empty() ? format("not connected to {} yet", client_.baseUrl()) : trouble_};
}

void Watch::notify(ProviderEvent::Kind kind, PlaceId place_id, std::string detail) {
  if (sink_) sink_({kind, std::move(place_id), std::move(detail)});
}

void Watch::noteChange(const Machine& machine) {
  PlaceId place = flyio::placeOf(machine);
  seen_until_ = std::max(seen_until_, machine.updatedAt);
  auto [entry, is_new] = seen_.try_emplace(machine.id);
  Seen& seen = entry->second;
  bool same = !is_new && seen.state == machine.state && seen.version == machine.version && seen.updatedAt == machine.updatedAt;
  seen = {place, machine.state, machine.version, machine.updatedAt, machine.isGone()};
  if (same) return;
  if (!machine.isGone()) return notify(ProviderEvent::Kind::Changed, place, std::string(machine.state.name()));
  const MachineCache::Entry* known = cache_.find(place);
  bool is_current = known && known->machineId == machine.id;
  // An instance that was moved to another host has another Machine now; an unknown one was destroyed before this server started.
  bool is_another = known && !is_current;
  if (is_another || (is_new && !is_current)) return;
  if (is_current) cache_.forget(place);
  notify(ProviderEvent::Kind::Removed, place, std::string(machine.state.name()));
}

awaitable<void> Watch::pollEverything() {
  Deadline deadline = Deadline::after(kPollTime);
  co_await regions_.refresh(deadline);
  std::shared_ptr<const OrganizationMachines> all = co_await organization_.readAllMachines(deadline);
  seen_.clear();
  seen_until_ = {};
  for (const Machine& machine : all->machines) {
    seen_[machine.id] = {flyio::placeOf(machine), machine.state, machine.version, machine.updatedAt, machine.isGone()};
    seen_until_ = std::max(seen_until_, machine.updatedAt);
  }
  if (seen_until_ == SystemTime{}) seen_until_ = clock_.now();
  partial_ = !all->complete;
}

awaitable<void> Watch::pollChanges() {
  MachinesClient::OrgQuery query;
  query.updatedAfter = toSeconds(seen_until_ - kOverlap);
  query.includeDeleted = true;
  OrganizationMachines changed = co_await organization_.readMachines(std::move(query), Deadline::after(kPollTime));
  partial_ = !changed.complete;
  for (const Machine& machine : changed.machines) noteChange(machine);
  // Destroyed Machines are kept for as long as the list may still contain them.
  std::erase_if(seen_, [this](const auto& entry) { return entry.second.isGone && entry.second.updatedAt < seen_until_ - 2 * kOverlap; });
}

PlaceId Watch::placeOf(const std::string& machine_id) const {
  if (auto seen = seen_.find(machine_id); seen != seen_.end()) return seen->second.placeId;
  const MachineCache::Entry* place = cache_.findByMachine(machine_id);
  return place ? place->details.placeId : PlaceId();
}

/// In the organization's lists only the entries of volumes report an unreachable host.
awaitable<void> Watch::pollHosts() {
  SteadyTime now = std::chrono::steady_clock::now();
  if (!anythingExists() || now - hosts_polled_ < client_.tuning().hostInterval) co_return;
  hosts_polled_ = now;
  std::set<std::string> dead;
  std::vector<Volume> volumes = co_await organization_.readVolumes(Deadline::after(kPollTime));
  for (const Volume& volume : volumes) {
    if (volume.isHostUnreachable() && !volume.machineId.empty()) dead.insert(volume.machineId);
  }
  std::swap(dead, dead_hosts_);
  std::vector<std::string> changed;
  std::ranges::set_symmetric_difference(dead, dead_hosts_, std::back_inserter(changed));
  for (const std::string& machine : changed) {
    PlaceId place = placeOf(machine);
    if (!place.empty()) notify(ProviderEvent::Kind::Changed, place, isHostDead(machine) ? "host unreachable" : "host is back");
  }
}

void Watch::noteTrouble(std::string trouble) {
  if (connected_ || trouble != trouble_) log::warning("Fly's Machines API could not be used", {{"reason", trouble}});
  trouble_ = trouble;
  client_.dropConnections();
  web_.dropConnections();
  if (std::exchange(connected_, false)) notify(ProviderEvent::Kind::Disconnected, {}, std::move(trouble));
}

awaitable<void> Watch::poll() {
  if (connected_) {
    co_await pollChanges();
    co_return co_await pollHosts();
  }
  co_await pollEverything();
  co_await pollHosts();
  connected_ = true;
  trouble_.clear();
  notify(ProviderEvent::Kind::Reconnected, {}, client_.baseUrl());
}

awaitable<void> Watch::follow() {
  std::chrono::milliseconds trouble_pause = kFirstPause;
  while (!task_.isClosing()) {
    std::string trouble;
    try {
      co_await poll();
      trouble_pause = kFirstPause;
    } catch (const Error& error) {
      trouble = error.message();
    } catch (const boost::system::system_error& error) {
      trouble = error.what();
    }
    if (task_.isClosing()) break;
    bool exists = anythingExists();
    std::chrono::milliseconds pause = exists ? client_.tuning().eventInterval : client_.tuning().idleInterval;
    if (!trouble.empty()) {
      noteTrouble(std::move(trouble));
      pause = jittered(trouble_pause);
      trouble_pause = std::min(trouble_pause * 2, kMaxPause);
    }
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    is_idle_ = !exists;
    pause_ = &timer;
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    pause_ = nullptr;
  }
}

awaitable<void> Watch::open(ProviderEventSink sink) {
  sink_ = std::move(sink);
  task_.start(co_await asio::this_coro::executor, follow());
}

awaitable<void> Watch::close() {
  co_await task_.close();
  sink_ = nullptr;
}

}  // namespace swarm::flyio

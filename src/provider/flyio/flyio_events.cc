// Observes Fly: there is no event stream, so the organization's list is polled every few seconds for changes. One request, however many
// Machines exist.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kLookTime{20};
constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLongestPause{15'000};
/// Changes may appear late in the list: each query goes back this far (spec: "offset your timestamps to catch late-arriving events").
constexpr std::chrono::seconds kOverlap{20};

std::string toSeconds(SystemTime time) { return formatTime(std::chrono::floor<std::chrono::seconds>(time)); }

}  // namespace

void FlyIOProvider::notify(ProviderEvent::Kind kind, std::string instance_id, std::string detail) {
  if (sink_) sink_({kind, std::move(instance_id), std::move(detail)});
}

void FlyIOProvider::noteChange(const Machine& machine) {
  std::string instance = machine.metadata(kMetaInstance);
  seen_until_ = std::max(seen_until_, machine.updatedAt);
  auto [place, is_new] = seen_.try_emplace(machine.id);
  Seen now{instance, machine.state, machine.version, machine.updatedAt, machine.isGone()};
  bool same =
      !is_new && place->second.state == now.state && place->second.version == now.version && place->second.updatedAt == now.updatedAt;
  place->second = now;
  if (same) return;
  if (!machine.isGone()) return notify(ProviderEvent::Kind::Changed, instance, machine.state);
  auto known = places_.find(instance);
  bool is_current = known != places_.end() && known->second.machineId == machine.id;
  // An instance that was moved to another host has another Machine now; an unknown one was destroyed before this server started.
  bool is_another = known != places_.end() && !is_current;
  if (is_another || (is_new && !is_current)) return;
  if (is_current) forget(instance);
  notify(ProviderEvent::Kind::Removed, instance, machine.state);
}

awaitable<void> FlyIOProvider::lookAtEverything() {
  Deadline deadline = Deadline::after(kLookTime);
  regions_ = co_await client_.regions(deadline);
  std::shared_ptr<const OrgMachines> all = co_await readWholeOrganization(deadline);
  seen_.clear();
  seen_until_ = {};
  for (const Machine& machine : all->machines) {
    seen_[machine.id] = {machine.metadata(kMetaInstance), machine.state, machine.version, machine.updatedAt, machine.isGone()};
    seen_until_ = std::max(seen_until_, machine.updatedAt);
  }
  if (seen_until_ == SystemTime{}) seen_until_ = clock_.now();
  partial_ = !all->complete;
}

awaitable<void> FlyIOProvider::lookAtChanges() {
  MachinesClient::OrgQuery query;
  query.updatedAfter = toSeconds(seen_until_ - kOverlap);
  query.includeDeleted = true;
  OrgMachines changed = co_await readOrganization(std::move(query), Deadline::after(kLookTime));
  partial_ = !changed.complete;
  for (const Machine& machine : changed.machines) noteChange(machine);
  // Destroyed Machines are kept for as long as the list may still contain them.
  std::erase_if(seen_, [this](const auto& entry) { return entry.second.isGone && entry.second.updatedAt < seen_until_ - 2 * kOverlap; });
}

/// In the organization's lists only the entries of volumes report an unreachable host.
awaitable<void> FlyIOProvider::lookAtHosts() {
  SteadyTime now = std::chrono::steady_clock::now();
  if (places_.empty() && seen_.empty()) co_return;
  if (now - hosts_seen_ < client_.tuning().hostInterval) co_return;
  hosts_seen_ = now;
  std::set<std::string> dead;
  std::string cursor;
  do {
    Page<Volume> page = co_await client_.listOrgVolumes(cursor, Deadline::after(kLookTime));
    for (const Volume& volume : page.items) {
      if (isOurs(volume.app) && volume.isHostUnreachable() && !volume.machineId.empty()) dead.insert(volume.machineId);
    }
    cursor = page.nextCursor;
  } while (!cursor.empty());
  std::swap(dead, dead_hosts_);
  std::vector<std::string> changed;
  std::ranges::set_symmetric_difference(dead, dead_hosts_, std::back_inserter(changed));
  for (const std::string& machine : changed) {
    auto seen = seen_.find(machine);
    auto place = std::ranges::find_if(places_, [&](const auto& known) { return known.second.machineId == machine; });
    std::string instance = seen != seen_.end() ? seen->second.instanceId : place != places_.end() ? place->first : "";
    if (!instance.empty())
      notify(ProviderEvent::Kind::Changed, instance, dead_hosts_.contains(machine) ? "host unreachable" : "host is back");
  }
}

void FlyIOProvider::noteTrouble(std::string trouble) {
  if (connected_ || trouble != trouble_) log::warning("Fly's Machines API could not be used", {{"reason", trouble}});
  trouble_ = trouble;
  client_.dropConnections();
  web_.dropConnections();
  if (std::exchange(connected_, false)) notify(ProviderEvent::Kind::Disconnected, "", std::move(trouble));
}

awaitable<void> FlyIOProvider::followEvents() {
  std::chrono::milliseconds trouble_pause = kFirstPause;
  while (!closing_) {
    std::string trouble;
    try {
      if (connected_) {
        co_await lookAtChanges();
        co_await lookAtHosts();
      } else {
        co_await lookAtEverything();
        co_await lookAtHosts();
        connected_ = true;
        trouble_.clear();
        trouble_pause = kFirstPause;
        notify(ProviderEvent::Kind::Reconnected, "", client_.baseUrl());
      }
    } catch (const Error& error) {
      trouble = error.message();
    } catch (const boost::system::system_error& error) {
      trouble = error.what();
    }
    if (closing_) break;
    bool exists = !seen_.empty() || !places_.empty();
    std::chrono::milliseconds pause = exists ? client_.tuning().eventInterval : client_.tuning().idleInterval;
    if (!trouble.empty()) {
      noteTrouble(std::move(trouble));
      pause = client_.jittered(trouble_pause);
      trouble_pause = std::min(trouble_pause * 2, kLongestPause);
    }
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    resting_ = exists ? nullptr : &timer;
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    resting_ = nullptr;
  }
}

awaitable<void> FlyIOProvider::open(ProviderEventSink sink) {
  sink_ = std::move(sink);
  auto executor = co_await asio::this_coro::executor;
  closing_ = false;
  following_ = true;
  events_ended_ = std::make_unique<asio::steady_timer>(executor, SteadyTime::max());
  auto ended = [this](std::exception_ptr) {
    following_ = false;
    events_ended_->cancel();
  };
  asio::co_spawn(executor, followEvents(), asio::bind_cancellation_slot(stop_events_.slot(), std::move(ended)));
}

awaitable<void> FlyIOProvider::close() {
  closing_ = true;
  if (!following_) co_return;
  stop_events_.emit(asio::cancellation_type::terminal);
  co_await events_ended_->async_wait(asio::as_tuple(asio::use_awaitable));
  sink_ = nullptr;
}

}  // namespace swarm::flyio

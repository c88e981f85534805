// listInstances from the organization's list: one request for a thousand Machines. This server's own recent calls take precedence over a
// list that may not include them yet.
#include "async/notifier.h"
#include "base/text/format.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {
namespace {

/// The organization's list is eventually consistent; after this time it is up to date.
constexpr std::chrono::seconds kListLag{60};
/// A list does not say how a stopped Machine ended: this many of them are read for one list, the others for the next.
constexpr int kMaxReads = 32;

bool matches(const ProviderInstance& instance, const InstanceFilter& filter) {
  if (filter.instanceId && *filter.instanceId != instance.instanceId) return false;
  if (filter.owner && *filter.owner != instance.owner) return false;
  return !filter.status || *filter.status == instance.status;
}

}  // namespace

awaitable<FlyIOProvider::OrgMachines> FlyIOProvider::readOrganization(MachinesClient::OrgQuery query, Deadline deadline) {
  OrgMachines all;
  std::map<std::string, Machine> by_instance;
  std::vector<Machine> gone;
  bool is_first = true;
  do {
    Page<Machine> page;
    std::optional<Error> failure;
    try {
      page = co_await client_.listOrgMachines(query, deadline);
    } catch (const Error& error) {
      failure = error;
    }
    if (failure && is_first) throw *failure;
    if (failure) {
      all.complete = false;  // a page is missing; the other entries are correct
      break;
    }
    if (!page.errorRegions.empty()) all.complete = false;
    if (!page.lastUpdatedAt.empty()) all.lastUpdatedAt = page.lastUpdatedAt;
    for (Machine& machine : page.items) {
      if (!isOurs(machine)) continue;
      if (machine.isGone()) {
        gone.push_back(std::move(machine));
        continue;
      }
      std::string instance = machine.metadata(kMetaInstance);
      auto [place, fresh] = by_instance.try_emplace(instance, machine);
      if (!fresh && generationOf(machine) > generationOf(place->second)) place->second = std::move(machine);
    }
    query.cursor = page.nextCursor;
    is_first = false;
  } while (!query.cursor.empty());
  for (auto& [instance, machine] : by_instance) all.machines.push_back(std::move(machine));
  for (Machine& machine : gone) all.machines.push_back(std::move(machine));
  co_return all;
}

struct FlyIOProvider::WholeRead {
  std::shared_ptr<const OrgMachines> all;  ///< null while the read is in progress, and when it failed
  bool ended = false;
  async::Notifier atEnd;
};

awaitable<std::shared_ptr<const FlyIOProvider::OrgMachines>> FlyIOProvider::readWholeOrganization(Deadline deadline) {
  while (whole_read_ && !whole_read_->ended) {
    std::shared_ptr<WholeRead> read = whole_read_;
    if (!co_await read->atEnd.wait(read->atEnd.version(), deadline))
      throw Error(ErrorCode::DeadlineExceeded, "Fly did not list the organization's Machines in time.");
    if (read->all) co_return read->all;
    // The caller that started it failed; its deadline or cancellation does not apply to this one.
  }
  auto read = std::make_shared<WholeRead>();
  whole_read_ = read;
  // Also when the frame is destroyed with its loop.
  struct End {
    std::shared_ptr<WholeRead> read;
    ~End() {
      read->ended = true;
      read->atEnd.notifyAll();
    }
  } end{read};
  read->all = std::make_shared<const OrgMachines>(co_await readOrganization({}, deadline));
  whole_read_.reset();
  co_return read->all;
}

/// One entry of the list as an instance; a stopped Machine is read, unless that was done since it changed.
awaitable<ProviderInstance> FlyIOProvider::describe(const Machine& listed, int& reads_left, Deadline deadline) {
  if (dead_hosts_.contains(listed.id) && reads_left > 0) {  // the list does not report it
    --reads_left;
    Machine whole = co_await readAgain(listed, deadline);
    co_return toInstance(whole, config_);
  }
  auto known = places_.find(listed.metadata(kMetaInstance));
  bool is_known = known != places_.end() && known->second.machineId == listed.id;
  if (is_known && known->second.updatedAt >= listed.updatedAt && known->second.state == listed.state) co_return known->second.details;
  bool is_newer =
      is_known && (known->second.updatedAt > listed.updatedAt ||
                   (known->second.updatedAt == listed.updatedAt && std::chrono::steady_clock::now() - known->second.learnt < kListLag));
  if (is_newer) co_return known->second.details;
  if (listed.state != "stopped" || reads_left <= 0) co_return toInstance(listed, config_);
  --reads_left;
  Machine whole = co_await readAgain(listed, deadline);
  co_return toInstance(whole, config_);
}

awaitable<InstanceList> FlyIOProvider::listInstances(InstanceFilter filter, Deadline deadline) {
  std::shared_ptr<const OrgMachines> all = co_await readWholeOrganization(deadline);
  InstanceList list;
  list.complete = all->complete;
  SteadyTime now = std::chrono::steady_clock::now();
  std::erase_if(destroyed_, [now](const auto& entry) { return now - entry.second > kListLag * 10; });
  std::set<std::string> listed;
  int reads_left = kMaxReads;
  for (const Machine& machine : all->machines) {
    if (machine.isGone() || destroyed_.contains(machine.id)) continue;
    ProviderInstance instance = co_await describe(machine, reads_left, deadline);
    if (!listed.insert(instance.instanceId).second || instance.status == InstanceStatus::deleting) continue;
    if (matches(instance, filter)) list.instances.push_back(std::move(instance));
  }
  for (const auto& [id, place] : places_) {
    bool unknown_yet = !listed.contains(id) && now - place.learnt < kListLag;
    bool is_there = place.details.status != InstanceStatus::deleting;
    if (unknown_yet && is_there && matches(place.details, filter)) list.instances.push_back(place.details);
  }
  co_return list;
}

}  // namespace swarm::flyio

// Pages of the organization's lists, and reads that callers share.
#include "provider/flyio/watch/organization.h"

#include <map>

#include "async/attempt.h"
#include "async/notifier.h"
#include "provider/flyio/spec/fly_names.h"

namespace swarm::flyio {

awaitable<OrganizationMachines> Organization::readMachines(MachinesClient::OrgQuery query, Deadline deadline) {
  OrganizationMachines all;
  std::map<PlaceId, Machine> by_place;
  std::vector<Machine> gone;
  bool is_first = true;
  do {
    auto page = co_await async::attempt(client_.listOrgMachines(query, deadline));
    if (!page && is_first) throw page.error();
    if (!page) {
      all.complete = false;  // a page is missing; the other entries are correct
      break;
    }
    if (!page->errorRegions.empty()) all.complete = false;
    if (!page->lastUpdatedAt.empty()) all.lastUpdatedAt = page->lastUpdatedAt;
    for (Machine& machine : page->items) {
      if (!swarm_.owns(machine)) continue;
      if (machine.isGone()) {
        gone.push_back(std::move(machine));
        continue;
      }
      auto [found, is_new] = by_place.try_emplace(placeOf(machine), machine);
      if (!is_new && generationOf(machine) > generationOf(found->second)) found->second = std::move(machine);
    }
    query.cursor = page->nextCursor;
    is_first = false;
  } while (!query.cursor.empty());
  for (auto& [place, machine] : by_place) all.machines.push_back(std::move(machine));
  for (Machine& machine : gone) all.machines.push_back(std::move(machine));
  co_return all;
}

struct Organization::SharedRead {
  std::shared_ptr<const OrganizationMachines> all;  ///< null while the read is in progress, and when it failed
  bool ended = false;
  async::Notifier atEnd;
};

awaitable<std::shared_ptr<const OrganizationMachines>> Organization::readAllMachines(Deadline deadline) {
  while (shared_read_ && !shared_read_->ended) {
    std::shared_ptr<SharedRead> read = shared_read_;
    if (!co_await read->atEnd.wait(read->atEnd.version(), deadline))
      throw Error(ErrorCode::DeadlineExceeded, "Timed out waiting for the list of the organization's Machines.");
    if (read->all) co_return read->all;
    // The caller that started it failed; its deadline or cancellation does not apply to this one.
  }
  auto read = std::make_shared<SharedRead>();
  shared_read_ = read;
  // Also when the frame is destroyed with its loop.
  struct End {
    std::shared_ptr<SharedRead> read;
    ~End() {
      read->ended = true;
      read->atEnd.notifyAll();
    }
  } end{read};
  read->all = std::make_shared<const OrganizationMachines>(co_await readMachines({}, deadline));
  shared_read_.reset();
  co_return read->all;
}

awaitable<std::vector<Volume>> Organization::readVolumes(Deadline deadline) {
  std::vector<Volume> all;
  std::string cursor;
  do {
    Page<Volume> page = co_await client_.listOrgVolumes(cursor, deadline);
    for (Volume& volume : page.items) {
      if (swarm_.owns(volume.app)) all.push_back(std::move(volume));
    }
    cursor = page.nextCursor;
  } while (!cursor.empty());
  co_return all;
}

}  // namespace swarm::flyio

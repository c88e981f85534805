// Reads only; what prevents a create is a problem in the preview, not an error.
#include "async/attempt.h"
#include "base/text/format.h"
#include "provider/flyio/check/image_check.h"
#include "provider/flyio/fly_parts.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {
namespace {

constexpr std::int64_t kMib = 1024 * 1024;

/// Space for files on an ext4 of this size, estimated low: it uses a sixteenth and the journal itself.
std::int64_t roomFor(std::int64_t volume_gb) {
  std::int64_t whole = volume_gb * 1024 * kMib;
  return volume_gb > 0 ? whole - whole / 16 - 64 * kMib : 0;
}

bool isRefusal(const Error& error) { return error.code() != ErrorCode::Unavailable && error.code() != ErrorCode::DeadlineExceeded; }

/// The plan of the spec, and its problems; parts that cannot be done are left out, so that the others are checked, too.
InstancePlan planLeniently(InstanceSpec spec, const FlySwarm& swarm, PlacementPreview& preview) {
  auto collect = [&](auto attempt, auto leave_out) {
    try {
      attempt();
    } catch (const Error& error) {
      preview.problems.push_back(error.message());
      leave_out();
    }
  };
  auto round_up = [&] { preview.resources = effectiveOn(roundUp(spec.config.resources), spec.config.resources); };
  auto find_image = [&] {
    checkImageChoice(spec.config.image, spec.imageChoice, swarm.config);
    preview.image = imageAtFly(spec.config.image, swarm.config);
  };
  InstancePlan plan;
  collect(round_up, [&] { spec.config.resources = ResourceConfig{}; });
  collect(find_image, [&] {
    preview.imageDetail = preview.problems.back();
    spec.config.image = "none";
  });
  collect([&] { checkSecurity(spec.config.security); }, [&] { spec.config.security = SecurityConfig{}; });
  collect([&] { checkNetwork(spec.config.network); },
          [&] {
            spec.config.network.exposedPorts.clear();
            spec.config.network.internalNetwork = false;
            spec.config.network.egress.reset();
          });
  collect([&] { plan = planInstance(spec, swarm.config, swarm.id); },
          [&] {
            spec.config.storage.clear();
            plan = planInstance(spec, swarm.config, swarm.id);
          });
  return plan;
}

void noteCosts(const InstancePlan& plan, PlacementPreview& preview) {
  preview.costNotes.push_back(format("Fly.io bills the Machine ({}) by the second while it runs.", toString(plan.guest)));
  if (plan.volumeGb > 0)
    preview.costNotes.push_back(
        format("Its volume of {} GB and the volume's snapshots are billed always, also while the workspace is stopped.", plan.volumeGb));
  preview.costNotes.push_back("Traffic out of Fly.io is billed; the addresses are free.");
}

awaitable<void> checkImageOf(PlacementPreview& preview, const FlySwarm& swarm, Deadline deadline) {
  auto found = co_await async::attempt(checkImage(preview.image, swarm, deadline));
  preview.imageFound = found.has_value();
  preview.imageDetail = found ? *found : found.error().message();
  // Fly may reach a registry that this machine cannot reach.
  if (!found && isRefusal(found.error())) preview.problems.push_back(found.error().message());
}

/// The first region with capacity, in the order of a create.
awaitable<void> checkCapacity(MachinesClient& client, const InstancePlan& plan, PlacementPreview& preview, Deadline deadline) {
  preview.region = plan.regions.front();
  std::string tried;
  for (const std::string& region : plan.regions) {
    CapacityQuery query{{region}, toJson(plan.guest), std::string(kVolumeName), plan.volumeGb};
    auto with_room = co_await async::attempt(client.regionsWithRoom(std::move(query), deadline));
    if (!with_room && !isRefusal(with_room.error())) throw with_room.error();
    bool is_full = with_room ? with_room->empty() : with_room.error().code() == ErrorCode::OutOfResources;
    if (!is_full) {  // another refusal: the query is optional, and a create works without it
      preview.region = region;
      co_return;
    }
    tried += (tried.empty() ? "" : ", ") + region;
  }
  std::string volume = plan.volumeGb > 0 ? format(" with a volume of {} GB", plan.volumeGb) : std::string();
  preview.problems.push_back(
      format("Fly has no capacity in {} now for a {}{}, or the organization's quota is exhausted.", tried, toString(plan.guest), volume));
}

}  // namespace

awaitable<PlacementPreview> previewInstance(FlyParts& parts, InstanceSpec spec, Deadline deadline) {
  PlacementPreview preview;
  preview.resources = spec.config.resources;
  preview.image = spec.config.image;
  InstancePlan plan = planLeniently(spec, parts.swarm, preview);
  std::optional<Machine> present;
  if (co_await parts.client.findApp(plan.app, deadline)) present = co_await parts.machines.findIn(plan.app, plan.placeId, deadline);
  if (present) plan.volumeGb = std::max(plan.volumeGb, resourcesOf(*present).storage.size);
  preview.storageBytes = roomFor(plan.volumeGb);
  noteCosts(plan, preview);
  bool is_named = preview.imageDetail.empty();
  if (is_named) co_await checkImageOf(preview, parts.swarm, deadline);
  if (present) {  // it exists, as a place that a move kept: its region is fixed and has capacity
    preview.region = present->region;
    co_return preview;
  }
  auto completed = co_await async::attempt(completePlan(parts, plan, deadline));
  if (completed) {
    co_await checkCapacity(parts.client, plan, preview, deadline);
    co_return preview;
  }
  if (!isRefusal(completed.error())) throw completed.error();
  preview.region = plan.regions.empty() ? std::string() : plan.regions.front();
  preview.problems.push_back(completed.error().message());
  co_return preview;
}

}  // namespace swarm::flyio

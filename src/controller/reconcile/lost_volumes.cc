// Messages about lost volumes, with the snapshots that can be restored.
#include "controller/reconcile/lost_volumes.h"

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "controller/agents/agent_settings.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kLostVolumesTimeout{30};

/// "the volume X, which had the files of /home/coder"
std::string listOf(const std::vector<LostVolume>& lost) {
  std::string text;
  for (const LostVolume& one : lost)
    text += format("{}the volume {}, which had the files of {}", text.empty() ? "" : ", and ", one.name, one.mountPath);
  return text;
}

std::string adviceFor(const Context& context, const Entry& entry) {
  const std::string& name = entry.record.instance.config.name;
  const PlaceRecord* newest = nullptr;
  for (const auto& [id, place] : context.registry.places())
    if (place.role == PlaceRole::snapshot && place.instanceId == entry.id() && (!newest || newest->createdAt < place.createdAt))
      newest = &place;
  std::string empty = format("start it with an empty one (swarm start {} --empty-volumes)", name);
  if (newest) return format("Restore its newest snapshot (swarm snapshot restore {} {}), or {}.", name, newest->name, empty);
  return format("Restore a snapshot, if there is one (swarm snapshot list {}), or {}.", name, empty);
}

}  // namespace

awaitable<std::string> describeMissingContainer(const Context& context, EntryPtr entry) {
  auto query = [&]() -> awaitable<std::optional<std::vector<LostVolume>>> {
    co_return co_await context.providers.of(*entry).findLostVolumes(specOf(context, *entry), Deadline::after(kLostVolumesTimeout));
  };
  auto queried = co_await attemptUnlessCancelled(query());
  if (!queried)
    log::debug("volumes of an instance could not be queried", {{"instance", entry->id()}, {"error", queried.error().message()}});
  const auto lost = queried ? std::move(*queried) : std::nullopt;
  if (!lost) co_return "The container was removed outside of swarm. Start the workspace to create it again around its volumes.";
  if (lost->empty())
    co_return "The container was removed outside of swarm. Its volumes are intact; start the workspace to create it again.";
  co_return format("The container was removed outside of swarm, and so was {}. {}", listOf(*lost), adviceFor(context, *entry));
}

awaitable<void> requireVolumes(const Context& context, EntryPtr entry, InstanceSpec spec, Deadline deadline) {
  if (spec.emptyVolumes) co_return;
  auto lost = co_await context.providers.of(*entry).findLostVolumes(spec, deadline);
  if (!lost || lost->empty()) co_return;
  std::string what = listOf(*lost);
  what[0] = 'T';
  throw Error(ErrorCode::Conflict, format("{}, is gone. {}", what, adviceFor(context, *entry))).withInstance(entry->id().str());
}

}  // namespace swarm::control

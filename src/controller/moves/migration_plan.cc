// Migration: what a move would do, determined without changing anything.
#include "base/id.h"
#include "base/text/format.h"
#include "controller/agents/agent_settings.h"
#include "controller/moves/migration.h"
#include "controller/moves/move_link.h"
#include "controller/state/active_operation.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kPlanTimeout{30};
// Estimates for an unknown network: bytes and files per second, and the duration of a pause besides the last changes (VS Code stops at
// the source and starts at the target; docs/benchmarks.md).
constexpr double kBytesPerSecond = 60e6;
constexpr double kFilesPerSecond = 5'000;
constexpr double kComparesPerSecond = 400e6;  ///< bytes of which both ends compare hashes only
constexpr std::int64_t kPauseSeconds = 4;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

std::string cores(const ResourceConfig& resources) { return format("{} cores", resources.cpu.cores); }
std::string memory(const ResourceConfig& resources) { return format("{} MiB", resources.memory.max); }

std::int64_t storageGiB(const InstanceConfig& config) {
  std::int64_t size = 0;
  for (const StorageConfig& storage : config.storage)
    if (storage.persistent) size += storage.size;
  return size;
}

void addChange(MigrationPlan& plan, std::string what, std::string from, std::string to) {
  if (from != to) plan.changes.push_back({std::move(what), std::move(from), std::move(to)});
}

void addChanges(MigrationPlan& plan, const Instance& instance, const InstanceConfig& config, const PlacementPreview& preview) {
  addChange(plan, "CPU", cores(instance.resources), cores(preview.resources));
  addChange(plan, "memory", memory(instance.resources), memory(preview.resources));
  addChange(plan, "storage", format("{} GiB", storageGiB(instance.config)), format("{} GiB", storageGiB(config)));
  if (!preview.image.empty()) addChange(plan, "image", instance.config.image, preview.image);
  if (!instance.config.network.exposedPorts.empty()) addChange(plan, "published ports", "as now", "at other addresses");
  bool has_temporary = std::ranges::any_of(instance.config.storage, [](const StorageConfig& storage) { return !storage.persistent; });
  if (has_temporary) addChange(plan, "storage that is not persistent", "as now", "empty");
  addChange(plan, "files outside of the storages", "as now", "as in the image; ~/.config/swarm/setup.sh, if there is one, runs again");
}

void estimate(MigrationPlan& plan, std::int64_t limit) {
  double rate = limit > 0 ? std::min<double>(static_cast<double>(limit), kBytesPerSecond) : kBytesPerSecond;
  if (plan.usesKeptSource) rate = std::max(rate, kComparesPerSecond);
  auto copying = static_cast<double>(plan.bytes) / rate + static_cast<double>(plan.files) / kFilesPerSecond;
  plan.expectedPauseSeconds = kPauseSeconds + static_cast<std::int64_t>(static_cast<double>(plan.files) / kFilesPerSecond / 10);
  plan.expectedSeconds = static_cast<std::int64_t>(copying) + plan.expectedPauseSeconds + kPauseSeconds;
}

}  // namespace

awaitable<void> Migration::addSourceFacts(const Entry& entry, MigrationPlan& plan) {
  AgentEndpoint endpoint = co_await context_.providers.of(entry).agentEndpoint(entry.placeId(), Deadline::after(kPlanTimeout));
  agent::AgentTarget source = targetOf(entry, std::move(endpoint));
  transfer::Scope scope;
  for (const StorageConfig& storage : entry.record.instance.config.storage)
    (storage.persistent ? scope.storages : scope.excluded).push_back(storage.mountPath);
  auto link = co_await MoveLink::open(context_.options.moveAgents, context_.options.moveExecutor, {std::move(source), std::nullopt},
                                      newId("plan"), std::move(scope), {}, Deadline::after(kPlanTimeout));
  transfer::ScanReport report = co_await link->run([](transfer::Link& on) { return on.scan(transfer::Side::Source, {}); });
  plan.files = report.files;
  plan.bytes = report.bytes;
  plan.skippedCount = report.skippedCount;
  for (transfer::Note& note : report.skipped) plan.skipped.push_back({std::move(note.path), std::move(note.reason)});
  co_await link->run([](transfer::Link& on) { return on.close(); });
}

awaitable<MigrationPlan> Migration::planFor(EntryPtr entry, MoveTarget target, std::int64_t bandwidth_limit, ImageChoice choice) {
  const Instance& instance = entry->record.instance;
  MigrationPlan plan;
  plan.from = {instance.provider, instance.region};
  plan.usesKeptSource = target.kept != nullptr;
  InstanceSpec spec = specOf(context_, *entry);
  spec.placeId = target.kept ? target.kept->id : PlaceId(newId("i"));
  spec.config = target.config;
  spec.newVolumes = !target.kept;
  spec.imageChoice = choice;
  spec.known = target.kept ? target.kept->external : std::vector<ExternalResource>{};
  PlacementPreview preview = co_await context_.providers.at(target.provider).previewInstance(spec, Deadline::after(kPlanTimeout));
  plan.to = {target.provider, preview.region.empty() ? target.region : preview.region};
  plan.problems = preview.problems;
  plan.costNotes = preview.costNotes;
  addChanges(plan, instance, target.config, preview);
  bool runs = instance.status == InstanceStatus::running || entry->endpoint;
  if (runs) co_await addSourceFacts(*entry, plan);
  if (!runs) plan.costNotes.push_back("The workspace is stopped: its files are counted after the move has started it.");
  if (preview.storageBytes > 0 && plan.bytes > preview.storageBytes)
    plan.problems.push_back(
        format("The workspace has {:.1f} GB of files, and the storage at the target has room for {:.1f} GB. Request at least {} GiB.",
               static_cast<double>(plan.bytes) / 1e9, static_cast<double>(preview.storageBytes) / 1e9, plan.bytes * 11 / 10 / kGiB + 1));
  plan.fits = plan.problems.empty();
  estimate(plan, bandwidth_limit);
  co_return plan;
}

awaitable<MigrationPlan> Migration::plan(EntryPtr entry, MigrateRequest request) {
  MoveTarget target = resolve(*entry, request);
  ActivePtr busy = context_.operations.of(*entry);
  if (busy)
    throw Error(ErrorCode::Conflict, format("Workspace {} is busy: {} is in progress (operation {}).", entry->instance().config.name,
                                            enumName(busy->record.kind), busy->record.id))
        .withRetryable(true)
        .withInstance(entry->id().str());
  const ImageChoice choice = target.kept ? ImageChoice::Any : request.imageChoice;
  co_return co_await planFor(std::move(entry), std::move(target), request.bandwidthLimit, choice);
}

}  // namespace swarm::control

// migrate: a workspace moves to another provider, region or host.
#include <charconv>
#include <cstdio>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/output/quantities.h"
#include "cli/verbs/verbs_shared.h"

namespace swarm::cli {
namespace {

constexpr std::int64_t kKeepHours = kUsualKeepHours;
constexpr std::size_t kSkippedShown = 10;

MigrateOptions optionsOf(Context& context, const MigrateFlags& flags) {
  MigrateOptions options;
  options.region = flags.region;
  options.back = flags.back;
  if (const auto hours = parseKeepHours(flags.keepSource)) {
    options.keepSource = true;
    options.keepHours = *hours;
  }
  if (!flags.limit.empty()) options.bandwidthLimit = parseRate(flags.limit);
  if (flags.resources.given()) options.resources = patchOf(flags.resources);
  options.targetProvider = parseProvider(context, flags.to, "--to");
  return options;
}

int printPlan(Context& context, const MigrateFlags& flags, const MigrateOptions& options) {
  const MigrationPlan plan = context.client().planMigration(flags.name, options);
  if (!printStructured(context, toJson(plan))) print(planText(flags.name, plan, context.columns(), context.colour()));
  return plan.fits ? kDone : kFailed;
}

/// Where it is now, and what became of the old place: for people, beside the URL on stdout.
void tellOutcome(const Instance& instance) {
  std::string text = format("{} is at {} now{}.\n", instance.config.name, placeTitle(instance.provider, instance.region),
                            instance.status == InstanceStatus::stopped ? ", stopped as before" : "");
  if (instance.keptSource) {
    const auto& kept = *instance.keptSource;
    text += format("The old place, {}, is kept until {}; to go back: swarm migrate {} --back\n", placeTitle(kept.provider, kept.region),
                   formatTime(kept.until), instance.config.name);
  }
  tell(text);
}

std::string sizeLine(const MigrationPlan& plan) {
  if (plan.files == 0 && plan.bytes == 0) return {};
  return format("{} files, {}", countText(plan.files), bytesText(plan.bytes));
}

std::string timeLine(const MigrationPlan& plan) {
  if (plan.expectedSeconds <= 0) return {};
  std::string text = "about " + durationText(plan.expectedSeconds);
  if (plan.expectedPauseSeconds > 0) text += format(", VS Code is away for about {} of it", durationText(plan.expectedPauseSeconds));
  return text;
}

}  // namespace

std::optional<std::int64_t> parseKeepHours(const std::string& text) {
  if (text.empty() || text == "false") return std::nullopt;
  if (text == "true") return kKeepHours;
  std::int64_t hours = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), hours);
  if (failure != std::errc() || end != text.data() + text.size() || hours < 1)
    throw WrongUse(format("--keep-source={}: expected hours, like --keep-source=48.", text));
  return hours;
}

std::string planText(const std::string& name, const MigrationPlan& plan, int columns, bool colour) {
  std::string text =
      format("{}: {} → {}\n", name, placeTitle(plan.from.provider, plan.from.region), placeTitle(plan.to.provider, plan.to.region));
  const auto row = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += format("{:<10} {}\n", label, printable(value));
  };
  row("fits", plan.fits ? "yes" : "no");
  for (const std::string& problem : plan.problems) row("problem", problem);
  row("moves", sizeLine(plan));
  row("takes", timeLine(plan));
  if (plan.usesKeptSource) row("", "what is still at the old place does not travel again");
  for (const std::string& note : plan.costNotes) row("cost", note);
  if (!plan.changes.empty()) {
    Table table({"CHANGES", "FROM", "TO"});
    for (const MigrationChange& change : plan.changes)
      table.add({change.what, change.from.empty() ? "-" : change.from, change.to.empty() ? "-" : change.to});
    text += "\n" + table.render(columns, colour);
  }
  if (plan.skippedCount > 0 || !plan.skipped.empty()) {
    Table table({"LEFT OUT", "WHY"});
    const std::size_t shown = std::min(plan.skipped.size(), kSkippedShown);
    for (std::size_t i = 0; i < shown; ++i) table.add({plan.skipped[i].path, plan.skipped[i].reason});
    text += "\n" + table.render(columns, colour);
    const std::int64_t all = std::max<std::int64_t>(plan.skippedCount, static_cast<std::int64_t>(plan.skipped.size()));
    if (all > static_cast<std::int64_t>(shown)) text += format("and {} more\n", countText(all - static_cast<std::int64_t>(shown)));
  }
  return text;
}

int migrate(Context& context, const MigrateFlags& flags) {
  if (flags.to.empty() && flags.region.empty() && !flags.back) {
    tell("swarm: The target is missing: --to docker, --to flyio --region ams, --region NAME, or --back.\nSee `swarm migrate --help`.\n");
    return kWrongUse;
  }
  const MigrateOptions options = optionsOf(context, flags);
  if (flags.dryRun) return printPlan(context, flags, options);
  const StartedOperation started = context.client().migrateInstance(flags.name, options);
  if (!flags.wait.wait || started.operationId.empty()) {
    if (!printStructured(context, toJson(started.instance))) print(started.instance.config.name + "\n");
    if (!started.operationId.empty())
      tell(format("The move continues. `swarm operations follow {0}` shows its progress, `swarm operations cancel {0}` cancels it.\n",
                  started.operationId));
    return kDone;
  }
  tell(format("Moving {} … (swarm operations cancel {})\n", started.instance.config.name, started.operationId));
  waitWithProgress(context, started.operationId, flags.wait.timeout);
  const Instance instance = reload(context, started.instance);
  tellOutcome(instance);
  printResult(context, instance);
  return kDone;
}

}  // namespace swarm::cli

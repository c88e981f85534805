// `swarm migrate`
#include "base/text/duration_text.h"
#include "base/text/number.h"
#include "base/text/untrusted_text.h"
#include "cli/output/progress.h"
#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"
#include "model/titles.h"

namespace swarm::cli {
namespace {

constexpr std::size_t kSkippedShown = 10;

std::string sizeLine(const MigrationPlan& plan) {
  if (plan.files == 0 && plan.bytes == 0) return {};
  return format("{} files, {}", countText(plan.files), bytesText(plan.bytes));
}

std::string timeLine(const MigrationPlan& plan) {
  if (plan.expectedSeconds <= 0) return {};
  std::string text = "about " + durationText(plan.expectedSeconds);
  if (plan.expectedPauseSeconds > 0) text += format("; VS Code is away for about {} of it", durationText(plan.expectedPauseSeconds));
  return text;
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
  if (plan.usesKeptSource) row("", "files that are still at the old place are not copied again");
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

/// "" and "false": not kept. Throws WrongUse.
std::optional<std::int64_t> parseKeepHours(const std::string& text) {
  if (text.empty() || text == "false") return std::nullopt;
  if (text == "true") return kUsualKeepHours;
  const auto hours = parseNumber<std::int64_t>(text);
  if (hours.value_or(0) < 1) throw WrongUse(format("--keep-source={}: expected hours, like --keep-source=48.", text));
  return hours;
}

/// Where the workspace is now, and where the old place is kept: on stderr, beside the URL on stdout.
void reportMoved(const Instance& instance) {
  std::string text = format("{} is at {} now{}.\n", instance.config.name, placeTitle(instance.provider, instance.region),
                            instance.status == InstanceStatus::stopped ? ", stopped as before" : "");
  if (instance.keptSource) {
    const auto& kept = *instance.keptSource;
    text += format("The old place, {}, is kept until {}; to go back: swarm migrate {} --back\n", placeTitle(kept.provider, kept.region),
                   formatTime(kept.until), instance.config.name);
  }
  report(text);
}

class Migrate final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id").suggest(workspaceNames());
    Argument& to = arguments.option("--to", to_, "Provider, as `swarm providers` lists them (default: the current one)")
                       .sets("/targetProvider")
                       .suggest(providerNames());
    Argument& region = arguments.option("--region", region_, "Region of Fly.io, like ams, or name of a Docker host")
                           .sets("/region")
                           .suggest(regionNames());
    arguments.flag("--back", back_, "Move back to the place that --keep-source kept").excludes(to).excludes(region);
    arguments.flagWithValue("--keep-source", keep_source_, "Keep the old place, stopped, for a day; --keep-source=HOURS for another time")
        .sets("/keepHours")
        .sets("/keepSource");
    arguments.option("--limit", limit_, "Maximum bytes per second, like 10M or 500K").sets("/bandwidthLimit");
    resources_.declare(arguments);
    arguments.flag("--dry-run", dry_run_, "Only print what fits, what changes and how long it takes; exit code 1 when it does not fit");
    wait_.declare(arguments);
  }

  int run(Context& context) override {
    if (to_.empty() && region_.empty() && !back_) throw WrongUse("The target is missing: --to PROVIDER, --region NAME, or --back.");
    const MigrateOptions options = optionsFor(context);
    if (dry_run_) return printPlan(context, options);
    const StartedOperation started = context.client().migrateInstance(name_, options);
    if (wait_.noWait || started.operationId.empty()) {
      if (!printStructured(context, toJson(started.instance))) printLine(started.instance.config.name);
      if (!started.operationId.empty())
        report(format("The move continues. `swarm operations follow {0}` shows its progress, `swarm operations cancel {0}` cancels it.\n",
                      started.operationId));
      return kDone;
    }
    report(
        format("Moving {} … (its processes end when it switches, and files outside of its persistent volumes, such as installed "
               "packages, do not move; to cancel: swarm operations cancel {})\n",
               started.instance.config.name, started.operationId));
    waitWithProgress(context, started.operationId, wait_.timeout);
    const Instance instance = reload(context, started.instance);
    reportMoved(instance);
    printResult(context, instance);
    return kDone;
  }

 private:
  MigrateOptions optionsFor(Context& context) const {
    MigrateOptions options;
    options.region = region_;
    options.back = back_;
    if (const auto hours = parseKeepHours(keep_source_)) {
      options.keepSource = true;
      options.keepHours = *hours;
    }
    if (!limit_.empty()) options.bandwidthLimit = parseRate(limit_);
    if (resources_.given()) options.resources = resources_.patch();
    options.targetProvider = parseProvider(context, to_, "--to");
    return options;
  }

  int printPlan(Context& context, const MigrateOptions& options) const {
    const MigrationPlan plan = context.client().planMigration(name_, options);
    if (!printStructured(context, toJson(plan))) print(planText(name_, plan, context.columns(), context.colour()));
    return plan.fits ? kDone : kFailed;
  }

  std::string name_;
  std::string to_;           ///< a provider
  std::string region_;       ///< region of Fly.io, or name of a Docker host
  std::string keep_source_;  ///< "true": a day; else hours; empty: not given
  std::string limit_;        ///< "10M"
  bool back_ = false;
  bool dry_run_ = false;
  ResourceFlags resources_;
  WaitFlags wait_{.timeout = kLongWait};
};

}  // namespace

void addMigrate(const AddVerb& add) {
  add({.name = "migrate",
       .summary = "Move a workspace to another provider, region or host; its files and its URL are kept",
       .examples = {"swarm migrate web1 --to flyio --region ams --dry-run", "swarm migrate web1 --to flyio --region ams --keep-source",
                    "swarm migrate web1 --back"},
       .notes = "The workspace keeps running while most files are copied; the pause at the end is short. A failure before the switch "
                "leaves it where it was."},
      std::make_unique<Migrate>());
}

}  // namespace swarm::cli

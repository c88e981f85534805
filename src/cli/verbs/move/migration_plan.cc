// Lines and tables of a plan.
#include "cli/verbs/move/migration_plan.h"

#include "base/text/duration_text.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/output/output.h"
#include "cli/output/quantities.h"
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

}  // namespace

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

}  // namespace swarm::cli

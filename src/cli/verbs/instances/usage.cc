// `swarm usage`
#include <algorithm>
#include <cmath>
#include <thread>
#include <tuple>

#include "cli/output/quantities.h"
#include "cli/output/sparkline.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

using Values = std::vector<std::optional<double>>;

constexpr int kBars = 30;               ///< of a sparkline
constexpr std::int64_t kRowSpan = 900;  ///< seconds: what the server keeps for longer than a day
constexpr std::int64_t kDay = 86'400;

std::string percentText(double percent) { return format("{:.{}f} %", percent, percent < 10 ? 1 : 0); }
std::string mebibytesText(double mebibytes) { return bytesText(std::llround(mebibytes * 1024 * 1024)); }
std::string gibibytesText(double gibibytes) { return mebibytesText(gibibytes * 1024); }
std::string rateText(double bytes) { return bytesText(std::llround(bytes)) + "/s"; }

using Member = double (*)(const UsagePoint&);

/// A row in the table of one workspace.
struct Resource {
  const char* name;
  std::string (*text)(double);
  Member mean;
  Member highest;
  std::optional<double> now;
  double limit;  ///< 0: none
};

/// The value of each of the kBars steps until the end of `history`.
Values valuesOf(const UsageHistory& history, Member of) {
  Values values(kBars);
  const auto step = std::chrono::seconds(std::max<std::int64_t>(history.step, 1));
  for (const UsagePoint& point : history.points) {
    const auto back = (history.to - point.at - std::chrono::milliseconds(1)) / step;
    if (back >= 0 && back < kBars) values[static_cast<std::size_t>(kBars - 1 - back)] = of(point);
  }
  return values;
}

class Usage final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id; all running workspaces without it").optional().suggest(workspaceNames());
    arguments.option("--since", since_, "With a name: how far back: an age like 1h (default), 24h or 7d, or a time (RFC 3339)");
    arguments.flag("-w,--watch", watch_, "Show it again and again, until Ctrl-C");
    arguments.option("--interval", interval_, "Seconds between the tables of --watch").range(1, 3600);
  }

  int run(Context& context) override {
    if (watch_ && context.output() != OutputFormat::Table) throw WrongUse("--watch shows a table; it does not go with --output.");
    if (name_.empty() && !since_.empty()) throw WrongUse("--since needs the name of a workspace.");
    for (;;) {
      const int code = name_.empty() ? showAll(context) : showOne(context);
      if (!watch_ || code != kDone) return code;
      std::this_thread::sleep_for(std::chrono::seconds(interval_));
    }
  }

 private:
  void show(Context& context, const std::string& table) const {
    // The cursor goes to the first line, and what stood below it is erased.
    print((watch_ && context.columns() > 0 ? "\033[H\033[J" : "") + table);
  }

  int showAll(Context& context) const {
    std::vector<InstanceUsage> all = context.client().listUsage();
    std::ranges::sort(all, [](const InstanceUsage& one, const InstanceUsage& other) {
      return std::tie(other.cpu.usage, one.name) < std::tie(one.cpu.usage, other.name);  // the most first
    });
    if (all.empty() && context.output() == OutputFormat::Table) {
      show(context, "");
      report(
          "There are no samples of running workspaces. The server takes the first one within a minute after a start; `swarm usage NAME` "
          "measures at this moment.\n");
      return kDone;
    }
    std::vector<Listed> rows;
    for (const InstanceUsage& one : all) {
      const Values recent(one.recentCpu.begin(), one.recentCpu.end());
      rows.push_back({one.name,
                      {one.name, one.owner, percentText(one.cpu.usage), sparkline(recent, 10),
                       mebibytesText(one.memory.usage) + " of " + mebibytesText(one.memory.limit), gibibytesText(one.storage.usage),
                       rateText(one.network.received), rateText(one.network.sent)}});
    }
    const std::vector<Column> columns{copied("NAME"),   extra("OWNER"),    copied("CPU"),     extra("RECENT CPU"),
                                      copied("MEMORY"), copied("STORAGE"), extra("RECEIVED"), extra("SENT")};
    if (!watch_) {
      printList(context, toJson(all), columns, rows);
      return kDone;
    }
    Table table(columns);
    for (Listed& row : rows) table.add(std::move(row.cells));
    show(context, table.render(context.columns(), context.colour()));
    return kDone;
  }

  int showOne(Context& context) const {
    const Instance instance = requireInstance(context, name_);
    const SystemTime now = RealClock().now();
    UsageQuery query{.from = sinceTime(since_.empty() ? "1h" : since_, now), .to = formatTime(now), .step = 0};
    const auto span = std::chrono::ceil<std::chrono::seconds>(now - parseTime(query.from)).count();
    query.step = std::max<std::int64_t>((span + kBars - 1) / kBars, 60);
    if (span > kDay) query.step = (query.step + kRowSpan - 1) / kRowSpan * kRowSpan;
    UsageResponse usage{{}, context.client().getUsageHistory(instance.id.str(), query)};
    const bool runs = instance.status == InstanceStatus::running;
    if (runs) static_cast<ResourceUsage&>(usage) = context.client().getResourceUsage(instance.id.str());
    if (printStructured(context, toJson(usage))) return kDone;
    show(context, tableOf(usage, runs, since_.empty() ? "LAST HOUR" : "SINCE " + since_, context));
    if (!runs) report(format("{} is {}: it uses no CPU and no memory.\n", instance.config.name, enumName(instance.status)));
    return kDone;
  }

  static std::string tableOf(const UsageResponse& usage, bool runs, const std::string& heading, const Context& context) {
    const std::vector<UsagePoint>& points = usage.history->points;
    const auto now = [&](double value) { return runs ? std::optional(value) : std::nullopt; };
    const auto rate = [&](const Member& of) { return points.empty() ? std::nullopt : now(of(points.back())); };
    const Member received = [](const UsagePoint& point) { return point.network.received; };
    const Member sent = [](const UsagePoint& point) { return point.network.sent; };
    const Member storage = [](const UsagePoint& point) { return point.storage; };
    const Resource resources[] = {
        {"CPU", percentText, [](const UsagePoint& point) { return point.cpu; }, [](const UsagePoint& point) { return point.cpuMax; },
         now(usage.cpu.usage), static_cast<double>(usage.cpu.limit) / 10},
        {"memory", mebibytesText, [](const UsagePoint& point) { return point.memory; },
         [](const UsagePoint& point) { return point.memoryMax; }, now(usage.memory.usage), usage.memory.limit},
        {"storage", gibibytesText, storage, storage, now(usage.storage.usage), usage.storage.limit},
        {"received", rateText, received, received, rate(received), 0},
        {"sent", rateText, sent, sent, rate(sent), 0}};
    Table table({"", "NOW", "LIMIT", copied(heading.c_str()), "HIGHEST"});
    for (const Resource& one : resources) {
      double highest = 0;
      for (const UsagePoint& point : points) highest = std::max(highest, one.highest(point));
      table.add({one.name, one.now ? one.text(*one.now) : "-", runs && one.limit > 0 ? one.text(one.limit) : "-",
                 sparkline(valuesOf(*usage.history, one.mean), 0), points.empty() ? "-" : one.text(highest)});
    }
    return table.render(context.columns(), context.colour());
  }

  std::string name_, since_;
  bool watch_ = false;
  std::int64_t interval_ = 5;
};

}  // namespace

void addUsage(const AddVerb& add) {
  add({.name = "usage",
       .summary = "Show CPU, memory, storage and network in use, now and over time",
       .examples = {"swarm usage", "swarm usage web1 --since 24h", "swarm usage --watch"},
       .notes = "The server samples running workspaces once a minute. It keeps samples for a day, and means and maxima of a quarter of an "
                "hour for 31 days."},
      std::make_unique<Usage>());
}

}  // namespace swarm::cli

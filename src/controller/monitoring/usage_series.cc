#include "controller/monitoring/usage_series.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::control {
namespace {

using std::chrono::seconds;

/// Steps that people read easily: from a minute to a day.
constexpr seconds kSteps[] = {seconds(60),   seconds(300),   seconds(900),   seconds(1800),  seconds(3600),
                              seconds(7200), seconds(14400), seconds(21600), seconds(43200), seconds(86400)};

SystemTime floorTo(SystemTime at, std::chrono::milliseconds span) {
  const auto since = at.time_since_epoch();
  return SystemTime(since - since % span);
}

SystemTime timeOf(std::string_view name, const std::string& text, SystemTime otherwise) {
  if (text.empty()) return otherwise;
  try {
    return parseTime(text);
  } catch (const Error&) {
    constexpr std::string_view kExpected = "must be a time in RFC 3339, like 2026-11-23T19:04:36Z";
    throw Error(ErrorCode::InvalidArgument, format("{} {}.", name, kExpected)).withField(format("?{}", name), std::string(kExpected));
  }
}

std::uint32_t narrow(std::int64_t value) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::uint32_t>::max()));
}

UsageSums sumsOf(const UsageSample& sample) {
  return {.at = sample.at,
          .samples = 1,
          .cpu = sample.cpu,
          .memory = sample.memory,
          .cpuMax = sample.cpu,
          .memoryMax = sample.memory,
          .storage = sample.storage,
          .received = sample.received,
          .sent = sample.sent};
}

void addTo(std::map<SystemTime, UsageSums>& by_time, SystemTime at, UsageSums sums) {
  sums.at = at;
  const auto [there, is_new] = by_time.try_emplace(at, sums);
  if (!is_new) there->second.add(sums);
}

UsagePoint pointOf(SystemTime at, const UsageSums& sums) {
  const auto count = static_cast<double>(std::max<std::int64_t>(sums.samples, 1));
  return {.at = at,
          .cpu = static_cast<double>(sums.cpu) / 10 / count,
          .memory = static_cast<double>(sums.memory) / 1024 / count,
          .cpuMax = static_cast<double>(sums.cpuMax) / 10,
          .memoryMax = static_cast<double>(sums.memoryMax) / 1024,
          .storage = static_cast<double>(sums.storage) / 1024 / 1024,
          .network = {static_cast<double>(sums.received) / count, static_cast<double>(sums.sent) / count}};
}

}  // namespace

UsageRange usageRangeOf(const UsageQuery& query, SystemTime now, std::chrono::milliseconds interval) {
  UsageRange range;
  range.to = timeOf("to", query.to, now);
  range.from = timeOf("from", query.from, range.to - std::chrono::hours(1));
  if (range.from >= range.to) throw Error(ErrorCode::InvalidArgument, "from must be before to.").withField("?from", "must be before to");
  const auto span = std::chrono::ceil<seconds>(range.to - range.from);
  range.step = seconds(query.step);
  if (query.step == 0) {
    range.step = *(std::end(kSteps) - 1);
    for (const seconds step : kSteps) {
      if (step < interval || span > step * static_cast<int>(kUsualUsagePoints)) continue;
      range.step = step;
      break;
    }
    range.step = std::max(range.step, seconds(span.count() / static_cast<std::int64_t>(kMaxUsagePoints) + 1));
  }
  if (span.count() / range.step.count() >= static_cast<std::int64_t>(kMaxUsagePoints)) {
    const std::string fault =
        format("must be at least {} for this time, which is {} points", span.count() / (kMaxUsagePoints - 1) + 1, kMaxUsagePoints);
    throw Error(ErrorCode::InvalidArgument, format("step {}.", fault)).withField("?step", fault);
  }
  return range;
}

UsageSeries::Packed UsageSeries::pack(const UsageSample& sample) {
  return {.at = narrow(std::chrono::floor<seconds>(sample.at).time_since_epoch().count()),
          .cpu = narrow(sample.cpu),
          .memory = narrow(sample.memory),
          .storage = narrow(sample.storage),
          .received = narrow(sample.received),
          .sent = narrow(sample.sent)};
}

UsageSample UsageSeries::unpack(const Packed& packed) {
  return {.at = SystemTime(seconds(packed.at)),
          .cpu = packed.cpu,
          .memory = packed.memory,
          .storage = packed.storage,
          .received = packed.received,
          .sent = packed.sent};
}

void UsageSeries::add(const UsageSample& sample, std::size_t capacity) {
  const Packed packed = pack(sample);
  while (!samples_.empty() && samples_.back().at >= packed.at) samples_.pop_back();
  samples_.push_back(packed);
  while (samples_.size() > std::max<std::size_t>(capacity, 1)) samples_.pop_front();
  addTo(unsaved_, floorTo(sample.at, kUsageRowSpan), sumsOf(unpack(packed)));
}

std::optional<UsageSample> UsageSeries::last() const {
  if (samples_.empty()) return std::nullopt;
  return unpack(samples_.back());
}

std::vector<double> UsageSeries::recentCpu(std::size_t count) const {
  std::vector<double> recent;
  for (std::size_t i = samples_.size() - std::min(count, samples_.size()); i < samples_.size(); ++i)
    recent.push_back(static_cast<double>(samples_[i].cpu) / 10);
  return recent;
}

std::vector<UsageSums> UsageSeries::takeSums(SystemTime now, Which which) {
  std::vector<UsageSums> taken;
  std::erase_if(unsaved_, [&](const auto& one) {
    if (which == Which::Ended && one.first + kUsageRowSpan > now) return false;
    taken.push_back(one.second);
    saved_until_ = std::max(saved_until_, one.first + kUsageRowSpan);
    return true;
  });
  return taken;
}

UsageHistory UsageSeries::history(const UsageRange& range, const std::vector<UsageSums>& stored) const {
  std::map<SystemTime, UsageSums> points;
  const SystemTime first = floorTo(range.from, range.step);
  const auto add_point = [&](const UsageSums& sums) {
    const SystemTime at = floorTo(sums.at, range.step);
    if (at >= first && sums.at < range.to) addTo(points, at, sums);
  };
  std::map<SystemTime, UsageSums> in_memory;
  for (const Packed& packed : samples_) {
    const UsageSums sums = sumsOf(unpack(packed));
    addTo(in_memory, floorTo(sums.at, kUsageRowSpan), sums);
  }
  const auto add_rest = [&](UsageSums row) {
    if (const auto part = in_memory.find(row.at); part != in_memory.end()) row.remove(part->second);
    if (row.samples > 0) add_point(row);
  };
  for (const UsageSums& row : stored) row.at < saved_until_ ? add_rest(row) : add_point(row);
  for (const auto& [at, row] : unsaved_) add_rest(row);
  for (const Packed& packed : samples_) add_point(sumsOf(unpack(packed)));
  UsageHistory history{.from = range.from, .to = range.to, .step = range.step.count(), .points = {}};
  history.points.reserve(points.size());
  for (const auto& [at, sums] : points) history.points.push_back(pointOf(at, sums));
  return history;
}

}  // namespace swarm::control

#include "controller/limits/limits_section.h"

#include <limits>

#include "base/error.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm {
namespace {

/// Leaves a key that is not there as it is.
template <typename Number>
void readLimit(ConfigSection& section, std::string_view table, std::string_view key, std::optional<Number>& into) {
  constexpr Number kAbsent = std::numeric_limits<Number>::lowest(), kMost = 1'000'000'000;
  Number value = kAbsent;
  section.read(key, value);
  if (value == kAbsent) return;
  if (!(value >= 0 && value <= kMost))
    throw Error(ErrorCode::InvalidArgument, format("[{}] {} is {}; expected 0 (no limit) to {}.", table, key, value, kMost));
  into = value;
}

ResourceLimits readTable(ConfigSection& section, std::string_view table) {
  ResourceLimits limits;
  if (table != "limits.instance") readLimit(section, table, "instances", limits.instances);
  readLimit(section, table, "cpu", limits.cpu);
  readLimit(section, table, "memory", limits.memory);
  readLimit(section, table, "storage", limits.storage);
  return limits;
}

ResourceLimits readWhole(ConfigSection section, std::string_view table) {
  ResourceLimits limits = readTable(section, table);
  section.refuseUnknown();
  return limits;
}

LimitsConfig::OfProvider readProvider(ConfigSection section, const std::string& table) {
  LimitsConfig::OfProvider limits{readTable(section, table), {}};
  if (auto regions = section.child("regions"))
    for (const std::string& name : regions->childNames())
      limits.regions[name] = readWhole(*regions->child(name), format("{}.regions.{}", table, name));
  section.refuseUnknown();
  return limits;
}

}  // namespace

LimitsConfig readLimits(ConfigSection section) {
  LimitsConfig limits;
  limits.swarm = readTable(section, "limits");
  if (auto instance = section.child("instance")) limits.instance = readWhole(*std::move(instance), "limits.instance");
  if (auto user = section.child("user")) limits.user = readWhole(*std::move(user), "limits.user");
  for (const ProviderType type : {ProviderType::docker, ProviderType::flyio, ProviderType::fake})
    if (auto provider = section.child(enumName(type)))
      limits.providers[type] = readProvider(*std::move(provider), format("limits.{}", enumName(type)));
  section.refuseUnknown();
  return limits;
}

}  // namespace swarm

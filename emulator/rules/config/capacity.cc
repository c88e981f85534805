// Hosts are created once; their usage changes with the Machines' states.
#include "emulator/rules/config/capacity.h"

#include <algorithm>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"

namespace swarm::emulator {

const std::vector<RegionFacts>& allRegions() {
  static const std::vector<RegionFacts> kRegions = {
      {"ams", "Amsterdam, Netherlands", 52.37, 4.90, "europe", true},
      {"arn", "Stockholm, Sweden", 59.65, 17.92, "europe", true},
      {"bom", "Mumbai, India", 19.10, 72.88, "asia_pacific", true},
      {"cdg", "Paris, France", 48.86, 2.35, "europe", true},
      {"dfw", "Dallas, Texas (US)", 32.78, -96.80, "north_america", true},
      {"ewr", "Secaucus, NJ (US)", 40.79, -74.06, "north_america", true},
      {"fra", "Frankfurt, Germany", 50.11, 8.68, "europe", true},
      {"gru", "Sao Paulo, Brazil", -23.55, -46.63, "south_america", false},
      {"iad", "Ashburn, Virginia (US)", 39.02, -77.54, "north_america", true},
      {"jnb", "Johannesburg, South Africa", -26.20, 28.04, "africa", false},
      {"lax", "Los Angeles, California (US)", 34.05, -118.24, "north_america", true},
      {"lhr", "London, United Kingdom", 51.52, -0.12, "europe", true},
      {"nrt", "Tokyo, Japan", 35.62, 139.75, "asia_pacific", true},
      {"ord", "Chicago, Illinois (US)", 41.89, -87.64, "north_america", true},
      {"sin", "Singapore, Singapore", 1.34, 103.98, "asia_pacific", true},
      {"sjc", "San Jose, California (US)", 37.35, -121.96, "north_america", true},
      {"syd", "Sydney, Australia", -33.87, 151.21, "asia_pacific", true},
      {"yyz", "Toronto, Canada", 43.64, -79.38, "north_america", true},
  };
  return kRegions;
}

namespace {

const RegionFacts* factsOf(std::string_view code) {
  const auto found = std::ranges::find(allRegions(), code, &RegionFacts::code);
  return found == allRegions().end() ? nullptr : &*found;
}

/// §3: the aliases of region expressions. I: which regions each of them contains.
bool aliasHolds(std::string_view alias, const RegionFacts& region) {
  if (alias == "any") return true;
  if (alias == "apac") return region.geoRegion == "asia_pacific";
  if (alias == "eu") return region.geoRegion == "europe";
  if (alias == "na") return region.geoRegion == "north_america";
  if (alias == "sa") return region.geoRegion == "south_america";
  if (alias == "us" || alias == "usa") return region.geoRegion == "north_america" && region.code != "yyz";
  return false;
}

}  // namespace

Capacity::Capacity(World& world, const std::vector<std::string>& regions, CapacityOptions options)
    : world_(world), regions_(regions), options_(std::move(options)) {
  for (const std::string& region : regions_) {
    if (!factsOf(region)) throw Error(ErrorCode::InvalidArgument, format("Fly has no region {}.", region));
    for (int index = 1; index <= std::max(1, options_.hostsPerRegion); ++index) {
      std::string id = format("{}-{}", region, index);
      world_.hosts[id] = Host{.id = id, .region = region, .zone = toHex(sha256(id)).substr(0, 4)};
    }
  }
}

bool Capacity::hasRegion(std::string_view code) const { return std::ranges::find(regions_, code) != regions_.end(); }

std::vector<std::string> Capacity::regionsOf(std::string_view expression) const {
  std::vector<std::string> result;
  while (!expression.empty()) {
    std::string_view part = expression.substr(0, expression.find(','));
    expression.remove_prefix(std::min(expression.size(), part.size() + 1));
    std::size_t before = result.size();
    for (const std::string& region : regions_) {
      if (region == part || aliasHolds(part, *factsOf(region))) result.push_back(region);
    }
    if (result.size() == before) return {};
  }
  return result;
}

HostSize Capacity::sizeOf(std::string_view region) const {
  auto own = options_.hostInRegion.find(std::string(region));
  return own == options_.hostInRegion.end() ? options_.host : own->second;
}

bool Capacity::memoryFits(const Host& host, const GuestSize& size) const {
  std::int64_t maximum = sizeOf(host.region).memoryMb;
  return maximum == 0 || host.usedMemoryMb + size.memoryMb <= maximum;
}

bool Capacity::fits(const Host& host, const GuestSize& size) const {
  int maximum = sizeOf(host.region).cpus;
  return host.status == HostStatus::ok && memoryFits(host, size) && (maximum == 0 || host.usedCpus + size.cpus <= maximum);
}

Host* Capacity::place(std::string_view region, const GuestSize& size) {
  Host* best = nullptr;
  for (auto& [id, host] : world_.hosts) {
    if (host.region != region || !fits(host, size)) continue;
    if (!best || host.machines + host.volumes < best->machines + best->volumes) best = &host;
  }
  return best;
}

int Capacity::roomFor(std::string_view region, const GuestSize& size, int maximum) const {
  HostSize limit = sizeOf(region);
  std::int64_t room = 0;
  for (const auto& [id, host] : world_.hosts) {
    if (host.region != region || host.status != HostStatus::ok) continue;
    std::int64_t by_memory =
        limit.memoryMb == 0 ? maximum : (limit.memoryMb - host.usedMemoryMb) / std::max<std::int64_t>(1, size.memoryMb);
    std::int64_t by_cpus = limit.cpus == 0 ? maximum : (limit.cpus - host.usedCpus) / std::max(1, size.cpus);
    room += std::max<std::int64_t>(0, std::min(by_memory, by_cpus));
  }
  return static_cast<int>(std::min<std::int64_t>(room, maximum));
}

std::optional<std::int64_t> Capacity::overQuota(std::string_view region, const GuestSize& size) const {
  if (options_.organizationMemoryMbPerRegion == 0) return std::nullopt;
  std::int64_t used = size.memoryMb;
  for (const auto& [id, host] : world_.hosts) {
    if (host.region == region) used += host.usedMemoryMb;
  }
  return used > options_.organizationMemoryMbPerRegion ? std::optional(used) : std::nullopt;
}

void Capacity::account(Machine& machine) {
  if (!machine.host) return;
  bool holds = holdsCapacity(machine.state) || machine.launchPending;
  if (holds == machine.reserved) return;
  machine.reserved = holds;
  int sign = holds ? 1 : -1;
  machine.host->usedMemoryMb += sign * machine.guest.memoryMb;
  machine.host->usedCpus += sign * machine.guest.cpus;
  machine.host->machines += sign;
}

}  // namespace swarm::emulator

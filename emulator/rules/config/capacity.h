// Capacity: which host of a region accepts a Machine or a volume, and what is left there (§12 E4, E19, E22, E23).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "emulator/emulator.h"
#include "emulator/state/world.h"

namespace swarm::emulator {

/// A region of Fly (§9).
struct RegionFacts {
  std::string_view code, name;
  double latitude, longitude;
  std::string_view geoRegion;
  bool gateway;
};
const std::vector<RegionFacts>& allRegions();

class Capacity {
 public:
  Capacity(World& world, const std::vector<std::string>& regions, CapacityOptions options);

  bool hasRegion(std::string_view code) const;
  /// The codes in an expression ("iad,dfw", "eu", "any"), in its order; empty if it contains an unknown one (§3).
  std::vector<std::string> regionsOf(std::string_view expression) const;
  /// The host with the fewest Machines that has room; null: none has.
  Host* place(std::string_view region, const GuestSize& size);
  /// How many more Machines of this size fit into the region, up to `maximum`.
  int roomFor(std::string_view region, const GuestSize& size, int maximum) const;
  bool fits(const Host& host, const GuestSize& size) const;
  bool memoryFits(const Host& host, const GuestSize& size) const;
  /// The organization's usage in the region with this Machine, if it exceeds the quota (E4).
  std::optional<std::int64_t> overQuota(std::string_view region, const GuestSize& size) const;
  /// Adds the Machine to its host's usage or removes it, according to its state.
  void account(Machine& machine);
  void setHostSize(const std::string& region, HostSize size) { options_.hostInRegion[region] = size; }
  HostSize sizeOf(std::string_view region) const;
  void setQuota(std::int64_t memory_mb) { options_.organizationMemoryMbPerRegion = memory_mb; }

 private:
  World& world_;
  std::vector<std::string> regions_;
  CapacityOptions options_;
};

}  // namespace swarm::emulator

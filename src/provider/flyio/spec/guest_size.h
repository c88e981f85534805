// The guest sizes that Fly sells, and rounding up to them (docs/reference/fly-machines.md §3 "Guest sizes"). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "model/types/instance_config.h"

namespace swarm::flyio {

/// Error for a field of a request that no Machine can fulfil.
Error unprocessable(std::string pointer, std::string message);

/// One valid size of a Machine.
struct Guest {
  bool shared = true;
  std::int64_t cpus = 1;
  std::int64_t memoryMb = 256;
  bool operator==(const Guest&) const = default;
};

/// The cheapest valid size that has at least the requested resources: shared CPUs where they suffice, else performance ones. Throws
/// Error(Unprocessable) with the field when no size is large enough or the request contradicts itself.
Guest roundUp(const ResourceConfig& resources);

boost::json::object toJson(const Guest& guest);            ///< fly.MachineGuest
Guest readGuest(const boost::json::value& machine_guest);  ///< of a response; unknown kinds count as performance
std::string toString(const Guest& guest);                  ///< "shared-cpu-2x with 4096 MB"

/// The resources of an instance on `guest`: whole CPUs and the guest's memory; the rest is as requested.
ResourceConfig effectiveOn(const Guest& guest, ResourceConfig requested);

inline constexpr Guest kLargestGuest{false, 16, 131072};
inline constexpr std::int64_t kLargestVolumeGb = 500;

}  // namespace swarm::flyio

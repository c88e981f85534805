#include "provider/flyio/spec/guest_size.h"

#include <array>
#include <cmath>
#include <optional>
#include <span>

#include "base/text/format.h"
#include "base/text/json_access.h"

namespace swarm::flyio {
namespace {

/// A smaller value is a mistake in the unit: memory is given in MiB.
constexpr std::int64_t kMinMemoryMib = 16;

constexpr std::array<std::int64_t, 5> kSharedCpus{1, 2, 4, 6, 8};
constexpr std::array<std::int64_t, 9> kPerformanceCpus{1, 2, 4, 6, 8, 10, 12, 14, 16};

struct Family {
  bool shared;
  std::span<const std::int64_t> cpus;
  std::int64_t minPerCpu;  // MiB
  std::int64_t maxPerCpu;
  std::int64_t step;
};

constexpr Family kShared{true, kSharedCpus, 256, 2048, 256};
constexpr Family kPerformance{false, kPerformanceCpus, 2048, 8192, 1024};

std::optional<Guest> smallestOf(const Family& family, double cores, std::int64_t memory) {
  for (std::int64_t cpus : family.cpus) {
    if (static_cast<double>(cpus) + 1e-9 < cores || family.maxPerCpu * cpus < memory) continue;
    std::int64_t rounded = (memory + family.step - 1) / family.step * family.step;
    return Guest{family.shared, cpus, std::max(rounded, family.minPerCpu * cpus)};
  }
  return std::nullopt;
}

}  // namespace

Error unprocessable(std::string pointer, std::string message) {
  return Error(ErrorCode::Unprocessable, message).withField(std::move(pointer), message);
}

Guest roundUp(const ResourceConfig& resources) {
  const CpuConfig& cpu = resources.cpu;
  const MemoryConfig& memory = resources.memory;
  double cores = cpu.limit > 0 ? static_cast<double>(cpu.limit) / 1000 : cpu.cores;
  std::string cpu_pointer = cpu.limit > 0 ? "/resources/cpu/limit" : "/resources/cpu/cores";
  if (!(cores > 0)) throw unprocessable(cpu_pointer, "A workspace needs more than 0 cores.");
  if (cores > static_cast<double>(kLargestGuest.cpus)) {
    throw unprocessable(cpu_pointer, format("{:g} cores were requested; Fly's largest Machine has {}.", cores, kLargestGuest.cpus));
  }
  if (memory.max < kMinMemoryMib) {
    throw unprocessable(
        "/resources/memory/max",
        format("{} MiB of memory are too few for a workspace (the unit is MiB; the minimum is {}).", memory.max, kMinMemoryMib));
  }
  if (memory.min > memory.max) {
    throw unprocessable("/resources/memory/min",
                        format("The reserved memory ({} MiB) exceeds the maximum memory ({} MiB).", memory.min, memory.max));
  }
  if (memory.max > kLargestGuest.memoryMb) {
    throw unprocessable("/resources/memory/max",
                        format("{} MiB of memory were requested; Fly's largest Machine has {} MiB.", memory.max, kLargestGuest.memoryMb));
  }
  if (auto guest = smallestOf(kShared, cores, memory.max)) return *guest;
  if (auto guest = smallestOf(kPerformance, cores, memory.max)) return *guest;
  throw unprocessable("/resources", "Fly has no Machine of this size.");
}

boost::json::object toJson(const Guest& guest) {
  return {{"cpu_kind", guest.shared ? "shared" : "performance"}, {"cpus", guest.cpus}, {"memory_mb", guest.memoryMb}};
}

Guest readGuest(const boost::json::value& machine_guest) {
  return {stringAt(machine_guest, "cpu_kind") == "shared", integerAt(machine_guest, "cpus", 1), integerAt(machine_guest, "memory_mb", 256)};
}

std::string toString(const Guest& guest) {
  return format("{}-{}x with {} MB", guest.shared ? "shared-cpu" : "performance", guest.cpus, guest.memoryMb);
}

ResourceConfig effectiveOn(const Guest& guest, ResourceConfig requested) {
  requested.cpu.cores = static_cast<double>(guest.cpus);
  requested.cpu.limit = guest.cpus * 1000;
  requested.memory.max = guest.memoryMb;
  return requested;
}

}  // namespace swarm::flyio

// CPU, memory and storage of this instance, from its control group (v1 and v2) and its file systems.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "model/types.h"
#include "net/loop.h"

namespace swarm::agent {

/// What the kernel says now. Absent: this system does not say.
struct ControlGroupFacts {
  std::optional<std::uint64_t> cpuMicroseconds;  ///< since the group was made
  std::optional<std::int64_t> cpuLimit;          ///< millicores; absent: none
  std::optional<std::uint64_t> memoryBytes;      ///< without file cache that can be dropped at once (inactive_file), as `docker stats` does
  std::optional<std::uint64_t> memoryLimit;      ///< bytes; absent: none
};
/// `root` is /sys/fs/cgroup in an instance.
ControlGroupFacts readControlGroup(const std::filesystem::path& root);

/// Percent of one core between two readings.
double cpuPercent(std::uint64_t microseconds_before, std::uint64_t microseconds_now, std::chrono::steady_clock::duration elapsed);

/// On one loop. Costs nothing while nobody asks.
class UsageMeter {
 public:
  struct Options {
    std::filesystem::path controlGroup = "/sys/fs/cgroup";
    std::filesystem::path proc = "/proc";
    std::vector<std::filesystem::path> storage;  ///< home and other mounts
  };
  explicit UsageMeter(Options options);
  ~UsageMeter();

  /// CPU is measured since the last question when that is 0.5 to 30 s old, else over a quarter of a second. Storage usage is what the
  /// files below `storage` occupy, counted in the background at most once a minute (where the
  /// first count takes longer than a second, answers give the file system's figure until it has ended); its limit is the file systems'
  /// size.
  net::awaitable<ResourceUsage> measure();

 private:
  struct CpuSample {
    std::uint64_t microseconds = 0;
    std::chrono::steady_clock::time_point time;
  };
  struct DiskCount;
  net::awaitable<double> measureCpu();
  void countInBackground();
  net::awaitable<SizeUsage> measureStorage();

  Options options_;
  std::optional<CpuSample> last_;
  std::shared_ptr<DiskCount> disk_;
};

}  // namespace swarm::agent

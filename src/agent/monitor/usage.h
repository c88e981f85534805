// CPU, memory, storage and traffic of this instance, from its control group (v1 and v2), its file systems and /proc.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "async/awaitable.h"
#include "model/types/usage.h"

namespace swarm::agent {

/// The kernel's current values. Absent: not available on this system.
struct ControlGroupFacts {
  std::optional<std::uint64_t> cpuMicroseconds;  ///< since the group was created
  std::optional<std::int64_t> cpuLimit;          ///< millicores; absent: unlimited
  std::optional<std::uint64_t> memoryBytes;      ///< without file cache that can be dropped at once (inactive_file), as in `docker stats`
  std::optional<std::uint64_t> memoryLimit;      ///< bytes; absent: unlimited
};
/// `root` is /sys/fs/cgroup in an instance.
ControlGroupFacts readControlGroup(const std::filesystem::path& root);

/// Percent of one core between two readings.
double cpuPercent(std::uint64_t microseconds_before, std::uint64_t microseconds_now, std::chrono::steady_clock::duration elapsed);

/// On one loop. Costs nothing between requests.
class UsageMeter {
 public:
  struct Options {
    std::filesystem::path controlGroup = "/sys/fs/cgroup";
    std::filesystem::path proc = "/proc";
    std::vector<std::filesystem::path> storage;  ///< home and other mounts
  };
  explicit UsageMeter(Options options);
  ~UsageMeter();

  /// CPU is measured since the last request if that was 0.5 to 120 s ago, else over a quarter of a second. Storage usage is the disk usage
  /// of the files below `storage`, counted in the background at most once a minute and for 2 % of the time (while the first count takes
  /// longer than a second, responses contain the file system's figure); its limit is the size of the file systems.
  async::awaitable<ResourceUsage> measure();

 private:
  struct CpuSample {
    std::uint64_t microseconds = 0;
    std::chrono::steady_clock::time_point time;
  };
  struct DiskCount;
  async::awaitable<double> measureCpu();
  void countInBackground();
  async::awaitable<SizeUsage> measureStorage();

  Options options_;
  std::optional<CpuSample> last_;
  std::shared_ptr<DiskCount> disk_;
};

}  // namespace swarm::agent

// Reads control groups and file systems.
#include "agent/monitor/usage.h"

#include <fts.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <atomic>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>

#include "async/deadline.h"
#include "base/clock.h"
#include "base/text/number.h"
#include "base/thread_priority.h"

namespace swarm::agent {
namespace fs = std::filesystem;
namespace {
constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr double kGibibyte = kMebibyte * 1024.0;
constexpr std::chrono::milliseconds kShortestWindow{500};
constexpr std::chrono::seconds kLongestWindow{120};  // the server's samples are a minute apart
constexpr std::chrono::milliseconds kOwnWindow{250};
constexpr std::chrono::seconds kDiskCountAge{60};
constexpr int kDiskCountRest = 50;              // times as long as a count took, until the next one: 2 % of a core at most
constexpr std::chrono::seconds kFirstCount{1};  // how long the first response waits for the first count
constexpr std::chrono::milliseconds kCountStep{10};
constexpr std::uint64_t kNoLimitV1 = 1ULL << 60U;  // v1 represents "no limit" as a number near 2^63, rounded to pages

std::string readWord(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::optional<std::uint64_t> readNumber(const fs::path& path) { return parseNumber<std::uint64_t>(readWord(path)); }

/// "key value" lines.
std::optional<std::uint64_t> readKey(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string name, value; file >> name >> value;) {
    if (name == key) return parseNumber<std::uint64_t>(value);
  }
  return std::nullopt;
}

std::optional<std::int64_t> millicores(std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period) {
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<std::int64_t>(*quota * 1000 / *period);
}

std::optional<std::uint64_t> without(std::optional<std::uint64_t> total, std::optional<std::uint64_t> part) {
  if (!total) return std::nullopt;
  return *total - std::min(*total, part.value_or(0));
}

ControlGroupFacts readV2(const fs::path& root) {
  ControlGroupFacts facts;
  facts.cpuMicroseconds = readKey(root / "cpu.stat", "usage_usec");
  std::ifstream maximum(root / "cpu.max");
  std::string quota, period;
  maximum >> quota >> period;
  facts.cpuLimit = millicores(parseNumber<std::uint64_t>(quota), parseNumber<std::uint64_t>(period));
  facts.memoryBytes = without(readNumber(root / "memory.current"), readKey(root / "memory.stat", "inactive_file"));
  facts.memoryLimit = readNumber(root / "memory.max");
  return facts;
}

ControlGroupFacts readV1(const fs::path& root) {
  ControlGroupFacts facts;
  if (auto nanoseconds = readNumber(root / "cpuacct/cpuacct.usage")) facts.cpuMicroseconds = *nanoseconds / 1000;
  facts.cpuLimit = millicores(readNumber(root / "cpu/cpu.cfs_quota_us"), readNumber(root / "cpu/cpu.cfs_period_us"));
  fs::path memory = root / "memory";
  facts.memoryBytes = without(readNumber(memory / "memory.usage_in_bytes"), readKey(memory / "memory.stat", "total_inactive_file"));
  facts.memoryLimit = readNumber(memory / "memory.limit_in_bytes");
  if (facts.memoryLimit && *facts.memoryLimit >= kNoLimitV1) facts.memoryLimit.reset();
  return facts;
}

std::uint64_t machineMemory(const fs::path& proc) {
  std::ifstream file(proc / "meminfo");
  std::string name, unit;
  std::uint64_t kibibytes = 0;
  while (file >> name >> kibibytes && name != "MemTotal:") std::getline(file, unit);
  return kibibytes * 1024;
}

/// Of all interfaces but the loopback one: lines "eth0: RECEIVED_BYTES and 7 more numbers, SENT_BYTES and 7 more".
TrafficUsage readTraffic(const fs::path& proc) {
  TrafficUsage traffic;
  std::ifstream file(proc / "net/dev");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::istringstream words(line.substr(colon + 1));
    std::istringstream name(line.substr(0, colon));
    std::string interface;
    double received = 0, skipped = 0, sent = 0;
    name >> interface;
    words >> received;
    for (int i = 0; i < 7; ++i) words >> skipped;
    words >> sent;
    if (!words || interface == "lo") continue;
    traffic.received += received;
    traffic.sent += sent;
  }
  return traffic;
}

/// The disk usage of the files below `roots`, like du -x: other file systems are not entered, a file with two names counts once.
std::uint64_t countBytes(const std::vector<fs::path>& roots) {
  std::vector<std::string> names(roots.begin(), roots.end());
  std::vector<char*> arguments;
  for (auto& name : names) arguments.push_back(name.data());
  arguments.push_back(nullptr);
  std::unique_ptr<FTS, int (*)(FTS*)> walk(::fts_open(arguments.data(), FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, nullptr), &::fts_close);
  std::uint64_t bytes = 0;
  std::set<std::pair<dev_t, ino_t>> seen;
  while (FTSENT* entry = walk ? ::fts_read(walk.get()) : nullptr) {
    if (entry->fts_info == FTS_DP || entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR) continue;
    const struct stat& facts = *entry->fts_statp;
    if (!S_ISDIR(facts.st_mode) && facts.st_nlink > 1 && !seen.emplace(facts.st_dev, facts.st_ino).second) continue;
    bytes += static_cast<std::uint64_t>(facts.st_blocks) * 512;
  }
  return bytes;
}

}  // namespace

/// Shared with the counting thread, which may outlive the meter.
struct UsageMeter::DiskCount {
  std::atomic<bool> counting{false};
  std::atomic<bool> known{false};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::chrono::steady_clock::duration> took{std::chrono::steady_clock::duration::zero()};
  std::optional<std::chrono::steady_clock::time_point> started;  // used on the loop
};

ControlGroupFacts readControlGroup(const fs::path& root) {
  std::error_code ignored;
  return fs::exists(root / "cgroup.controllers", ignored) ? readV2(root) : readV1(root);
}

double cpuPercent(std::uint64_t before, std::uint64_t now, std::chrono::steady_clock::duration elapsed) {
  auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
  if (microseconds <= 0 || now <= before) return 0;
  return 100.0 * static_cast<double>(now - before) / static_cast<double>(microseconds);
}

UsageMeter::UsageMeter(Options options) : options_(std::move(options)), disk_(std::make_shared<DiskCount>()) {}
UsageMeter::~UsageMeter() = default;

async::awaitable<double> UsageMeter::measureCpu() {
  auto read = [this]() -> std::optional<CpuSample> {
    auto microseconds = readControlGroup(options_.controlGroup).cpuMicroseconds;
    if (!microseconds) return std::nullopt;
    return CpuSample{*microseconds, std::chrono::steady_clock::now()};
  };
  auto now = read();
  if (!now) co_return 0;
  auto before = last_;
  if (!before || now->time - before->time < kShortestWindow || now->time - before->time > kLongestWindow) {
    before = now;
    co_await async::sleepFor(kOwnWindow);
    now = read();
    if (!now) co_return 0;
  }
  last_ = now;
  co_return cpuPercent(before->microseconds, now->microseconds, now->time - before->time);
}

void UsageMeter::countInBackground() {
  auto now = std::chrono::steady_clock::now();
  const auto age = std::max<std::chrono::steady_clock::duration>(kDiskCountAge, disk_->took.load() * kDiskCountRest);
  if ((disk_->started && now - *disk_->started < age) || disk_->counting.exchange(true)) return;
  disk_->started = now;
  auto count = [disk = disk_, roots = options_.storage, now] {
    setNiceOfThread(kNiceOfSpareTime);  // counting millions of files must not slow down the workspace
    disk->bytes = countBytes(roots);
    disk->took = std::chrono::steady_clock::now() - now;
    disk->known = true;
    disk->counting = false;
  };
  try {
    std::thread(std::move(count)).detach();
  } catch (const std::system_error&) {
    disk_->counting = false;  // the process limit is reached: keep the last result
  }
}

async::awaitable<SizeUsage> UsageMeter::measureStorage() {
  countInBackground();
  for (auto end = Deadline::after(kFirstCount); !disk_->known && !end.hasPassed();) co_await async::sleepFor(kCountStep);
  SizeUsage storage;
  std::set<dev_t> seen;
  for (const auto& path : options_.storage) {
    struct stat facts{};
    struct statvfs system{};
    if (::stat(path.c_str(), &facts) != 0 || !seen.insert(facts.st_dev).second || ::statvfs(path.c_str(), &system) != 0) continue;
    auto block = static_cast<double>(system.f_frsize);
    storage.limit += static_cast<double>(system.f_blocks) * block / kGibibyte;
    storage.usage += static_cast<double>(system.f_blocks - system.f_bfree) * block / kGibibyte;
  }
  if (disk_->known) storage.usage = static_cast<double>(disk_->bytes.load()) / kGibibyte;
  co_return storage;
}

async::awaitable<ResourceUsage> UsageMeter::measure() {
  ResourceUsage usage;
  usage.cpu.usage = co_await measureCpu();
  auto facts = readControlGroup(options_.controlGroup);
  usage.cpu.limit = facts.cpuLimit.value_or(static_cast<std::int64_t>(std::thread::hardware_concurrency()) * 1000);
  usage.memory.usage = static_cast<double>(facts.memoryBytes.value_or(0)) / kMebibyte;
  auto machine = machineMemory(options_.proc);
  usage.memory.limit = static_cast<double>(std::min(facts.memoryLimit.value_or(machine), machine)) / kMebibyte;
  usage.storage = co_await measureStorage();
  usage.network = readTraffic(options_.proc);
  co_return usage;
}

}  // namespace swarm::agent

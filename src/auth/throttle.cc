// Back-off for failed sign-ins.
#include "auth/throttle.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"

namespace swarm {
namespace {

constexpr std::chrono::minutes kMemory{15};
constexpr std::size_t kMostEntries = 10'000;
constexpr int kFreeOfName = 5;
constexpr int kFreeOfAddress = 20;

}  // namespace

void LoginThrottle::attempt(std::string_view name, std::string_view address) {
  std::lock_guard lock(mutex_);
  check(names_, name);
  check(addresses_, address);
  count(names_, name, {kFreeOfName, std::chrono::seconds(60)});
  count(addresses_, address, {kFreeOfAddress, std::chrono::seconds(300)});
}

void LoginThrottle::succeeded(std::string_view name, std::string_view address) {
  std::lock_guard lock(mutex_);
  if (auto found = names_.find(name); found != names_.end()) names_.erase(found);
  // Its other failures stay: a guesser may have one right password.
  auto entry = addresses_.find(address);
  if (entry == addresses_.end()) return;
  if (--entry->second.failures < kFreeOfAddress) entry->second.notBefore = {};
  if (entry->second.failures <= 0) addresses_.erase(entry);
}

void LoginThrottle::check(const Entries& entries, std::string_view key) const {
  auto entry = entries.find(key);
  if (entry == entries.end()) return;
  SteadyTime now = clock_.steadyNow();
  if (now >= entry->second.notBefore || now - entry->second.last > kMemory) return;
  auto wait = std::chrono::ceil<std::chrono::seconds>(entry->second.notBefore - now);
  throw Error(ErrorCode::TooManyRequests,
              format("Too many failed sign-ins; try again in {} second{}.", wait.count(), wait.count() == 1 ? "" : "s"))
      .withRetryAfter(wait);
}

void LoginThrottle::count(Entries& entries, std::string_view key, Limit limit) {
  SteadyTime now = clock_.steadyNow();
  if (entries.size() >= kMostEntries) forgetOld(entries, now);
  Entry& entry = entries[std::string(key)];
  if (now - entry.last > kMemory) entry = Entry{};
  ++entry.failures;
  entry.last = now;
  int beyond = entry.failures - limit.free;
  if (beyond >= 0) entry.notBefore = now + std::min(limit.longest, std::chrono::seconds(1LL << std::min(beyond, 20)));
}

/// Under attack from very many addresses memory stays bounded: the older half goes when nothing has expired.
void LoginThrottle::forgetOld(Entries& entries, SteadyTime now) {
  std::erase_if(entries, [&](const auto& item) { return now - item.second.last > kMemory; });
  if (entries.size() < kMostEntries) return;
  std::vector<SteadyTime> times;
  times.reserve(entries.size());
  for (const auto& [key, entry] : entries) times.push_back(entry.last);
  auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  std::erase_if(entries, [&](const auto& item) { return item.second.last <= *middle; });
}

}  // namespace swarm

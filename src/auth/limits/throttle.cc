// Back-off after failed sign-ins.
#include "auth/limits/throttle.h"

#include <algorithm>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::chrono::minutes kMemory{15};
constexpr std::size_t kMaxEntries = 10'000;

std::string pairKey(const LoginAttempt& attempt) { return std::string(attempt.name).append("\n").append(attempt.address); }

}  // namespace

using std::chrono::seconds;
const LoginThrottle::Limit LoginThrottle::kDevice{10, seconds(1), seconds(60)};
const LoginThrottle::Limit LoginThrottle::kPair{5, seconds(1), seconds(60)};
const LoginThrottle::Limit LoginThrottle::kAddress{20, seconds(1), seconds(300)};
const LoginThrottle::Limit LoginThrottle::kName{100, seconds(2), seconds(2)};
const LoginThrottle::Limit LoginThrottle::kCode{10, seconds(30), seconds(30)};

void LoginThrottle::attempt(const LoginAttempt& attempt) {
  std::lock_guard lock(mutex_);
  if (!attempt.device.empty()) {
    check(devices_, attempt.device);
    count(devices_, attempt.device, kDevice);
    return;
  }
  const std::string pair = pairKey(attempt);
  check(pairs_, pair);
  check(addresses_, attempt.address);
  check(names_, attempt.name);
  if (attempt.isCode) check(codes_, attempt.name);
  count(pairs_, pair, kPair);
  count(addresses_, attempt.address, kAddress);
  count(names_, attempt.name, kName);
  if (attempt.isCode) count(codes_, attempt.name, kCode);
}

void LoginThrottle::succeeded(const LoginAttempt& attempt) {
  std::lock_guard lock(mutex_);
  if (!attempt.device.empty()) {
    if (auto found = devices_.find(attempt.device); found != devices_.end()) devices_.erase(found);
    return;
  }
  if (auto found = pairs_.find(pairKey(attempt)); found != pairs_.end()) pairs_.erase(found);
  // The other failures of address and name stay: an attacker may have one valid password and continue with other names.
  takeBack(addresses_, attempt.address, kAddress);
  takeBack(names_, attempt.name, kName);
  if (attempt.isCode) takeBack(codes_, attempt.name, kCode);
}

void LoginThrottle::withdraw(const LoginAttempt& attempt) {
  std::lock_guard lock(mutex_);
  if (!attempt.device.empty()) return takeBack(devices_, attempt.device, kDevice);
  takeBack(pairs_, pairKey(attempt), kPair);
  takeBack(addresses_, attempt.address, kAddress);
  takeBack(names_, attempt.name, kName);
}

void LoginThrottle::takeBack(Entries& entries, std::string_view key, Limit limit) {
  auto entry = entries.find(key);
  if (entry == entries.end()) return;
  if (--entry->second.failures < limit.free) entry->second.notBefore = {};
  if (entry->second.failures <= 0) entries.erase(entry);
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
  if (entries.size() >= kMaxEntries) forgetOld(entries, now);
  Entry& entry = entries[std::string(key)];
  if (now - entry.last > kMemory) entry = Entry{};
  ++entry.failures;
  entry.last = now;
  int beyond = entry.failures - limit.free;
  if (beyond >= 0) entry.notBefore = now + std::min<std::chrono::seconds>(limit.longest, limit.shortest * (1LL << std::min(beyond, 20)));
}

/// Bounds memory under an attack from very many addresses: when no entry has expired, the older half is dropped.
void LoginThrottle::forgetOld(Entries& entries, SteadyTime now) {
  std::erase_if(entries, [&](const auto& item) { return now - item.second.last > kMemory; });
  if (entries.size() < kMaxEntries) return;
  std::vector<SteadyTime> times;
  times.reserve(entries.size());
  for (const auto& [key, entry] : entries) times.push_back(entry.last);
  auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  std::erase_if(entries, [&](const auto& item) { return item.second.last <= *middle; });
}

}  // namespace swarm

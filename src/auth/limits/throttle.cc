// Back-off after failed sign-ins.
#include "auth/limits/throttle.h"

#include <algorithm>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxEntries = 10'000;

std::string pairKey(const LoginAttempt& attempt) { return std::string(attempt.name).append("\n").append(attempt.address); }

}  // namespace

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
const LoginThrottle::Limit LoginThrottle::kDevice{10, seconds(1), seconds(60)};
const LoginThrottle::Limit LoginThrottle::kPair{5, seconds(1), seconds(60)};
const LoginThrottle::Limit LoginThrottle::kAddress{20, seconds(1), seconds(300)};
const LoginThrottle::Limit LoginThrottle::kName{100, seconds(2), seconds(2)};
const LoginThrottle::Limit LoginThrottle::kCode{10, minutes(10), minutes(10), hours(24)};
const LoginThrottle::Limit LoginThrottle::kCodeOfDevice{5, minutes(30), minutes(30), hours(24)};
const LoginThrottle::Limit LoginThrottle::kCodeOfDevices{20, minutes(10), minutes(10), hours(24)};

void LoginThrottle::attempt(const LoginAttempt& attempt) {
  std::lock_guard lock(mutex_);
  if (!attempt.device.empty()) return attemptFromDevice(attempt);
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

void LoginThrottle::attemptFromDevice(const LoginAttempt& attempt) {
  check(attempt.isCode ? codes_of_device_ : devices_, attempt.device);
  if (attempt.isCode) check(codes_of_devices_, attempt.name);
  count(attempt.isCode ? codes_of_device_ : devices_, attempt.device, attempt.isCode ? kCodeOfDevice : kDevice);
  if (attempt.isCode) count(codes_of_devices_, attempt.name, kCodeOfDevices);
}

void LoginThrottle::succeeded(const LoginAttempt& attempt) {
  std::lock_guard lock(mutex_);
  if (!attempt.device.empty()) {
    Entries& entries = attempt.isCode ? codes_of_device_ : devices_;
    if (auto found = entries.find(attempt.device); found != entries.end()) entries.erase(found);
    if (attempt.isCode) takeBack(codes_of_devices_, attempt.name, kCodeOfDevices);
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
  if (now >= entry->second.notBefore) return;
  auto wait = std::chrono::ceil<std::chrono::seconds>(entry->second.notBefore - now);
  throw Error(ErrorCode::TooManyRequests,
              format("Too many failed sign-ins; try again in {} second{}.", wait.count(), wait.count() == 1 ? "" : "s"))
      .withRetryAfter(wait);
}

void LoginThrottle::count(Entries& entries, std::string_view key, Limit limit) {
  SteadyTime now = clock_.steadyNow();
  if (entries.size() >= kMaxEntries) forgetOld(entries, limit.memory, now);
  Entry& entry = entries[std::string(key)];
  if (now - entry.last > limit.memory) entry = Entry{};
  ++entry.failures;
  entry.last = now;
  int beyond = entry.failures - limit.free;
  if (beyond >= 0) entry.notBefore = now + std::min<std::chrono::seconds>(limit.longest, limit.shortest * (1LL << std::min(beyond, 20)));
}

/// Bounds memory under an attack from very many addresses: when no entry has expired, the older half is dropped.
void LoginThrottle::forgetOld(Entries& entries, std::chrono::minutes memory, SteadyTime now) {
  std::erase_if(entries, [&](const auto& item) { return now - item.second.last > memory; });
  if (entries.size() < kMaxEntries) return;
  std::vector<SteadyTime> times;
  times.reserve(entries.size());
  for (const auto& [key, entry] : entries) times.push_back(entry.last);
  auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  std::erase_if(entries, [&](const auto& item) { return item.second.last <= *middle; });
}

}  // namespace swarm

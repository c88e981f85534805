#include "auth/programs/program_sign_ins.h"

#include <algorithm>
#include <cctype>

#include "auth/limits/eviction.h"
#include "base/id.h"
#include "base/text/format.h"
#include "net/ip_address.h"

namespace swarm {
namespace {

/// Without vowels, which could form words, and without letters that look like others.
constexpr std::string_view kCodeLetters = "BCDFGHJKLMNPQRSTVWXZ";
constexpr std::size_t kLettersOfCode = 8;
constexpr std::size_t kMaxWaitingPrograms = 2000;
constexpr std::ptrdiff_t kMaxOfNetwork = 50;
constexpr std::size_t kMaxCounted = 10'000;
constexpr double kWrongBurst = 10, kWrongPerSecond = 1.0 / 60;

/// 20^8: 10 guesses and one more each minute do not find one of 2000 within 10 minutes.
std::string newUserCode() {
  std::string code;
  while (code.size() < kLettersOfCode) {
    const auto byte = static_cast<unsigned char>(randomBytes(1)[0]);
    if (byte < 240) code += kCodeLetters[byte % kCodeLetters.size()];  // 240: the largest multiple
  }
  return code;
}

/// As a person may type it.
std::string lettersOf(std::string_view typed) {
  std::string letters;
  for (const char c : typed.substr(0, 64))
    if (c != '-' && c != ' ') letters += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return letters;
}

void take(std::map<std::string, TokenBucket>& buckets, const std::string& key, double per_second, double burst, SteadyTime now,
          std::string_view refusal) {
  if (buckets.size() >= kMaxCounted) std::erase_if(buckets, [&](const auto& item) { return item.second.isFull(now); });
  if (buckets.size() >= kMaxCounted) buckets.clear();
  TokenBucket& bucket = buckets.try_emplace(key, per_second, burst).first->second;
  if (const auto wait = std::chrono::ceil<std::chrono::seconds>(bucket.waitTime(now)); wait.count() > 0)
    throw Error(ErrorCode::TooManyRequests, std::string(refusal)).withRetryAfter(wait);
  bucket.take(now);
}

}  // namespace

std::string ProgramSignIns::issueCode(const Principal& principal, std::string_view challenge) {
  return codes_.issue(principal, std::string(challenge));
}

std::optional<Principal> ProgramSignIns::takeCode(std::string_view code, std::string_view verifier) {
  return codes_.take(code, toBase64Url(sha256(verifier)));
}

void ProgramSignIns::prune() {
  std::erase_if(entries_, [now = clock_.steadyNow()](const auto& item) { return item.second.expires <= now; });
}

ProgramSignIns::Begun ProgramSignIns::begin(const LoginOrigin& origin) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steadyNow();
  prune();
  const std::string network = net::addressGroup(origin.address);
  makeRoom(network);
  const std::string device_code = toBase64Url(randomBytes(32)), letters = newUserCode();
  entries_[sha256(device_code)] = {
      .userCode = letters, .origin = origin, .address = origin.address, .network = network, .expires = now + kUserCodeLife};
  return {Secret(device_code), letters.substr(0, kLettersOfCode / 2) + "-" + letters.substr(kLettersOfCode / 2)};
}

/// Refuses nothing, so that one client does not lock out its network; what was approved stays.
void ProgramSignIns::makeRoom(const std::string& network) {
  const auto waits = [](const Entry& entry) { return entry.state == State::Waiting; };
  const auto is_near = [&](const Entry& entry) { return waits(entry) && entry.network == network; };
  auto victim = entries_.end();
  if (std::ranges::count_if(entries_, [&](const auto& item) { return is_near(item.second); }) >= kMaxOfNetwork)
    victim = oldestOfBusiest(entries_, is_near);
  else if (entries_.size() >= kMaxWaitingPrograms)
    victim = oldestOfBusiest(entries_, waits);
  if (victim != entries_.end()) entries_.erase(victim);
}

/// Counts a wrong code.
ProgramSignIns::Entry* ProgramSignIns::waiting(std::string_view user_code, const Principal& by) {
  prune();
  const std::string letters = lettersOf(user_code);
  const auto found = std::ranges::find_if(
      entries_, [&](const auto& item) { return item.second.state == State::Waiting && equalConstantTime(item.second.userCode, letters); });
  if (found != entries_.end() && !letters.empty()) {
    // A right code behind too many wrong ones is refused, too: otherwise guessing would go on.
    const auto bucket = wrong_.find(by.user);
    if (bucket == wrong_.end() || bucket->second.waitTime(clock_.steadyNow()).count() == 0) return &found->second;
  }
  take(wrong_, by.user, kWrongPerSecond, kWrongBurst, clock_.steadyNow(), "Too many wrong codes. Try again in a minute.");
  return nullptr;
}

std::optional<LoginOrigin> ProgramSignIns::find(std::string_view user_code, const Principal& by) {
  const std::lock_guard lock(mutex_);
  const Entry* entry = waiting(user_code, by);
  return entry == nullptr ? std::nullopt : std::optional(entry->origin);
}

bool ProgramSignIns::decide(std::string_view user_code, const Principal& by, Decision decision) {
  const std::lock_guard lock(mutex_);
  Entry* entry = waiting(user_code, by);
  if (entry == nullptr) return false;
  entry->state = decision == Decision::Approve ? State::Approved : State::Denied;
  if (decision == Decision::Approve) entry->by = by;
  return true;
}

ProgramSignIns::Polled ProgramSignIns::poll(std::string_view device_code) {
  const std::lock_guard lock(mutex_);
  prune();
  const auto found = entries_.find(sha256(device_code));
  if (found == entries_.end()) throw Error(ErrorCode::Unprocessable, "The code has expired, or was used. Run `swarm login` again.");
  Entry& entry = found->second;
  if (entry.state == State::Waiting) {
    const SteadyTime now = clock_.steadyNow();
    if (now < entry.nextPoll)
      throw Error(ErrorCode::TooManyRequests, "The program polls too often.")
          .withRetryAfter(std::chrono::ceil<std::chrono::milliseconds>(entry.nextPoll - now));
    entry.nextPoll = now + kPollInterval - std::chrono::seconds(1);
    return {State::Waiting};
  }
  Polled result{entry.state, std::move(entry.by)};
  entries_.erase(found);
  return result;
}

}  // namespace swarm

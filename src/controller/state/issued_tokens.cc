// Telling agents of sign-ins that ended.
#include "controller/state/issued_tokens.h"

#include "base/diagnostics/log.h"

namespace swarm::control {
namespace {
constexpr std::chrono::seconds kTellTimeout{5};
constexpr std::chrono::seconds kLookAgain{1};
}  // namespace

void IssuedTokens::note(const std::string& instance_id, const std::string& session, SystemTime expires_at, std::function<bool()> counts) {
  std::erase_if(issued_, [now = core_.clock.now()](const auto& entry) { return entry.second.expiresAt <= now; });
  Issued& issued = issued_[{instance_id, session}];
  issued.expiresAt = std::max(issued.expiresAt, expires_at);
  issued.counts = std::move(counts);
  check();  // it may have ended while the token was being made
}

void IssuedTokens::check() {
  for (auto entry = issued_.begin(); entry != issued_.end();) {
    const auto& [key, issued] = *entry;
    if (issued.counts()) {
      ++entry;
      continue;
    }
    core_.spawn("end a session at " + key.first, tell(key.first, key.second, issued.expiresAt));
    entry = issued_.erase(entry);
  }
}

/// Until the last token has expired: an agent that could not be reached is told later, and one that started again is told again.
awaitable<void> IssuedTokens::tell(std::string instance_id, std::string session, SystemTime until) {
  std::uint64_t told = 0;
  for (EntryPtr entry = core_.find(instance_id); entry && !entry->removed && core_.clock.now() < until;) {
    std::uint64_t epoch = entry->epoch;
    bool takes_sessions = entry->endpoint && entry->endpoint.credential == AgentCredential::PublicKey;
    auto seen = entry->observed.version();
    if (takes_sessions && epoch != told) {
      try {
        co_await agent::endSession(core_.targetOf(*entry), session, Deadline::after(kTellTimeout));
        told = epoch;
      } catch (const Error& error) {
        if (error.code() == ErrorCode::Cancelled) throw;
        log::debug("an agent could not be told that a session ended", {{"instance", instance_id}, {"error", error.message()}});
      }
    }
    co_await entry->observed.wait(seen, Deadline::after(kLookAgain));
  }
}

}  // namespace swarm::control

// Notifies agents of ended sessions.
#include "controller/agents/issued_tokens.h"

#include "base/diagnostics/log.h"
#include "controller/agents/agent_settings.h"

namespace swarm::control {
namespace {
constexpr std::chrono::seconds kNotifyTimeout{5};
constexpr std::chrono::seconds kRetryInterval{1};
}  // namespace

void IssuedTokens::note(const InstanceId& instance_id, const std::string& session, SystemTime expires_at, std::function<bool()> is_valid) {
  std::erase_if(issued_, [now = context_.clock.now()](const auto& entry) { return entry.second.expiresAt <= now; });
  Issued& issued = issued_[{instance_id, session}];
  issued.expiresAt = std::max(issued.expiresAt, expires_at);
  issued.isValid = std::move(is_valid);
  check();  // the session may have ended while the token was issued
}

void IssuedTokens::check() {
  for (auto entry = issued_.begin(); entry != issued_.end();) {
    const auto& [key, issued] = *entry;
    if (issued.isValid()) {
      ++entry;
      continue;
    }
    context_.tasks.spawn("end a session at " + key.first.str(), notify(key.first, key.second, issued.expiresAt));
    entry = issued_.erase(entry);
  }
}

/// Until the last token has expired: retries an unreachable agent, and repeats the notification after each start of the agent.
awaitable<void> IssuedTokens::notify(InstanceId instance_id, std::string session, SystemTime until) {
  std::uint64_t notified = 0;
  for (EntryPtr entry = context_.registry.find(instance_id); entry && !entry->removed && context_.clock.now() < until;) {
    std::uint64_t epoch = entry->epoch;
    bool takes_sessions = entry->endpoint && entry->endpoint.credential == AgentCredential::PublicKey;
    auto seen = entry->observed.version();
    if (takes_sessions && epoch != notified) {
      auto done = co_await attemptUnlessCancelled(agent::endSession(targetOf(*entry), session, Deadline::after(kNotifyTimeout)));
      if (done) notified = epoch;
      if (!done)
        log::debug("agent could not be notified of an ended session", {{"instance", instance_id}, {"error", done.error().message()}});
    }
    co_await entry->observed.wait(seen, Deadline::after(kRetryInterval));
  }
}

}  // namespace swarm::control

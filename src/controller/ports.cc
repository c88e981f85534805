#include "controller/ports.h"

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "protocol/agent.h"

namespace swarm::control {

awaitable<void> Ports::load() {
  co_await context_.store.prunePortRules(context_.clock.now());
  for (const PortRecord& record : co_await context_.store.loadPortRules()) {
    if (record.rule.level == PortLevel::everyone && !context_.options.publicPorts) continue;
    if (const EntryPtr entry = context_.registry.find(record.instanceId)) apply(*entry, record.port, record.rule);
  }
  context_.routes.publish();
}

void Ports::requireValid(const Entry& entry, std::uint16_t port, const PortRule& rule) const {
  const SystemTime now = context_.clock.now();
  if (port == 0 || port == agent::kPort)
    throw Error(ErrorCode::InvalidArgument, format("Port {} cannot be opened: it is the agent's.", port)).withField("/port", "is not open");
  if (rule.level == PortLevel::everyone) {
    if (!context_.options.publicPorts)
      throw Error(ErrorCode::PermissionDenied, "This server does not allow public ports (publicPorts of [access] in its configuration).");
    if (!rule.expiresAt)
      throw Error(ErrorCode::InvalidArgument, "A public port needs an end.").withField("/expiresAt", "is required for public");
    if (*rule.expiresAt > now + kMaxPublicLife)
      throw Error(ErrorCode::InvalidArgument, "A port is public for 90 days at most.").withField("/expiresAt", "is too far ahead");
  }
  if (rule.expiresAt && *rule.expiresAt <= now)
    throw Error(ErrorCode::InvalidArgument, "The time has passed already.").withField("/expiresAt", "must be in the future");
  const bool is_new = rule.level != PortLevel::owner && (!entry.ports || !entry.ports->contains(port));
  if (is_new && entry.ports && entry.ports->size() >= kMaxPortRules)
    throw Error(ErrorCode::Conflict,
                format("{} ports of the workspace are open to others already, the maximum. Close one first.", kMaxPortRules));
}

awaitable<void> Ports::set(EntryPtr entry, std::uint16_t port, PortRule rule) {
  const auto turn = co_await turns_.acquire(Deadline::after(std::chrono::seconds(10)));
  requireValid(*entry, port, rule);
  if (rule.level == PortLevel::owner) rule.expiresAt.reset();
  const std::string owner = entry->instance().owner;
  co_await context_.store.putPortRule({entry->id(), port, rule}, owner);
  // The end of a hand-over or a deletion has removed the row again.
  if (entry->removed || entry->instance().owner != owner)
    throw Error(ErrorCode::Conflict, "The workspace was deleted or handed over in the meantime.");
  apply(*entry, port, rule);
  context_.routes.publish();  // the response means that the gateway has it
  log::info("level of a port changed", {{"instance", entry->id().str()}, {"port", std::to_string(port)}, {"level", enumName(rule.level)}});
}

void Ports::apply(Entry& entry, std::uint16_t port, const PortRule& rule) {
  PortRules rules = entry.ports ? *entry.ports : PortRules();
  if (rule.level == PortLevel::owner)
    rules.erase(port);
  else
    rules[port] = rule;
  if (rule.expiresAt) next_expiry_ = std::min(next_expiry_, *rule.expiresAt);
  entry.ports = rules.empty() ? nullptr : std::make_shared<const PortRules>(std::move(rules));
  context_.routes.changed(entry);
}

awaitable<void> Ports::endExpired() {
  const SystemTime now = context_.clock.now();
  if (now < next_expiry_) co_return;
  next_expiry_ = SystemTime::max();
  for (const auto& [id, entry] : context_.registry.instances()) {
    const std::shared_ptr<const PortRules> rules = entry->ports;
    if (!rules) continue;
    for (const auto& [port, rule] : *rules) {
      if (!rule.expiresAt) continue;
      if (*rule.expiresAt > now) {
        next_expiry_ = std::min(next_expiry_, *rule.expiresAt);
        continue;
      }
      apply(*entry, port, {});
      log::info("level of a port expired", {{"instance", id.str()}, {"port", std::to_string(port)}});
    }
  }
  context_.routes.publish();
  co_await context_.store.prunePortRules(now);
}

}  // namespace swarm::control

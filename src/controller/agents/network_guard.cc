#include "controller/agents/network_guard.h"

#include "base/diagnostics/log.h"
#include "base/text/format.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kStopGrace{1};
constexpr std::chrono::seconds kSetTimeout{30};

}  // namespace

EgressControl* egressControlOf(const Context& context, const Entry& entry) {
  EgressControl* control = context.providers.of(entry).egress();
  const bool is_limited = control && control->policyFor(entry.record.instance.config.network) != EgressPolicy::open;
  return is_limited ? control : nullptr;
}

awaitable<void> NetworkGuard::set(Deadline deadline) {
  if (stands() || entry_->updating) co_return;
  const NetworkConfig network = entry_->instance().config.network;
  const auto found = co_await control_->setRules(entry_->placeId(), network, deadline.orAfter(kSetTimeout));
  std::optional<EgressReport>& report = entry_->instance().network.egress;
  if (found != EgressRules::Stood || !report) report = EgressReport{control_->policyFor(network), 0};
  had_none_ = had_none_ || found == EgressRules::New;
  stands_ = true;
}

awaitable<bool> NetworkGuard::admits(agent::AgentHealth health, Deadline deadline) {
  if (control_ == nullptr) co_return true;
  if (health.boot != boot_) {
    stands_ = false;
    co_await set(deadline);
    if (!stands_) co_return true;
    boot_ = health.boot;
  }
  co_return !std::exchange(had_none_, false) || !health.held.empty();
}

awaitable<std::string> NetworkGuard::stop(std::string why, Deadline deadline) {
  std::string reason = format("The workspace was stopped, because its egress policy could not be enforced: {}", why);
  log::warning("instance was stopped: its egress policy could not be enforced", {{"instance", entry_->id()}, {"reason", why}});
  const bool is_operating = !entry_->instance().operationId.empty();  // then the operation reports that
  if (!is_operating) {
    context_.routes.breakConnections(*entry_);
    context_.changes.setStatus(*entry_, InstanceStatus::failed, reason);
    context_.tasks.spawn("save " + entry_->id().str(), context_.store.updateInstance(entry_->record));
  }
  NoProgress progress;
  co_await context_.providers.of(*entry_).stopInstance(entry_->placeId(), kStopGrace, progress, deadline.orAfter(kSetTimeout));
  co_return reason;
}

}  // namespace swarm::control

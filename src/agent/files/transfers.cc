// Admits sessions of moves, one per role at a time.
#include "agent/files/transfers.h"

#include "agent/server/responses.h"
#include "async/deadline.h"
#include "base/text/format.h"
#include "protocol/agent.h"

namespace swarm::agent {
namespace {

/// "transfer=op-1"; empty for anything else.
std::string transferOf(std::string_view query) {
  constexpr std::string_view name = "transfer=";
  return query.starts_with(name) ? std::string(query.substr(name.size())) : std::string();
}

}  // namespace

std::uint64_t Transfers::supersede(SessionSlot& slot) {
  slot.superseded.notifyAll();
  return ++slot.ticket;
}

awaitable<void> Transfers::untilSuperseded(SessionSlot& slot, std::uint64_t ticket) {
  while (slot.ticket == ticket) co_await slot.superseded.wait(slot.superseded.version(), Deadline::never());
}

awaitable<void> Transfers::vacate(SessionSlot& slot) {
  supersede(slot);
  co_await slot.free.acquire(Deadline::never());
}

awaitable<void> Transfers::endReceiving() { return vacate(receiving_); }

awaitable<void> Transfers::endAll() { return async::both(vacate(sending_), vacate(receiving_)); }

std::optional<std::string> Transfers::objection(transfer::Role role, std::string_view transfer) const {
  if (role == transfer::Role::Source || hold_.transfer() == transfer) return std::nullopt;
  if (hold_.transfer().empty()) return "This workspace is not held: its processes would write into the files that arrive.";
  return format("This workspace is held for another transfer, {}.", hold_.transfer());
}

awaitable<void> Transfers::handle(transfer::Role role, net::Exchange& exchange) {
  if (!net::equalsIgnoreCase(exchange.head().upgrade, kTunnelProtocol)) {
    co_return co_await respondReason(exchange, 426, format("This path needs \"Upgrade: {}\".", kTunnelProtocol));
  }
  std::string transfer = transferOf(exchange.head().query());
  if (transfer.empty()) co_return co_await respondReason(exchange, 400, "The query must contain the transfer: \"transfer=ID\".");
  if (refusal_) co_return co_await respondReason(exchange, 503, *refusal_);
  auto problem = objection(role, transfer);
  if (problem) co_return co_await respondReason(exchange, 409, *problem);

  SessionSlot& slot = slotOf(role);
  auto ticket = supersede(slot);
  const auto permit = co_await slot.free.acquire(Deadline::never());
  problem = slot.ticket == ticket ? objection(role, transfer) : std::optional<std::string>("A newer session has superseded it.");
  if (problem) co_return co_await respondReason(exchange, 409, *problem);
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", std::string(kTunnelProtocol)}};
  auto stream = co_await exchange.upgrade(std::move(headers));
  transfer::SessionOptions options;
  options.role = role;
  options.hashes = &hashes_;
  options.root = root_;
  co_await async::race(transfer::runSession(std::move(stream), std::move(options)), untilSuperseded(slot, ticket));
}

}  // namespace swarm::agent

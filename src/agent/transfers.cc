// Admits sessions of moves, one per role at a time.
#include "agent/transfers.h"

#include "agent/answers.h"
#include "base/format.h"
#include "net/deadline.h"
#include "protocol/agent.h"

namespace swarm::agent {
namespace {

/// "transfer=op-1"; empty for anything else.
std::string transferOf(std::string_view query) {
  constexpr std::string_view name = "transfer=";
  return query.starts_with(name) ? std::string(query.substr(name.size())) : std::string();
}

}  // namespace

/// Holds the slot for the session's lifetime.
class Transfers::Sitting {
 public:
  explicit Sitting(Seat& seat) : seat_(seat) { seat_.taken = true; }
  ~Sitting() {
    seat_.taken = false;
    seat_.changed.notifyAll();
  }
  Sitting(const Sitting&) = delete;
  Sitting& operator=(const Sitting&) = delete;

  /// Until a newer session supersedes it.
  static awaitable<void> untilSuperseded(Seat& seat, std::uint64_t turn) {
    while (seat.turn == turn) co_await seat.changed.wait(seat.changed.version(), Deadline::never());
  }

 private:
  Seat& seat_;
};

std::uint64_t Transfers::callNext(Seat& seat) {
  seat.changed.notifyAll();
  return ++seat.turn;
}

awaitable<void> Transfers::vacate(Seat& seat) {
  callNext(seat);
  while (seat.taken) co_await seat.changed.wait(seat.changed.version(), Deadline::never());
}

awaitable<void> Transfers::endReceiving() { return vacate(receiving_); }

awaitable<void> Transfers::endAll() { return net::both(vacate(sending_), vacate(receiving_)); }

std::optional<std::string> Transfers::objection(transfer::Role role, std::string_view transfer) const {
  if (role == transfer::Role::Source || hold_.transfer() == transfer) return std::nullopt;
  if (hold_.transfer().empty()) return "This instance is not held: its processes would write into the files that arrive.";
  return format("This instance is held for another transfer, {}.", hold_.transfer());
}

awaitable<void> Transfers::handle(transfer::Role role, net::Exchange& exchange) {
  if (!net::equalsIgnoreCase(exchange.head().upgrade, kTunnelProtocol)) {
    co_return co_await answerReason(exchange, 426, format("This path needs \"Upgrade: {}\".", kTunnelProtocol));
  }
  std::string transfer = transferOf(exchange.head().query());
  if (transfer.empty()) co_return co_await answerReason(exchange, 400, "The query must contain the transfer: \"transfer=ID\".");
  if (refusal_) co_return co_await answerReason(exchange, 503, *refusal_);
  auto problem = objection(role, transfer);
  if (problem) co_return co_await answerReason(exchange, 409, *problem);

  Seat& seat = seatOf(role);
  auto turn = callNext(seat);
  while (seat.taken && seat.turn == turn) co_await seat.changed.wait(seat.changed.version(), Deadline::never());
  problem = seat.turn == turn ? objection(role, transfer) : std::optional<std::string>("A newer session has superseded it.");
  if (problem) co_return co_await answerReason(exchange, 409, *problem);
  Sitting sitting(seat);
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", std::string(kTunnelProtocol)}};
  auto stream = co_await exchange.upgrade(std::move(headers));
  transfer::SessionOptions options;
  options.role = role;
  options.hashes = &hashes_;
  options.root = root_;
  co_await net::race(transfer::runSession(std::move(stream), std::move(options)), Sitting::untilSuperseded(seat, turn));
}

}  // namespace swarm::agent

// A decorated provider whose agents' streams misbehave, and MoveAgents that say everything twice.
#include "chaos/kill/trouble.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <random>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "chaos/kill/forwarding_provider.h"
#include "net/stream/forwarding_stream.h"
#include "transfer/rounds/session.h"

namespace swarm::test {
namespace {

using std::chrono::milliseconds;
namespace asio = boost::asio;

/// What may happen to one connection.
struct Fate {
  std::uint64_t cutAt = UINT64_MAX;    ///< bytes, both directions together
  std::uint64_t stallAt = UINT64_MAX;  ///< once
  milliseconds stall{0};
  std::size_t slice = SIZE_MAX;
  milliseconds delay{0};  ///< before each slice that is read
  double lateShare = 0;   ///< of the slices: those come `late` later
  milliseconds late{0};
};

class Fates {
 public:
  Fates(std::string kind, unsigned seed) : kind_(std::move(kind)), random_(seed) {}
  Fate next() {
    std::lock_guard lock(mutex_);
    Fate fate;
    auto bytes = [this](double mean) { return static_cast<std::uint64_t>(std::exponential_distribution<double>(1 / mean)(random_)); };
    // What is cut again and again before it has brought anything forward may give up: every cut leaves more room than the one before.
    if (kind_ == "cuts") fate.cutAt = 200 + bytes(300e3 * (1 + cuts_++));
    if (kind_ == "stalls") fate = Fate{.stallAt = 200 + bytes(4e6), .stall = milliseconds(400 + bytes(900))};
    if (kind_ == "crawl") fate = Fate{.slice = 32 * 1024, .delay = milliseconds(1), .lateShare = 0.1, .late = milliseconds(12)};
    return fate;
  }
  bool happens(double share) {
    std::lock_guard lock(mutex_);
    return std::bernoulli_distribution(share)(random_);
  }

 private:
  std::string kind_;
  std::mutex mutex_;
  std::mt19937 random_;
  int cuts_ = 0;
};

class TroubledStream final : public net::ForwardingStream {
 public:
  TroubledStream(net::StreamPtr inner, std::shared_ptr<Fates> fates)
      : ForwardingStream(std::move(inner)), fates_(std::move(fates)), fate_(fates_->next()) {}

  awaitable<net::IoResult> readSome(asio::mutable_buffer buffer) override {
    std::size_t most = std::min(fate_.slice, buffer.size());
    net::IoResult got = co_await inner_->readSome(asio::buffer(buffer.data(), most));
    if (fate_.delay.count() > 0) co_await async::sleepFor(fates_->happens(fate_.lateShare) ? fate_.late : fate_.delay);
    co_await count(got.bytes);
    co_return got;
  }
  awaitable<net::IoResult> writeAll(std::span<const asio::const_buffer> buffers) override {
    net::IoResult written = co_await inner_->writeAll(buffers);
    co_await count(written.bytes);
    co_return written;
  }

 private:
  awaitable<void> count(std::size_t bytes) {
    passed_ += bytes;
    if (passed_ >= fate_.cutAt) inner_->close();
    if (passed_ < fate_.stallAt) co_return;
    fate_.stallAt = UINT64_MAX;
    co_await async::sleepFor(fate_.stall);
  }

  std::shared_ptr<Fates> fates_;
  Fate fate_;
  std::uint64_t passed_ = 0;
};

class TroubledProvider final : public ForwardingProvider {
 public:
  TroubledProvider(ProviderPtr inner, std::shared_ptr<Fates> fates) : ForwardingProvider(std::move(inner)), fates_(std::move(fates)) {}
  awaitable<AgentEndpoint> agentEndpoint(PlaceId place, Deadline deadline) override {
    AgentEndpoint endpoint = co_await ForwardingProvider::agentEndpoint(std::move(place), deadline);
    endpoint.connect = [connect = endpoint.connect, fates = fates_](Deadline by) { return troubled(connect, fates, by); };
    co_return endpoint;
  }

 private:
  static awaitable<net::StreamPtr> troubled(net::Connector connect, std::shared_ptr<Fates> fates, Deadline deadline) {
    net::StreamPtr stream = co_await connect(deadline);
    co_return std::make_unique<TroubledStream>(std::move(stream), std::move(fates));
  }

  std::shared_ptr<Fates> fates_;
};

class RepeatingMoveAgents final : public MoveAgents {
 public:
  awaitable<std::string> hold(agent::AgentTarget target, std::string transfer, std::string reason, Deadline deadline) override {
    asio::co_spawn(co_await asio::this_coro::executor, holdToo(inner_, target, transfer, reason, deadline), asio::detached);
    co_return co_await inner_->hold(target, transfer, reason, deadline);
  }
  awaitable<void> release(agent::AgentTarget target, std::string boot, Deadline deadline) override {
    asio::co_spawn(co_await asio::this_coro::executor, releaseToo(inner_, target, boot, deadline), asio::detached);
    co_await inner_->release(target, boot, deadline);
  }
  awaitable<void> freeze(agent::AgentTarget target, std::string transfer, Deadline deadline) override {
    return inner_->freeze(std::move(target), std::move(transfer), deadline);
  }
  awaitable<void> thaw(agent::AgentTarget target, Deadline deadline) override { return inner_->thaw(std::move(target), deadline); }
  awaitable<std::unique_ptr<transfer::Link>> connect(std::optional<agent::AgentTarget> source, std::optional<agent::AgentTarget> target,
                                                     std::string transfer, transfer::Scope scope, transfer::LinkOptions options,
                                                     Deadline deadline) override {
    auto early = co_await inner_->connect(source, target, transfer, scope, options, deadline);
    auto link = co_await inner_->connect(source, target, transfer, scope, options, deadline);  // takes the place of the one before
    if (late_-- > 0)
      asio::co_spawn(co_await asio::this_coro::executor, openLate(inner_, source, target, transfer, scope, options), asio::detached);
    co_return link;
  }

 private:
  static awaitable<void> holdToo(std::shared_ptr<MoveAgents> inner, agent::AgentTarget target, std::string transfer, std::string reason,
                                 Deadline deadline) {
    co_await inner->hold(target, transfer, reason, deadline);
  }
  static awaitable<void> releaseToo(std::shared_ptr<MoveAgents> inner, agent::AgentTarget target, std::string boot, Deadline deadline) {
    co_await inner->release(target, boot, deadline);
  }
  /// As an open that was on its way for long: it ends the session that is in use.
  static awaitable<void> openLate(std::shared_ptr<MoveAgents> inner, std::optional<agent::AgentTarget> source,
                                  std::optional<agent::AgentTarget> target, std::string transfer, transfer::Scope scope,
                                  transfer::LinkOptions options) {
    co_await async::sleepFor(milliseconds(150));
    auto late = co_await inner->connect(source, target, transfer, scope, options, Deadline::after(std::chrono::seconds(5)));
    log::info("an old session's open has arrived late", {{"transfer", transfer}});
  }

  std::shared_ptr<MoveAgents> inner_ = makeMoveAgents();
  int late_ = 4;
};

}  // namespace

ProviderPtr withTrouble(ProviderPtr provider, const std::string& kind, unsigned seed) {
  return std::make_unique<TroubledProvider>(std::move(provider), std::make_shared<Fates>(kind, seed));
}

std::shared_ptr<MoveAgents> repeatingMoveAgents() { return std::make_shared<RepeatingMoveAgents>(); }

}  // namespace swarm::test

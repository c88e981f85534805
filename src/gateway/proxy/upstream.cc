// Connections through agents, idle connections per host, and the list of open exchanges.
#include "gateway/proxy/upstream.h"

#include <algorithm>

#include "agent/client/client.h"

namespace swarm::gateway {
namespace {

class AgentConnector final : public UpstreamConnector {
 public:
  async::awaitable<net::StreamPtr> connect(std::shared_ptr<const InstanceRoute> route, std::uint16_t port, Deadline deadline) override {
    if (!route->agent.endpoint) throw Error(ErrorCode::Unavailable, "The workspace is not running.");
    if (port == 0) co_return co_await agent::openVscodeTunnel(route->agent, deadline);
    co_return co_await agent::openPortTunnel(route->agent, port, deadline);
  }
};

}  // namespace

std::unique_ptr<UpstreamConnector> makeAgentConnector() { return std::make_unique<AgentConnector>(); }

std::unique_ptr<UpstreamConnection> Target::takeIdle(SteadyTime now, std::chrono::milliseconds max_idle,
                                                     std::chrono::milliseconds trusted) {
  while (!idle_.empty() && now - idle_.back()->idleSince <= max_idle) {
    const bool expired = now - idle_.back()->idleSince > idle_.back()->maxIdle;
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    idle_count_->fetch_sub(1, std::memory_order_relaxed);
    if (expired) continue;
    connection->reused = true;
    if ((now - connection->idleSince < trusted) || connection->stream->isIdle()) return connection;
  }
  return nullptr;
}

void Target::putIdle(std::unique_ptr<UpstreamConnection> connection, SteadyTime now, std::size_t limit, std::size_t total) {
  if (idle_.size() >= limit || idle_count_->load(std::memory_order_relaxed) >= total) return;
  connection->idleSince = now;
  idle_.push_back(std::move(connection));
  idle_count_->fetch_add(1, std::memory_order_relaxed);
}

void Target::dropIdleBefore(SteadyTime time) {
  // Ordered by time, oldest first.
  const auto fresh = std::find_if(idle_.begin(), idle_.end(), [&](const auto& connection) { return connection->idleSince >= time; });
  idle_count_->fetch_sub(static_cast<std::size_t>(fresh - idle_.begin()), std::memory_order_relaxed);
  idle_.erase(idle_.begin(), fresh);
}

void Target::clearIdle() {
  idle_count_->fetch_sub(idle_.size(), std::memory_order_relaxed);
  idle_.clear();
}

void LiveExchange::unlink() {
  if (link == nullptr) return;
  *link = next;
  if (next != nullptr) next->link = link;
  link = nullptr;
  next = nullptr;
  count->fetch_sub(1, std::memory_order_relaxed);
}

void LiveExchange::cutNow(Cut why) {
  cut = why;
  if (why == Cut::ClientLeft) {
    // A plain close could mean the end of one direction: an application that only writes would not notice it.
    if (upstream != nullptr) upstream->abort();
    if (tunnelClient != nullptr) tunnelClient->abort();
    return;
  }
  if (upstream != nullptr) upstream->close();
  if (tunnelClient != nullptr) tunnelClient->close();
}

bool LiveExchange::clientHasLeft(SteadyTime now, std::chrono::milliseconds patience) {
  net::Stream& client = tunnelClient != nullptr ? *tunnelClient : exchange->stream();
  const bool is_browser = tunnelClient == nullptr && exchange->head().headers.has("Sec-Fetch-Mode");
  return departure.hasLeft(client, now, is_browser ? std::chrono::milliseconds(0) : patience);
}

void LiveList::add(LiveExchange& live) {
  live.next = first_;
  live.link = &first_;
  if (first_ != nullptr) first_->link = &live.next;
  first_ = &live;
  live.count = &count_;
  count_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace swarm::gateway

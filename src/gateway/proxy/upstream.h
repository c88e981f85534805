// Upstream side of the gateway: streams to an instance, kept-alive connections and verified cookies of each host, open exchanges.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/awaitable.h"
#include "auth/auth.h"
#include "controller/state/routes.h"
#include "net/http/http_server.h"
#include "net/stream/departure.h"
#include "net/stream/stream.h"

namespace swarm::gateway {

/// Opens HTTP streams to an instance: the agent's tunnels in production, plain TCP in tests and benchmarks.
class UpstreamConnector {
 public:
  virtual ~UpstreamConnector() = default;
  /// `port` 0: VS Code. Throws Error(Unavailable|DeadlineExceeded|UpstreamFailed) with a reason for users.
  virtual async::awaitable<net::StreamPtr> connect(std::shared_ptr<const InstanceRoute> route, std::uint16_t port, Deadline deadline) = 0;
};

/// Through each route's agent.
std::unique_ptr<UpstreamConnector> makeAgentConnector();

/// A cookie with a verified signature; `valid` becomes false when its session ends.
struct VerifiedCookie {
  Principal principal;
  std::string audience;
  bool valid = true;
  SteadyTime recordedUntil{};  ///< entries with it need no record in the audit log before this time
};

struct UpstreamConnection {
  /// Most responses of VS Code fit into it with their heads: one read, one write.
  static constexpr std::size_t kBufferBytes = 32 * 1024;

  net::StreamPtr stream;
  net::ReadBuffer buffer{kBufferBytes};
  SteadyTime idleSince{};
  std::chrono::milliseconds maxIdle = std::chrono::hours(1);  ///< the application's keep-alive timeout, if it sent one
  bool reused = false;
};

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// One host of an instance: its VS Code, or one port.
struct Target {
  std::string label;                           ///< "8080.ws"
  std::uint16_t port = 0;                      ///< 0: VS Code
  std::string audience;                        ///< of its cookies and codes: the instance's id, and the port where there is one
  std::shared_ptr<const InstanceRoute> route;  ///< never null
  bool known = false;                          ///< in the table, which requires a request with a valid cookie
  SteadyTime lastUsed{};
  SteadyTime useReported{};
  std::unordered_map<std::string, std::shared_ptr<VerifiedCookie>, StringHash, std::equal_to<>> cookies;
  std::shared_ptr<VerifiedCookie> visitor;  ///< stands for the cookie of those who have none, at a public port; null: none came

  explicit Target(std::shared_ptr<std::atomic<std::size_t>> idle_count) : idle_count_(std::move(idle_count)) {}
  ~Target() { clearIdle(); }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  /// Takes the most recently used connection that was idle for at most `max_idle`. One that was idle for longer than `trusted` is first
  /// checked for being open.
  std::unique_ptr<UpstreamConnection> takeIdle(SteadyTime now, std::chrono::milliseconds max_idle, std::chrono::milliseconds trusted);
  /// `limit`: of this host; `total`: of all.
  void putIdle(std::unique_ptr<UpstreamConnection> connection, SteadyTime now, std::size_t limit, std::size_t total);
  void dropIdleBefore(SteadyTime time);
  void clearIdle();
  bool hasIdle() const { return !idle_.empty(); }

 private:
  std::vector<std::unique_ptr<UpstreamConnection>> idle_;  // the most recently used last
  std::shared_ptr<std::atomic<std::size_t>> idle_count_;   // of all targets; other threads read it
};

/// One open exchange or tunnel, which is cut when its route or session ends, or when its client leaves. Stored in its coroutine's frame,
/// and linked into the list of its gateway.
struct LiveExchange {
  enum class Cut { No, RouteChanged, SignedOut, ClientLeft };

  LiveExchange() = default;
  ~LiveExchange() { unlink(); }
  LiveExchange(const LiveExchange&) = delete;
  LiveExchange& operator=(const LiveExchange&) = delete;
  void unlink();
  void cutNow(Cut why);
  /// Whether the client will not read a response any more. Browsers never end their own direction and then wait for a response.
  bool clientHasLeft(SteadyTime now, std::chrono::milliseconds patience);

  std::shared_ptr<Target> target;
  std::shared_ptr<VerifiedCookie> cookie;
  std::uint64_t epoch = 0;
  net::Exchange* exchange = nullptr;
  net::Stream* upstream = nullptr;      ///< null: not connected
  net::Stream* tunnelClient = nullptr;  ///< after an upgrade: closed too
  Cut cut = Cut::No;
  net::DepartureCheck departure;

  LiveExchange* next = nullptr;
  LiveExchange** link = nullptr;  ///< the pointer to this entry
  std::atomic<std::size_t>* count = nullptr;
};

class LiveList {
 public:
  void add(LiveExchange& live);
  std::size_t size() const { return count_.load(std::memory_order_relaxed); }  ///< on any thread
  bool empty() const { return first_ == nullptr; }
  /// Cuts those for which `decide(live)` returns a reason.
  template <typename Decide>
  void cutWhere(Decide&& decide) {
    for (LiveExchange* live = first_; live != nullptr;) {
      LiveExchange* next = live->next;
      if (const auto why = decide(*live); why != LiveExchange::Cut::No && live->cut == LiveExchange::Cut::No) live->cutNow(why);
      live = next;
    }
  }

 private:
  LiveExchange* first_ = nullptr;
  std::atomic<std::size_t> count_{0};
};

}  // namespace swarm::gateway

// Proxy: forwards one exchange to its target and the response back. Data plane: error codes, reused buffers, back pressure in both
// directions.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "base/clock.h"
#include "gateway/proxy/rewrite.h"
#include "gateway/proxy/upstream.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

/// How forwarding ended. Except for Answered, nothing was sent to the client, and the caller responds.
enum class ForwardOutcome { Responded, ConnectFailed, UpstreamBroke, BadResponse, RouteChanged, SignedOut };
struct ForwardResult {
  ForwardOutcome outcome = ForwardOutcome::Responded;
  std::string reason;  ///< for users; empty when answered
};

struct ProxyLimits {
  std::size_t maxIdlePerHost;
  std::size_t maxIdle;
  std::chrono::milliseconds idleTimeout;
  std::chrono::milliseconds connectTimeout;
};

/// Written on the loop, read on any thread.
struct ProxyCounters {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> tunnels{0};
  std::atomic<std::uint64_t> retries{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::size_t> spareBuffers{0};
};

class Proxy {
 public:
  Proxy(ProxyLimits limits, const Clock& clock, UpstreamConnector& connector, LiveList& live);
  ~Proxy();

  /// `facts` must live as long as the call.
  async::awaitable<ForwardResult> forward(net::Exchange& exchange, std::shared_ptr<Target> target, std::shared_ptr<VerifiedCookie> cookie,
                                          const ForwardFacts& facts);
  const ProxyCounters& counters() const { return counters_; }
  /// Frees the buffers that are reserved for the next exchanges.
  void dropSpare();

 private:
  struct Scratch;
  struct Lease;
  struct Transfer;
  /// Final: the head of the final response. NothingCame: the connection ended before its first byte.
  enum class HeadResult { Final, Upgraded, NothingCame, Broken, Bad };

  async::awaitable<ForwardResult> run(Transfer& transfer);
  async::awaitable<bool> takeSmallBody(Transfer& transfer);
  async::awaitable<bool> connect(Transfer& transfer);
  async::awaitable<HeadResult> readFinalHead(Transfer& transfer);
  static bool parseHead(Transfer& transfer, std::string_view bytes);
  static HeadResult noHead(Transfer& transfer, net::error_code error);
  async::awaitable<ForwardResult> relay(Transfer& transfer);
  async::awaitable<bool> relayBody(Transfer& transfer, const ClientResponse& plan);
  async::awaitable<ForwardResult> tunnel(Transfer& transfer);
  ForwardResult fail(Transfer& transfer, ForwardOutcome outcome, std::string reason);

  ProxyLimits limits_;
  const Clock& clock_;
  UpstreamConnector& connector_;
  LiveList& live_;
  ProxyCounters counters_;
  std::vector<std::unique_ptr<Scratch>> spare_;
};

}  // namespace swarm::gateway

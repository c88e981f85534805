// FlyService: an emulated Fly on a loop of its own (memory backend, no delays, Fly's rate limits), so that its CPU time is separate from
// ours.
#pragma once

#include <time.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>

#include "async/loop.h"
#include "emulator/edge/edge_proxy.h"
#include "emulator/emulator.h"
#include "net/http/http_server.h"
#include "provider/flyio/flyio_config.h"

namespace swarm::bench {

inline double threadCpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

/// Milliseconds of wall time and of this thread's CPU since it was made.
struct Stopwatch {
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  double cpuBegin = threadCpu();
  double wall() const { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count(); }
  double cpu() const { return threadCpu() - cpuBegin; }
};

class FlyService {
 public:
  FlyService();
  ~FlyService();
  FlyIOProviderConfig providerConfig() const;
  const Clock& clock() const { return clock_; }
  /// From now on every response of the API comes so much later.
  void setLatency(std::chrono::milliseconds latency);

 private:
  boost::asio::awaitable<void> serve(std::promise<void>& ready);
  RealClock clock_;
  async::Loop loop_{"fly"};
  emulator::Emulator emulator_;
  emulator::EdgeProxy edge_;
  std::unique_ptr<net::HttpServer> api_server_, edge_server_;
};

/// Prints the figure, and gives whether it is within its bound.
bool report(const std::string& what, double value, const char* unit, double most);

/// A restart of the server with `machines` instances: time until all are confirmed and reachable again, without and with `latency` at
/// the API. Within its bounds?
bool benchReconcile(int machines, std::chrono::milliseconds latency);

}  // namespace swarm::bench

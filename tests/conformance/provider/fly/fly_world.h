// FlyWorld: an emulated Fly for one test: API and edge behind real listeners, strict about what Fly's own document allows.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "conformance/provider/coroutine_runner.h"
#include "emulator/edge/edge_proxy.h"
#include "emulator/emulator.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "provider/flyio/flyio_config.h"
#include "provider/flyio/tuning.h"

namespace swarm::testing {

using MakeBackend = std::function<emulator::BackendPtr(async::Executor, const Clock&)>;

enum class Transport { Plain, Tls };

/// No rate limits and no delays unless the options say so. Everything in it is destroyed with it.
class FlyWorld {
 public:
  FlyWorld(CoroutineRunner& runner, const MakeBackend& make_backend, emulator::EmulatorOptions options = {},
           Transport transport = Transport::Plain);
  ~FlyWorld();

  std::string apiUrl() const;
  std::filesystem::path caFile() const;  ///< of the authority behind both; empty: plain
  /// A provider's configuration for it, and times for tests.
  FlyIOProviderConfig providerConfig() const;
  static flyio::Tuning quickTuning();

  /// A raw request, as another client would make it; the response's JSON, null when it is not JSON.
  boost::json::value send(std::string method, std::string target, std::optional<boost::json::value> body = {});
  void fault(std::string_view description);  ///< JSON as POST /emulator/faults takes it
  void clearFaults();
  boost::json::value state() { return send("GET", "/emulator/state"); }
  std::int64_t count(std::string_view what);  ///< "apps", "machines", "volumes", "ips", "leases"
  std::vector<std::string> leftovers();       ///< "2 apps": what is not zero
  boost::json::array machines();              ///< of the whole organization, from its list

  std::int64_t arrived() const { return arrived_; }  ///< requests that the API has begun to answer

  const Clock& clock() const { return clock_; }

  /// The listeners go away and come back: what a client sees of an API that is down.
  void goAway();
  void comeBack();

 private:
  struct Server;
  void serve(std::uint16_t api_port, std::uint16_t edge_port);
  boost::asio::awaitable<void> destroyAll();

  /// Certificates of both listeners, and their authority.
  struct Certificates;
  CoroutineRunner& runner_;
  std::unique_ptr<Certificates> certificates_;  ///< null: plain
  RealClock clock_;
  emulator::Emulator emulator_;
  emulator::EdgeProxy edge_;
  std::unique_ptr<Server> api_server_, edge_server_;
  std::int64_t arrived_ = 0;
  std::uint16_t api_port_ = 0, edge_port_ = 0;
  std::unique_ptr<net::HttpClient> client_;
};

}  // namespace swarm::testing

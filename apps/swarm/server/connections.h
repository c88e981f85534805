// Connections: the addresses and the certificate of the server, and the loops that accept and handle connections there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.h"
#include "async/loop.h"
#include "base/diagnostics/metrics.h"
#include "config.h"
#include "gateway/gateway.h"
#include "net/descriptors.h"
#include "net/tls/server_certificate.h"
#include "server/worker.h"

namespace swarm {

class Connections {
 public:
  /// Loads the certificate, and binds the addresses of `config`: connections wait there until serve(). Throws Error: an address is in use,
  /// the certificate cannot be used, or passwords would be sent over plain HTTP. `descriptor_limit`: of the process.
  Connections(const ServerConfig& config, std::size_t descriptor_limit, Metrics& metrics, const Clock& clock);

  const PublicAddress& address() const { return address_; }
  const std::string& listen() const { return listen_; }  ///< with the port, also where the system chose it

  /// Addresses and limits; the caller adds the parts.
  GatewayOptions gatewayOptions() const;
  void serve(const GatewayOptions& options, SwarmController& controller, Auth& auth, Api& api);
  void stop();

  /// Once in some seconds, on the thread that made it, like reloadCertificate().
  void refreshCertificate();
  void reloadCertificate();

 private:
  void loadCertificate();
  void bind();
  void refusePlainHttp(const std::string& host) const;
  net::HttpServerOptions serverOptions() const;
  net::HttpServerOptions redirectOptions() const;
  void countConnections();

  const ServerConfig& config_;
  net::DescriptorPlan plan_;
  Metrics& metrics_;
  const Clock& clock_;
  PublicAddress address_;
  std::string listen_;
  std::vector<std::unique_ptr<async::Loop>> loops_;
  std::optional<net::ServerCertificate> certificate_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;  ///< one of each loop
  std::unique_ptr<net::Listener> redirect_;                ///< of the first loop
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace swarm

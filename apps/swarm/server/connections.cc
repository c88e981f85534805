#include "server/connections.h"

#include <thread>

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "gateway/refusals.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxRedirected = 256;  // connections of the plain port beside TLS

}  // namespace

Connections::Connections(const ServerConfig& config, std::size_t descriptor_limit, Metrics& metrics, const Clock& clock)
    : config_(config), plan_(net::planDescriptors(descriptor_limit)), metrics_(metrics), clock_(clock) {
  loadCertificate();
  bind();
}

void Connections::loadCertificate() {
  if (!config_.tls.isOn()) return;
  certificate_.emplace(config_.tls.certificateFile, config_.tls.keyFile, clock_);
  const HostScheme hosts{config_.baseDomain, config_.instanceDomain};
  for (const std::string& host : {hosts.baseHost, hosts.hostOf("name", 0)})
    if (!hosts.isLocal() && !certificate_->covers(host))
      log::warning("browsers will not accept the certificate for a host of this server",
                   {{"host", host}, {"file", config_.tls.certificateFile.string()}});
  metrics_.observe("swarm_tls_certificate_expiry_seconds", "When the certificate of the listener expires, in seconds since 1970.", {},
                   [this] { return std::chrono::duration<double>(certificate_->expiresAt().time_since_epoch()).count(); });
}

void Connections::bind() {
  net::HostPort address = net::parseHostPort(config_.listen);
  refusePlainHttp(address.host);
  unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  int threads = config_.threads > 0 ? config_.threads : static_cast<int>(std::min(cores, 4u));
  for (int i = 0; i < threads; ++i) loops_.push_back(std::make_unique<async::Loop>(format("swarm-io-{}", i)));
  if (threads > 1 && address.port != 0) {
    // A shared port could be bound by a second server, too: check that the port is free.
    net::listenTcp(loops_.front()->executor(), address)->close();
  }
  const auto sharing = threads > 1 ? net::Listener::Sharing::ReusePort : net::Listener::Sharing::Exclusive;
  for (const auto& loop : loops_) {
    listeners_.push_back(net::listenTcp(loop->executor(), address, sharing));
    address.port = listeners_.front()->port();
  }
  listen_ = net::toString(address);
  if (!config_.tls.redirectListen.empty())
    redirect_ = net::listenTcp(loops_.front()->executor(), net::parseHostPort(config_.tls.redirectListen));
  const net::Url own{.tls = config_.tls.isOn(), .host = config_.baseDomain, .port = address.port};
  address_ = PublicAddress({config_.baseDomain, config_.instanceDomain}, config_.publicUrl.value_or(own));
}

/// An attacker on the network path can read passwords and cookies sent over plain HTTP.
void Connections::refusePlainHttp(const std::string& host) const {
  const bool is_loopback = host == "localhost" || host == "::1" || host.starts_with("127.");
  if (is_loopback || config_.tls.isOn()) return;
  const bool behind_proxy = config_.publicUrl && config_.publicUrl->tls;
  if (behind_proxy && !config_.trustedProxies.empty()) return;
  if (!behind_proxy && !config_.insecureHttp)
    throw Error(
        ErrorCode::InvalidArgument,
        format("Listening at {} would serve plain HTTP to other machines: passwords and cookies could be read on the network. Give the "
               "server a certificate (--tls-certificate and --tls-key), put a proxy with TLS in front and set --public-url https://…, or "
               "accept the risk with --insecure-http.",
               config_.listen));
  log::warning(behind_proxy ? "plain HTTP is served to other machines: name the proxy in trustedProxies, and let no other reach this port"
                            : "plain HTTP is served to other machines",
               {{"listen", config_.listen}});
}

GatewayOptions Connections::gatewayOptions() const {
  GatewayOptions options;
  options.address = address_;
  options.trustedProxies = config_.trustedProxies;
  options.maxIdle = plan_.idleUpstreams / loops_.size();
  // A workspace's page must not use up the connections of its user's other workspaces, or of the server.
  options.tunnels = std::make_shared<OpenBudget>(
      OpenLimits{.perUser = 512, .perInstance = 256, .total = plan_.connections / 2, .reservedFor = "VS Code"});
  options.requests = std::make_shared<OpenBudget>(OpenLimits{
      .perUser = 1024, .perInstance = 512, .total = plan_.connections / 2, .things = "requests in progress", .reservedFor = "VS Code"});
  options.preflights = std::make_shared<OpenBudget>(
      OpenLimits{.perUser = SIZE_MAX, .perInstance = 512, .total = plan_.connections / 8, .things = "preflights"});
  options.visitors = std::make_shared<OpenBudget>(
      OpenLimits{.perUser = 64, .perInstance = 256, .total = plan_.connections / 4, .things = "requests and connections to public ports"});
  options.forms = std::make_shared<OpenBudget>(OpenLimits{.bytesPerUser = 4 * 1024 * 1024});
  return options;
}

void Connections::serve(const GatewayOptions& options, SwarmController& controller, Auth& auth, Api& api) {
  for (auto& loop : loops_) workers_.push_back(std::make_unique<Worker>(std::move(loop), options, controller, auth, api, clock_));
  countConnections();
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->serve(std::move(listeners_[i]), serverOptions());
  if (redirect_) workers_.front()->redirect(std::move(redirect_), redirectOptions());
  loops_.clear();
  listeners_.clear();
}

void Connections::stop() {
  for (const auto& worker : workers_) worker->stop();
  workers_.clear();
}

void Connections::refreshCertificate() {
  if (certificate_) certificate_->refresh();
}

void Connections::reloadCertificate() {
  if (certificate_) certificate_->reload();
}

/// Each loop gets its share of the connections: the kernel distributes them evenly.
net::HttpServerOptions Connections::serverOptions() const {
  net::HttpServerOptions options;
  if (certificate_) options.tls = certificate_->context();
  options.maxConnections = (plan_.connections + workers_.size() - 1) / workers_.size();
  options.maxPerAddress = (plan_.perAddress + workers_.size() - 1) / workers_.size();
  options.maxHeadBytesPerAddress /= workers_.size();
  if (const TrustedProxies& proxies = config_.trustedProxies; !proxies.empty()) {
    options.isProxy = [proxies](std::string_view address) { return proxies.contains(address); };
    options.clientOf = [proxies](const net::HeaderViews& headers, std::string_view peer) { return proxies.clientAddress(peer, headers); };
  }
  options.oddPaths = net::OddPaths::Mark;
  options.refusal = gateway::refusalResponse;
  if (address_.requiresHttps()) options.always = {{"Strict-Transport-Security", "max-age=31536000"}};
  return options;
}

/// Few connections, and none for long: each receives one response.
net::HttpServerOptions Connections::redirectOptions() const {
  net::HttpServerOptions options;
  options.headTimeout = std::chrono::seconds(10);
  options.maxConnections = std::min(kMaxRedirected, plan_.connections / 8);
  options.maxPerAddress = options.maxConnections / 4;
  options.refusal = gateway::refusalResponse;
  return options;
}

/// The gateways' own counters, summed at each request for /metrics.
void Connections::countConnections() {
  auto sum = [this](auto member) {
    return [this, member] {
      double total = 0;
      for (const auto& worker : workers_) total += static_cast<double>(worker->counters().*member);
      return total;
    };
  };
  metrics_.observe("swarm_gateway_requests", "Requests forwarded to workspaces since the start", {}, sum(&Gateway::Counters::requests));
  metrics_.observe("swarm_gateway_tunnels", "WebSockets and other upgrades since the start", {}, sum(&Gateway::Counters::tunnels));
  metrics_.observe("swarm_gateway_failures", "Requests whose workspace was unreachable or closed the connection early", {},
                   sum(&Gateway::Counters::failures));
  metrics_.observe("swarm_gateway_open_exchanges", "Requests and tunnels in progress", {}, sum(&Gateway::Counters::openExchanges));
}

}  // namespace swarm

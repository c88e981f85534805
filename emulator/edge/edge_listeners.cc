// Listeners of raw TCP services.
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/json/array.hpp>
#include <list>
#include <map>

#include "async/awaitable.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/edge/edge_proxy.h"

namespace swarm::emulator {
namespace {

namespace asio = boost::asio;
using Key = std::pair<std::string, std::uint16_t>;

constexpr std::chrono::seconds kRawConnectTime{10};

bool has(const EdgeService& service, std::string_view handler) {
  return std::ranges::find(service.handlers, handler) != service.handlers.end();
}

}  // namespace

struct EdgeListeners::Impl : std::enable_shared_from_this<Impl> {
  struct Port {
    std::unique_ptr<net::Listener> listener;
    bool tls = false;
  };

  async::Executor executor;
  EdgeRoutes routes;
  std::string host;
  std::shared_ptr<net::TlsContext> tls;
  std::map<Key, std::shared_ptr<Port>> ports;
  std::list<asio::cancellation_signal> connections;  // of pumps in progress

  static awaitable<void> accept(std::shared_ptr<Impl> self, Key key, std::shared_ptr<Port> port) {
    for (;;) {
      net::StreamPtr client = co_await port->listener->accept();
      auto signal = self->connections.emplace(self->connections.end());
      auto ended = [self, signal](std::exception_ptr) { self->connections.erase(signal); };
      asio::co_spawn(self->executor, serve(self, key, port->tls, std::move(client)),
                     asio::bind_cancellation_slot(signal->slot(), std::move(ended)));
    }
  }

  static awaitable<void> serve(std::shared_ptr<Impl> self, Key key, bool with_tls, net::StreamPtr client) {
    try {
      Deadline deadline = Deadline::after(kRawConnectTime);
      if (with_tls) client = co_await net::acceptTls(std::move(client), self->tls, deadline);
      EdgeQuery query;
      query.app = key.first;
      query.externalPort = key.second;
      auto target = co_await self->routes.find(std::move(query));
      if (!target) co_return log::debug("no Machine for a connection", {{"app", key.first}, {"reason", target.error().reason}});
      net::StreamPtr machine = co_await self->routes.connect(target->machineId, target->internalPort, deadline);
      co_await net::pump(*client, *machine);
    } catch (const Error& error) {
      log::debug("could not forward a connection", {{"app", key.first}, {"reason", error.message()}});
    }
  }
};

EdgeListeners::EdgeListeners(async::Executor executor, EdgeRoutes routes, std::string host, std::shared_ptr<net::TlsContext> tls)
    : impl_(std::make_shared<Impl>()) {
  impl_->executor = std::move(executor);
  impl_->routes = std::move(routes);
  impl_->host = std::move(host);
  impl_->tls = std::move(tls);
}

EdgeListeners::~EdgeListeners() { stop(); }

void EdgeListeners::refresh() {
  std::map<Key, bool> wanted;  // whether the edge terminates TLS
  for (const EdgeService& service : impl_->routes.services()) {
    if (service.protocol != "tcp" || has(service, "http")) continue;
    if (has(service, "tls") && !impl_->tls) continue;
    wanted[{service.app, service.externalPort}] = has(service, "tls");
  }
  std::erase_if(impl_->ports, [&](auto& entry) {
    auto found = wanted.find(entry.first);
    bool stays = found != wanted.end() && found->second == entry.second->tls;
    if (!stays) entry.second->listener->close();
    return !stays;
  });
  for (const auto& [key, with_tls] : wanted) {
    if (impl_->ports.contains(key)) continue;
    auto port = std::make_shared<Impl::Port>();
    port->tls = with_tls;
    port->listener = net::listenTcp(impl_->executor, {impl_->host, 0});
    impl_->ports[key] = port;
    asio::co_spawn(impl_->executor, Impl::accept(impl_, key, port), [](std::exception_ptr) {});
  }
}

void EdgeListeners::stop() {
  for (auto& [key, port] : impl_->ports) port->listener->close();
  impl_->ports.clear();
  for (auto signal = impl_->connections.begin(); signal != impl_->connections.end();) {
    auto next = std::next(signal);
    signal->emit(asio::cancellation_type::terminal);
    signal = next;
  }
}

void EdgeListeners::addTo(boost::json::object& state) const {
  boost::json::array list;
  for (const auto& [key, port] : impl_->ports) {
    list.push_back(
        boost::json::object{{"app", key.first}, {"port", key.second}, {"address", net::toString({impl_->host, port->listener->port()})}});
  }
  state["tcp"] = std::move(list);
}

}  // namespace swarm::emulator

// Networks are found by label filter only, and joined by the endpoint's NetworkID or else by name, as moby does.
#include "unit/provider/docker/fake_engine.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "provider/docker/docker_context.h"

namespace swarm::docker {

FakeEngine::FakeEngine(test::TestLoop& loop) {
  auto listener = net::listenTcp(loop.executor(), {"127.0.0.1", 0});
  server_ = std::make_unique<net::HttpServer>(std::move(listener), [this](net::Exchange& exchange) { return handle(exchange); });
  boost::asio::co_spawn(loop.executor(), server_->run(), boost::asio::detached);
}

FakeEngine::~FakeEngine() { server_->stop(); }

DockerProviderConfig FakeEngine::config() const {
  DockerProviderConfig config;
  config.host = "127.0.0.1";
  config.port = server_->port();
  return config;
}

void FakeEngine::addNetwork(const std::string& id, const std::string& name, std::string_view labels) {
  networks_.push_back({{"Id", id},
                       {"Name", name},
                       {"Created", format("2026-01-01T00:00:{:02}Z", networks_.size())},
                       {"Internal", false},
                       {"Labels", json::parse(labels)}});
}

void FakeEngine::removeNetwork(const std::string& id) {
  std::erase_if(networks_, [&](const Object& network) { return network.at("Id").as_string() == id; });
}

std::vector<std::string> FakeEngine::networkIds() const {
  std::vector<std::string> ids;
  for (const Object& network : networks_) ids.push_back(stringIn(network, "Id"));
  return ids;
}

bool FakeEngine::hasReceived(std::string_view part) const {
  return std::ranges::any_of(targets_, [&](const std::string& target) { return target.contains(part); });
}

std::vector<FakeEngine::Object*> FakeEngine::named(std::string_view name) {
  std::vector<Object*> found;
  for (Object& network : networks_)
    if (network.at("Name").as_string() == name || network.at("Id").as_string() == name) found.push_back(&network);
  return found;
}

boost::asio::awaitable<void> FakeEngine::handle(net::Exchange& exchange) {
  const std::string method(exchange.head().method);
  std::string path(exchange.head().path());
  const std::string target(exchange.head().target);
  targets_.push_back(target);
  const std::string query = target.size() > path.size() ? target.substr(path.size() + 1) : std::string();
  if (path.starts_with("/v1.")) path.erase(0, path.find('/', 1));
  std::string text = co_await net::readAll(exchange.body(), 1 << 20);
  if (auto scripted = responses_.find(method + " " + path); scripted != responses_.end()) {
    co_await exchange.respond(200, {}, scripted->second);
    co_return;
  }
  Reply reply = perform(method, path, query, text.empty() ? Object() : json::parse(text).as_object());
  co_await exchange.respond(reply.status, {}, reply.status == 204 ? std::string() : json::serialize(reply.body));
}

FakeEngine::Reply FakeEngine::perform(const std::string& method, const std::string& path, const std::string& query, const Object& body) {
  if (path == "/version") return {200, Object{{"ApiVersion", "1.41"}, {"MinAPIVersion", "1.12"}, {"Version", "20.10.24"}}};
  if (path == "/info") return {200, Object{{"NCPU", 4}, {"MemTotal", std::int64_t{8} << 30}, {"Name", "fake"}}};
  if (path.starts_with("/images/")) return {200, Object{{"Config", Object()}}};
  if (path == "/volumes/create") return {201, body};
  if (path.starts_with("/networks")) return networks(method, path.substr(9), query, body);
  if (path.starts_with("/containers/")) return containers(method, path.substr(12), body);
  return {404, Object{{"message", "page not found"}}};
}

FakeEngine::Reply FakeEngine::networks(const std::string& method, const std::string& rest, const std::string& query, const Object& body) {
  if (rest == "/create") {
    if (!named(body.at("Name").as_string()).empty()) return {409, Object{{"message", "network with that name already exists"}}};
    addNetwork(format("made{}", networks_.size()), std::string(body.at("Name").as_string()), json::serialize(body.at("Labels")));
    return {201, Object{{"Id", networks_.back().at("Id")}}};
  }
  if (method == "DELETE") {
    removeNetwork(rest.substr(1));
    return {204};
  }
  if (method == "POST") {
    const std::string id = rest.substr(1, rest.find('/', 1) - 1);
    if (named(id).size() != 1) return {404, Object{{"message", "network " + id + " not found or is ambiguous"}}};
    if (rest.ends_with("/disconnect")) endpoints_.clear();
    if (rest.ends_with("/connect")) endpoints_[named(id).front()->at("Name").as_string()] = body.at("EndpointConfig");
    return {200};
  }
  json::array found;
  const std::string decoded = query.empty() ? std::string("{}") : *net::percentDecode(query.substr(query.find('=') + 1));
  const json::value filters = json::parse(decoded);
  for (const Object& network : networks_) {
    bool matches = true;
    if (const json::value* labels = member(filters, "label"))
      for (const json::value& label : labels->as_array()) {
        const std::string_view text = label.as_string();
        const auto sign = text.find('=');
        matches = matches && labelOf(network, text.substr(0, sign)) == text.substr(sign + 1);
      }
    if (matches) found.push_back(network);
  }
  return {200, found};
}

FakeEngine::Reply FakeEngine::containers(const std::string& method, const std::string& rest, const Object& body) {
  if (rest == "json") return {200, json::array()};
  if (rest == "create") {
    containers_.push_back(body);
    const json::value made(body);
    const json::value* endpoints = member(made, "NetworkingConfig.EndpointsConfig");
    endpoints_ = endpoints ? endpoints->as_object() : Object{{stringAt(made, "HostConfig.NetworkMode"), Object()}};
    return {201, Object{{"Id", "c1"}}};
  }
  if (method == "POST" && rest.ends_with("/start")) return start();
  if (containers_.empty()) return {404, Object{{"message", "No such container: " + rest}}};
  return {200, Object{{"Id", "c1"},
                      {"State", Object{{"Status", "running"}, {"Running", true}}},
                      {"Config", Object{{"Labels", containers_.back().at("Labels")}}},
                      {"NetworkSettings", Object{{"Networks", endpoints_}}}}};
}

FakeEngine::Reply FakeEngine::start() {
  for (const auto& [name, endpoint] : endpoints_) {
    const std::string pinned = stringAt(endpoint, "NetworkID");
    const std::vector<Object*> found = named(pinned.empty() ? std::string(name) : pinned);
    if (found.empty()) return {404, Object{{"message", "network " + (pinned.empty() ? std::string(name) : pinned) + " not found"}}};
    if (found.size() > 1) return {400, Object{{"message", "network " + std::string(name) + " is ambiguous (2 matches found on name)"}}};
    joined_ = stringIn(*found.front(), "Id");
  }
  return {204};
}

}  // namespace swarm::docker

// FakeEngine: as much of the Docker Engine's HTTP API as a create of one container needs, with networks that may have one name.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/http/http_server.h"
#include "provider/docker/docker_config.h"
#include "support/coroutine_test.h"

namespace swarm::docker {

class FakeEngine {
 public:
  explicit FakeEngine(test::TestLoop& loop);
  ~FakeEngine();
  DockerProviderConfig config() const;

  /// A network that exists already; its labels as JSON text.
  void addNetwork(const std::string& id, const std::string& name, std::string_view labels);
  void removeNetwork(const std::string& id);
  std::vector<std::string> networkIds() const;
  std::string joinedNetwork() const { return joined_; }  ///< the id that the container joined when it was started
  bool hasReceived(std::string_view part) const;         ///< of a request's path and query, as it was sent
  int containers() const { return static_cast<int>(containers_.size()); }

  /// The given response to each request whose "METHOD /path" (without version and query) is `line`.
  void respond(const std::string& line, std::string body) { responses_[line] = std::move(body); }

 private:
  using Object = boost::json::object;
  struct Reply {
    int status = 200;
    boost::json::value body = nullptr;
  };
  boost::asio::awaitable<void> handle(net::Exchange& exchange);
  Reply perform(const std::string& method, const std::string& path, const std::string& query, const Object& body);
  Reply networks(const std::string& method, const std::string& rest, const std::string& query, const Object& body);
  Reply containers(const std::string& method, const std::string& rest, const Object& body);
  Reply start();
  std::vector<Object*> named(std::string_view name);

  std::unique_ptr<net::HttpServer> server_;
  std::vector<Object> networks_;
  std::vector<Object> containers_;  ///< the bodies that made them
  Object endpoints_;                ///< of the last one: what it joins when it is started
  std::string joined_;
  std::map<std::string, std::string> responses_;
  std::vector<std::string> targets_;
};

}  // namespace swarm::docker

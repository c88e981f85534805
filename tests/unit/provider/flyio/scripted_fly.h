// ScriptedFly: an HTTP server that returns a test's responses in order, and records the requests.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/http/http_server.h"
#include "support/coroutine_test.h"

namespace swarm::flyio {

struct ScriptedResponse {
  int status = 200;
  std::string body = "{}";
  net::Headers headers = {};
  bool cut = false;  ///< the connection is closed instead
};

struct SeenRequest {
  std::string line;  ///< "GET /v1/apps/a1"
  std::string body;
  std::string authorization;
  std::string cookie;
  std::string lease;  ///< the nonce that was sent
};

class ScriptedFly {
 public:
  explicit ScriptedFly(test::TestLoop& loop);
  ~ScriptedFly();
  std::string url() const;

  /// Responses, in order, to requests whose "METHOD /path" (without query) is `line`; the last one is repeated.
  void respond(const std::string& line, std::deque<ScriptedResponse> responses) { responses_[line] = std::move(responses); }
  const std::vector<SeenRequest>& requests() const { return requests_; }
  int count(const std::string& line) const;

 private:
  boost::asio::awaitable<void> handle(net::Exchange& exchange);
  std::unique_ptr<net::HttpServer> server_;
  std::map<std::string, std::deque<ScriptedResponse>> responses_;
  std::vector<SeenRequest> requests_;
};

}  // namespace swarm::flyio

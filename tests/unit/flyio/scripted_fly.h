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

struct ScriptedAnswer {
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
};

class ScriptedFly {
 public:
  explicit ScriptedFly(test::TestLoop& loop);
  ~ScriptedFly();
  std::string url() const;

  /// Responses, in order, to requests whose "METHOD /path" (without query) is `line`; the last one is repeated.
  void answer(const std::string& line, std::deque<ScriptedAnswer> answers) { answers_[line] = std::move(answers); }
  const std::vector<SeenRequest>& requests() const { return requests_; }
  int count(const std::string& line) const;

 private:
  boost::asio::awaitable<void> handle(net::Exchange& exchange);
  std::unique_ptr<net::HttpServer> server_;
  std::map<std::string, std::deque<ScriptedAnswer>> answers_;
  std::vector<SeenRequest> requests_;
};

}  // namespace swarm::flyio

// The agent's JSON responses.
#include "agent/server/responses.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "async/awaitable.h"

namespace swarm::agent {

async::awaitable<void> respondJson(net::Exchange& exchange, int status, boost::json::object body, Connection connection) {
  net::Headers headers{{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  if (connection == Connection::Close) headers.push_back({"Connection", "close"});
  std::string text = boost::json::serialize(body);
  co_await exchange.respond(status, std::move(headers), std::move(text));
}

async::awaitable<void> respondReason(net::Exchange& exchange, int status, std::string reason) {
  return respondJson(exchange, status, {{"reason", reason}});
}

async::awaitable<void> respondError(net::Exchange& exchange, Error error) {
  boost::json::object body{{"reason", error.message()}};
  if (!error.fields().empty()) {
    boost::json::array& errors = body["errors"].emplace_array();
    for (const auto& field : error.fields()) errors.push_back(boost::json::object{{"pointer", field.pointer}, {"detail", field.detail}});
  }
  co_await respondJson(exchange, httpStatus(error.code()), std::move(body));
}

}  // namespace swarm::agent

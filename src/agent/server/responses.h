// The agent's JSON responses.
#pragma once

#include <boost/json/object.hpp>

#include "async/awaitable.h"
#include "base/error.h"
#include "net/http/http_server.h"

namespace swarm::agent {

enum class Connection { Keep, Close };
async::awaitable<void> respondJson(net::Exchange& exchange, int status, boost::json::object body, Connection connection = Connection::Keep);
/// {"reason"}: a sentence for users; pointers to invalid fields, if any, in "errors".
async::awaitable<void> respondReason(net::Exchange& exchange, int status, std::string reason);
async::awaitable<void> respondError(net::Exchange& exchange, Error error);

}  // namespace swarm::agent

// Problem documents (RFC 9457): the format of every failure that a client receives.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http/http.h"

namespace swarm::net {

inline constexpr std::string_view kProblemType = "application/problem+json";

/// {"type","title","status","detail","code","instance","requestId","retryable"} and, where present, "errors", "operationId", "upstream".
/// `instance` is the path of what failed: the instance's own when the error names one, else the request's. `status` 0: the code's.
boost::json::object problemDocument(const Error& error, std::string_view request_path, std::string_view request_id, int status = 0);

/// The header Retry-After where the error has a time; else none.
Headers retryAfter(const Error& error);

/// The request's own X-Request-Id if it has a valid one, else a new one.
std::string requestIdOf(const HeaderViews& headers);

}  // namespace swarm::net

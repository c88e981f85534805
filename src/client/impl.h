// The state of a SwarmClient, and the helpers of its calls.
#pragma once

#include "base/text/format.h"
#include "client/connection.h"
#include "model/codec/codec.h"

namespace swarm {

namespace client {

/// "?name=value&…"; empty for a query that leaves nothing out.
template <typename Query>
std::string queryText(const Query& query) {
  std::string text;
  for (const auto& [name, value] : writeQuery(query))
    text += format("{}{}={}", text.empty() ? '?' : '&', net::percentEncode(name), net::percentEncode(value));
  return text;
}

}  // namespace client

struct SwarmClient::Impl {
  explicit Impl(ClientConfig config) : connection(std::move(config)) {}
  client::Connection connection;

  /// POST or DELETE on an instance that starts an operation.
  StartedOperation begin(const std::string& method, const std::string& target, const boost::json::value* body = nullptr,
                         std::optional<std::int64_t> if_version = {}) {
    boost::json::value response = connection.call(method, target, body, ifMatch(if_version));
    return started(response);
  }

  static net::Headers ifMatch(std::optional<std::int64_t> version) {
    if (!version) return {};
    return {{"If-Match", format("\"v{}\"", *version)}};
  }

  static StartedOperation started(const boost::json::value& response) {
    StartedOperation result;
    result.instance = fromJson<Instance>(response, UnknownFields::Ignore);
    result.operationId = result.instance.operationId;
    return result;
  }
};

}  // namespace swarm

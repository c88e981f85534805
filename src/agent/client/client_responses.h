// Validates an agent's responses. A user who can run a command in a workspace can replace its agent, so every response is untrusted: its
// size, its values and its texts are limited here, per request.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "async/awaitable.h"
#include "model/codec/codec.h"
#include "model/codec/untrusted_json.h"
#include "model/types/usage.h"
#include "net/http/http_client.h"
#include "protocol/agent.h"

namespace swarm::agent {

using async::awaitable;

inline constexpr JsonLimits kStatusLimits{.bytes = 16 * 1024, .values = 256, .depth = 4};  ///< /health, /activity, /hold, /freeze, …
inline constexpr JsonLimits kUsageLimits{.bytes = 4 * 1024, .values = 128, .depth = 4};
/// Two outputs, each byte of which may take six bytes in JSON. It is parsed as it arrives: the whole text is never in memory.
inline constexpr JsonLimits kExecLimits{.bytes = 13 * 1024 * 1024, .values = 64, .depth = 4, .string = kMaxBufferedOutput};
inline constexpr JsonLimits kImportLimits{.bytes = 1024 * 1024, .values = 2048, .depth = 4};  ///< with kMaxArchiveNotes notes
inline constexpr JsonLimits kRefusalLimits{.bytes = 16 * 1024, .values = 256, .depth = 4};    ///< {"reason"} of every failure status

/// The object in the response, read to its end; sets "truncated" in it when a string exceeded `limits` and was cut. Throws
/// Error(UpstreamFailed) when it is anything else, or exceeds `limits`, and the error of readFailure() for a status other than 200.
awaitable<boost::json::value> readObject(net::HttpExchange& exchange, InstanceId instance_id, JsonLimits limits, Deadline deadline);
/// The error for a failure status, with the agent's reason.
awaitable<Error> readFailure(net::HttpExchange& exchange, InstanceId instance_id, Deadline deadline);

/// Reads members of a response: a wrong or missing one is the agent's fault, not the caller's.
template <typename Read>
auto readMembers(boost::json::value value, Read read) {
  ObjectReader reader(std::move(value), UnknownFields::Ignore);
  auto result = read(reader);
  if (reader.faults().empty()) return result;
  const FieldError& fault = reader.faults().front();
  throw Error(ErrorCode::UpstreamFailed, "The workspace's agent sent an invalid response: " + fault.pointer + " " + fault.detail + ".");
}

/// A short text of a response: printable, truncated. Absent members give an empty text.
std::string textOf(ObjectReader& reader, std::string_view name);

struct ExecResponse {
  CommandResult command;
  bool timedOut = false;
};
ExecResponse execResponseOf(boost::json::value response);
ResourceUsage usageOf(const boost::json::value& response);
/// {"files","bytes","workspace","notes","count"}, and nothing else.
boost::json::object importReportOf(const boost::json::value& response);

}  // namespace swarm::agent

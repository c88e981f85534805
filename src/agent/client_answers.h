// What the server takes of an agent's answer. Whoever can run a command in a workspace can replace its agent, so every answer is untrusted:
// its size, its values and its texts are bounded here, by what it is an answer to.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "model/archive.h"
#include "model/codec.h"
#include "model/types.h"
#include "model/untrusted_json.h"
#include "net/http_client.h"
#include "protocol/agent.h"

namespace swarm::agent {

using net::awaitable;

inline constexpr JsonLimits kStatusLimits{.bytes = 16 * 1024, .values = 256, .depth = 4};  ///< /health, /activity, /hold, /freeze, …
inline constexpr JsonLimits kUsageLimits{.bytes = 4 * 1024, .values = 128, .depth = 4};
/// Two outputs, each byte of which may be six in JSON. It is parsed as it arrives: its text as a whole is never in memory.
inline constexpr JsonLimits kExecLimits{.bytes = 13 * 1024 * 1024, .values = 64, .depth = 4, .string = kMaxBufferedOutput};
inline constexpr JsonLimits kImportLimits{.bytes = 1024 * 1024, .values = 2048, .depth = 4};  ///< with kMostArchiveNotes notes
inline constexpr JsonLimits kRefusalLimits{.bytes = 16 * 1024, .values = 256, .depth = 4};    ///< {"reason"} of every status but success

/// The answer's object, read to its end; "truncated" is set in it when a string was longer than `limits` and was cut. Throws
/// Error(UpstreamFailed) when it is anything else, or more than `limits`, and what readFailure() gives for a status that is not 200.
awaitable<boost::json::value> readObject(net::HttpExchange& exchange, std::string instance_id, JsonLimits limits, Deadline deadline);
/// The error that a status other than success means, with the agent's reason.
awaitable<Error> readFailure(net::HttpExchange& exchange, std::string instance_id, Deadline deadline);

/// Reads members of an answer: a wrong or missing one is the agent's fault, not the caller's.
template <typename Read>
auto readMembers(boost::json::value value, Read read) {
  ObjectReader reader(std::move(value), UnknownFields::Ignore);
  auto result = read(reader);
  if (reader.faults().empty()) return result;
  const FieldError& fault = reader.faults().front();
  throw Error(ErrorCode::UpstreamFailed, "The instance's agent gave a wrong answer: " + fault.pointer + " " + fault.detail + ".");
}

/// A short text of an answer: printable, cut. Absent ones are empty.
std::string textOf(ObjectReader& reader, std::string_view name);

struct ExecAnswer {
  CommandResult command;
  bool timedOut = false;
};
ExecAnswer execAnswerOf(boost::json::value answer);
ResourceUsage usageOf(const boost::json::value& answer);
/// {"files","bytes","workspace","notes","count"}, and nothing else.
boost::json::object importReportOf(const boost::json::value& answer);

}  // namespace swarm::agent

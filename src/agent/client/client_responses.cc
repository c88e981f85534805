// Responses of agents: read in pieces, within limits.
#include "agent/client/client_responses.h"

#include <cmath>

#include "async/attempt.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "base/text/utf8.h"
#include "model/archive.h"

namespace swarm::agent {
namespace {

Error malformedResponse(std::string_view why, const InstanceId& instance_id) {
  while (why.ends_with('.')) why.remove_suffix(1);  // it becomes part of a sentence
  return Error(ErrorCode::UpstreamFailed, format("The workspace's agent sent an invalid response: {}.", why))
      .withInstance(instance_id.str());
}

/// {"reason"} of a failure response.
std::string reasonOf(const boost::json::value& response, int status) {
  if (const auto* object = response.if_object()) {
    if (const auto* reason = object->if_contains("reason"); reason && reason->is_string()) return printable(reason->as_string());
  }
  if (status < 400) return format("The workspace's agent sent an unexpected response: status {}.", status);
  return format("The workspace's agent responded with status {}.", status);
}

ErrorCode codeOf(int status) {
  // Faults that the agent finds in a user's request (an unknown user, a bad directory) are passed on to that user.
  return status == 502 || status == 503 ? ErrorCode::Unavailable
         : status == 400                ? ErrorCode::InvalidArgument
         : status == 409                ? ErrorCode::Conflict
         : status == 413                ? ErrorCode::PayloadTooLarge
         : status == 422                ? ErrorCode::Unprocessable
         : status == 507                ? ErrorCode::OutOfResources
                                        : ErrorCode::UpstreamFailed;
}

Error failureOf(const boost::json::value& response, int status, const InstanceId& instance_id) {
  if (status == 401) {
    return Error(ErrorCode::UpstreamFailed,
                 "The workspace's agent rejected the server's token: its clock or key differs from the server's.")
        .withUpstream({status, ""})
        .withInstance(instance_id.str());
  }
  if (status == 404) {  // every requested path exists in an agent of this version
    return Error(ErrorCode::Unprocessable,
                 "The agent in this workspace is older than the server, and does not support this request. Recreate the workspace from "
                 "the current image; its files are kept (any change of the environment does it: swarm update NAME --env REMADE=1).")
        .withUpstream({status, ""})
        .withInstance(instance_id.str());
  }
  return Error(codeOf(status), reasonOf(response, status)).withUpstream({status, ""}).withInstance(instance_id.str());
}

struct ParsedResponse {
  boost::json::value value;
  bool cut = false;  ///< a string exceeded the limits
};

/// Throws Error(UpstreamFailed) with only the reason as message.
awaitable<ParsedResponse> parse(net::HttpExchange& exchange, JsonLimits limits, Deadline deadline) {
  UntrustedJson json(limits);
  for (;;) {
    std::string piece = co_await exchange.read(deadline);
    if (piece.empty()) co_return ParsedResponse{json.finish(), json.cut()};
    json.add(piece);
  }
}

}  // namespace

awaitable<Error> readFailure(net::HttpExchange& exchange, InstanceId instance_id, Deadline deadline) {
  auto response = co_await async::attempt(parse(exchange, kRefusalLimits, deadline));  // otherwise only the status is known
  co_return failureOf(response ? response->value : nullptr, exchange.status(), instance_id);
}

awaitable<boost::json::value> readObject(net::HttpExchange& exchange, InstanceId instance_id, JsonLimits limits, Deadline deadline) {
  if (exchange.status() != 200) throw co_await readFailure(exchange, std::move(instance_id), deadline);
  auto response = co_await async::attempt(parse(exchange, limits, deadline));
  if (!response && response.error().code() == ErrorCode::UpstreamFailed) throw malformedResponse(response.error().message(), instance_id);
  if (!response) throw response.error();
  if (!response->value.is_object()) throw malformedResponse("it is not an object", instance_id);
  if (response->cut) response->value.as_object()["truncated"] = true;
  co_return std::move(response->value);
}

std::string textOf(ObjectReader& reader, std::string_view name) { return printable(reader.read<std::string>(name).value_or("")); }

ExecResponse execResponseOf(boost::json::value response) {
  return readMembers(std::move(response), [](ObjectReader& reader) {
    ExecResponse result;
    result.command.exitCode = reader.require<std::int64_t>("exitCode");
    result.command.stdoutText = reader.require<std::string>("stdout");
    result.command.stderrText = reader.require<std::string>("stderr");
    result.command.truncated = reader.read<bool>("truncated").value_or(false);
    result.timedOut = reader.read<bool>("timedOut").value_or(false);
    for (std::string* text : {&result.command.stdoutText, &result.command.stderrText}) {
      if (!isUtf8(*text)) *text = toValidUtf8(*text);  // it was cut within a character
    }
    return result;
  });
}

ResourceUsage usageOf(const boost::json::value& response) {
  std::vector<FieldError> faults;
  auto usage = decode<ResourceUsage>(response, {}, "", faults, UnknownFields::Ignore);
  for (const double number : {usage.cpu.usage, usage.memory.usage, usage.storage.usage, usage.memory.limit, usage.storage.limit,
                              usage.network.received, usage.network.sent}) {
    if (!std::isfinite(number) || number < 0) faults.push_back({"a number", "must not be negative or infinite"});
  }
  if (faults.empty()) return usage;
  throw malformedResponse(faults.front().pointer + " " + faults.front().detail, {});
}

boost::json::object importReportOf(const boost::json::value& response) {
  boost::json::object report = toJson(archiveNotesFromJson(response));
  ObjectReader reader(response, UnknownFields::Ignore);
  report["files"] = reader.read<std::int64_t>("files").value_or(0);
  report["bytes"] = reader.read<std::int64_t>("bytes").value_or(0);
  report["workspace"] = textOf(reader, "workspace");
  return report;
}

}  // namespace swarm::agent

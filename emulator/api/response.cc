// Builds responses, those of errors from the catalogue of §12, row by row: used by the rules' refusals and by faults.
#include "emulator/api/response.h"

#include <array>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::emulator {
namespace {

enum class Form {
  Error,    ///< {"error":text,"status":code}
  Message,  ///< {"message":text}
  Lease,    ///< the lease envelope of §6
  Exec,     ///< an ExecResponse whose stdout is the text
  Plain,
  Html,
  Nothing,  ///< no body
};

struct Row {
  std::string_view name;
  int status;
  Form form;
  std::string_view text;
  std::string_view code = "";
};

constexpr std::string_view kBadGateway =
    "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body>\n</html>\n";

// Placeholders: {key} or {key=example}.
constexpr std::array kRows = std::to_array<Row>({
    {"E1", 401, Form::Error, "Authenticate: token validation error"},
    {"E2", 401, Form::Message, "Unauthorized"},
    {"E3", 403, Form::Error, "unauthorized"},
    {"E4", 403, Form::Error,
     "organization \"{organization=Kilo}\" is using {used=1970176} MB of memory in {region=dfw} which is over the allowed quota. please "
     "consider other regions"},
    {"E5", 404, Form::Plain, "404 page not found"},
    {"E6", 404, Form::Error, "app not found"},
    {"E6.delete", 404, Form::Error, "Could not find App \"{name=x}\""},
    {"E7", 404, Form::Error, "machine not found"},
    {"E7.old", 404, Form::Error, "not_found: machine not found"},
    {"E7.id", 404, Form::Error, "invalid machine ID, '{id=x}'"},
    {"E8", 408, Form::Error, "deadline_exceeded: machine failed to reach desired state, {wanted=started}, currently {state=created}"},
    {"E9", 400, Form::Error, "invalid_argument: invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]"},
    {"E10", 412, Form::Error, "failed_precondition: unable to start machine from current state: '{state=created}'"},
    {"E11", 412, Form::Error, "failed_precondition: machine getting replaced, refusing to start"},
    {"E12", 412, Form::Error, "failed_precondition: machine still active, refusing to start"},
    {"E13", 412, Form::Error, "failed_precondition: machine still attempting to start"},
    {"E14", 412, Form::Error, "failed_precondition: unable to destroy machine, not currently stopped, suspended, failed or created"},
    {"E15", 409, Form::Error,
     "already_exists: unique machine name violation, machine ID {id=1857156b526dd8} already exists with name \"{name=n}\""},
    {"E16", 409, Form::Lease,
     "machine ID {id=3d8d413b29d089} lease currently held by {owner=hello@fly.io}, expires at {expires=2022-10-20T19:59:06Z}"},
    // I: the wording; §12 has the status and that it concerns current_version.
    {"E17", 409, Form::Error, "aborted: machine version mismatch, current_version {given=01HQ} is not the current one"},
    {"E18", 409, Form::Error, "aborted: machine update failed due to concurrent update"},
    {"E19", 409, Form::Error, "aborted: could not reserve resource for machine: insufficient memory available to fulfill request"},
    {"E19.cpus", 409, Form::Error, "aborted: could not reserve resource for machine: insufficient CPUs available to fulfill request"},
    {"E19.host", 409, Form::Error,
     "aborted: could not reserve resource for machine: insufficient memory available to fulfill request on the current host"},
    {"E20", 409, Form::Error, "aborted: insufficient IPs available to fulfill request"},
    {"E20.resources", 409, Form::Error, "aborted: insufficient resources available to fulfill request: no host"},
    {"E21", 409, Form::Error, "aborted: no capacity"},
    {"E22", 422, Form::Error, "could not find a candidate host", "insufficient_capacity"},
    {"E22.503", 503, Form::Error, "out of capacity", "insufficient_capacity"},
    {"E23", 412, Form::Error, "insufficient resources to create new machine with existing volume id '{volume=vol_123}'",
     "volume_placement_capacity"},
    {"E23.old", 412, Form::Error, "insufficient resources to create new machine with existing volume id '{volume=vol_123}'"},
    {"E24", 400, Form::Error, "no capacity"},
    {"E25", 412, Form::Error, "failed_precondition: volume is currently bound to machine: {id=1857156b526dd8}"},
    {"E26", 412, Form::Error, "volume already claimed by machine {id=1857156b526dd8}"},
    {"E27", 422, Form::Error, "Validation failed: Name has already been taken", "name_taken"},
    {"E27.name", 422, Form::Error, "Validation failed: Name under 63 chars using numbers, lowercase letters and dashes"},
    {"E27.race", 422, Form::Error, "uniqueness constraint violated"},
    {"E27.card", 422, Form::Error, "To create more than 1 machine per app please add a payment method."},
    {"E28", 400, Form::Error, "invalid config.guest.memory_mb, minimum required {minimum=256} MiB"},
    {"E28.most", 400, Form::Error, "invalid config.guest.memory_mb, cannot exceed {most=2048} MiB"},
    {"E28.cpus", 400, Form::Error, "invalid config.guest.cpus, must be one of [{allowed=1 2 4 6 8}]"},
    {"E28.exec", 400, Form::Error, "timeout must not exceed 60 seconds"},
    {"E28.volume", 400, Form::Error, "name only allows lowercase alphanumeric characters and underscores with at most 30 characters"},
    {"E29", 412, Form::Error, "failed_precondition: machine not running"},
    {"E29.eof", 412, Form::Error, "failed_precondition: exec request failed: EOF"},
    // I: that the text is in stdout; §8 has the 200, the exit_code and the text.
    {"E30", 200, Form::Exec, "Unhandled rejection: Rejection([PayloadTooLarge, MethodNotAllowed])"},
    // I: the wording; Fly's body is not documented.
    {"E31", 429, Form::Error, "rate limit exceeded"},
    {"E32", 502, Form::Html, kBadGateway},
    {"E32.500", 500, Form::Nothing, ""},
    {"E32.503", 503, Form::Html, "<html><body><h1>503 Service Unavailable</h1></body></html>\n"},
    {"E32.empty", 502, Form::Nothing, ""},
    {"E33", 400, Form::Error, "EOF"},
    // I: the wording.
    {"E34", 408, Form::Error, "deadline_exceeded: context deadline exceeded"},
});

/// Replaces {key=example} by the key's value, or by the example.
std::string fill(std::string_view text, const RowValues& values) {
  std::string filled;
  while (!text.empty()) {
    std::size_t open = text.find('{');
    filled += text.substr(0, open);
    if (open == std::string_view::npos) break;
    std::size_t close = text.find('}', open);
    std::string_view inside = text.substr(open + 1, close - open - 1);
    std::size_t equals = inside.find('=');
    auto value = values.find(inside.substr(0, equals));
    filled += value == values.end() ? std::string(inside.substr(equals + 1)) : value->second;
    text.remove_prefix(close + 1);
  }
  return filled;
}

}  // namespace

Response jsonResponse(int status, const boost::json::value& body) { return {status, boost::json::serialize(body)}; }

Response emptyResponse(int status) { return {status, "", ""}; }

Response errorResponse(int status, std::string_view text, std::string_view code) {
  boost::json::object body{{"error", text}};
  if (!code.empty()) body["status"] = code;
  return jsonResponse(status, body);
}

void refuse(int status, std::string_view text, std::string_view code) { throw Refusal(errorResponse(status, text, code)); }

void refuseBy(std::string_view row, const RowValues& values) { throw Refusal(catalogueResponse(row, values)); }

Response catalogueResponse(std::string_view name, const RowValues& values) {
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    std::string text = fill(row.text, values);
    switch (row.form) {
      case Form::Error:
        return errorResponse(row.status, text, row.code);
      case Form::Message:
        return jsonResponse(row.status, boost::json::object{{"message", text}});
      case Form::Lease:
        return jsonResponse(row.status, boost::json::object{{"status", "error"}, {"message", text}, {"code", "invalid"}});
      case Form::Exec:
        return jsonResponse(row.status, boost::json::object{{"exit_code", 0}, {"exit_signal", 0}, {"stdout", text}, {"stderr", ""}});
      case Form::Plain:
        return {row.status, text, "text/plain; charset=utf-8"};
      case Form::Html:
        return {row.status, text, "text/html"};
      case Form::Nothing:
        return emptyResponse(row.status);
    }
  }
  throw Error(ErrorCode::InvalidArgument, format("The error catalogue has no row {}.", name));
}

}  // namespace swarm::emulator

// Error bodies, the classes of shortages, and the table of error codes.
#include "provider/flyio/api/fly_errors.h"

#include <cctype>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "provider/flyio/api/json_access.h"

namespace swarm::flyio {
namespace {

constexpr std::size_t kMaxText = 500;
constexpr std::size_t kMaxErrorBody = 64 * 1024;  ///< of an error; the rest is ignored

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool isCode(std::string_view word) {
  return word == "unknown" || word == "insufficient_capacity" || word == "volume_placement_capacity" || word == "name_taken";
}

/// Line breaks and runs of blanks become one blank, so that a message fits one log line.
std::string oneLine(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool blank = static_cast<unsigned char>(c) <= ' ';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
    if (out.size() > kMaxText) break;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return printable(out, kMaxText);
}

std::string htmlTitle(std::string_view body) {
  auto begin = body.find("<title>");
  auto end = body.find("</title>");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return "an HTML page";
  return format("an HTML page, \"{}\"", oneLine(body.substr(begin + 7, end - begin - 7)));
}

/// For a response without a text.
std::string_view meaningOf(int status) {
  switch (status) {
    case 408:
      return "the API timed out";
    case 429:
      return "too many requests were sent";
    case 500:
      return "the API failed and gave no reason";
    case 502:
      return "Fly's proxy could not reach the API";
    case 503:
      return "the API is not available at the moment";
    case 504:
      return "the API did not respond to Fly's proxy in time";
    default:
      return "no reason was given";
  }
}

std::string sentence(std::string_view doing, const FlyFault& fault) { return format("Fly could not {}: {}.", doing, fault.text); }

Error bodyOf(ErrorCode code, std::string_view doing, const FlyFault& fault, std::string_view advice = {}) {
  std::string message = sentence(doing, fault);
  if (!advice.empty()) message += format(" {}", advice);
  return Error(code, std::move(message));
}

Error byStatus(const FlyFault& fault, std::string_view doing) {
  switch (fault.status) {
    case 400:
    case 422:
      if (contains(fault.text, "payment method")) {
        return bodyOf(ErrorCode::Unprocessable, doing, fault, "Add one on the organization's billing page at fly.io.");
      }
      return bodyOf(ErrorCode::Unprocessable, doing, fault);
    case 401:
      return bodyOf(
          ErrorCode::PermissionDenied, doing, fault,
          "The token is missing, wrong or expired: create one with `fly tokens create org` and configure all of it, \"FlyV1 \" included.");
    case 403:
      return bodyOf(ErrorCode::PermissionDenied, doing, fault, "The token does not permit it, or belongs to another organization.");
    case 404:  // something that should exist; what users look up is handled before
      return bodyOf(ErrorCode::UpstreamFailed, doing, fault).withRetryable(true);
    case 408:
    case 504:
      return bodyOf(ErrorCode::DeadlineExceeded, doing, fault, "Try again in a moment (status.flyio.net shows outages).");
    case 409:
    case 412:
      return bodyOf(ErrorCode::Conflict, doing, fault);
    case 429:
      return bodyOf(ErrorCode::TooManyRequests, doing, fault);
    case 502:
    case 503:
      return bodyOf(ErrorCode::Unavailable, doing, fault, "This usually passes in a moment (status.flyio.net shows outages).");
    case 500:
      return bodyOf(ErrorCode::UpstreamFailed, doing, fault, "Try again in a moment (status.flyio.net shows outages).");
    default:
      return bodyOf(ErrorCode::UpstreamFailed, doing, fault);
  }
}

}  // namespace

FlyFault readFault(int status, std::string_view body, std::string request_id) {
  body = body.substr(0, kMaxErrorBody);
  FlyFault fault{status, {}, {}, std::move(request_id)};
  json::value parsed = parseOrNull(body);
  if (parsed.is_object()) {
    fault.text = oneLine(stringAt(parsed, "message"));
    if (fault.text.empty()) fault.text = oneLine(stringAt(parsed, "error"));
    if (std::string code = stringAt(parsed, "status"); isCode(code)) fault.code = code;
  } else if (contains(body.substr(0, 512), "<html") || contains(body.substr(0, 512), "<!DOCTYPE") ||
             contains(body.substr(0, 512), "<HTML")) {
    fault.text = format("status {} with {}", status, htmlTitle(body));
  } else {
    fault.text = oneLine(body);
  }
  if (fault.text.empty()) fault.text = format("{} (status {})", meaningOf(status), status);
  while (fault.text.ends_with('.')) fault.text.pop_back();  // it becomes part of a sentence of ours
  return fault;
}

Shortage shortageOf(const FlyFault& fault) {
  // A code takes precedence over the text: another code means that this is not a shortage.
  if (fault.code == "insufficient_capacity") return Shortage::Region;
  if (fault.code == "volume_placement_capacity") return Shortage::VolumeHost;
  if (!fault.code.empty() || fault.status >= 500) return Shortage::None;
  const std::string& text = fault.text;
  if (fault.status == 409) {
    for (std::string_view what : {"CPUs", "memory", "IPs", "resources"}) {
      if (contains(text, format("insufficient {} available", what))) return Shortage::Host;
    }
    if (contains(text, "could not reserve resource for machine")) return Shortage::Host;
    if (contains(text, "no capacity")) return Shortage::Region;
  }
  // Older responses and other calls have no code (E23, E24, E4).
  if (fault.status == 412 && contains(text, "insufficient resources to create new machine with existing volume"))
    return Shortage::VolumeHost;
  if (fault.status == 400 && text == "no capacity") return Shortage::Region;
  if (fault.status == 403 && contains(text, "over the allowed quota")) return Shortage::Region;
  return Shortage::None;
}

bool isLeaseHeld(const FlyFault& fault) { return fault.status == 409 && contains(fault.text, "lease currently held"); }

bool isNameTaken(const FlyFault& fault) {
  return fault.code == "name_taken" || contains(fault.text, "already been taken") || contains(fault.text, "uniqueness constraint violated");
}

std::string machineIdIn(std::string_view text) {
  for (std::string_view before : {"machine ID ", "to machine: ", "by machine "}) {
    auto at = text.find(before);
    if (at == std::string_view::npos) continue;
    std::string_view rest = text.substr(at + before.size());
    std::size_t end = 0;
    while (end < rest.size() && std::isalnum(static_cast<unsigned char>(rest[end]))) ++end;
    if (end > 0) return std::string(rest.substr(0, end));
  }
  return {};
}

bool isMachineNameTaken(const FlyFault& fault) { return fault.status == 409 && contains(fault.text, "unique machine name violation"); }

bool isNotRunning(const FlyFault& fault) { return contains(fault.text, "machine not running"); }

bool isUnroutedPath(std::string_view body) { return contains(body, "page not found") || contains(body, "<"); }

bool isRejectedCommand(std::string_view body) { return contains(body, "Unhandled rejection: Rejection(["); }

Error contradictoryLists(const std::string& app, std::string_view what) {
  return Error(ErrorCode::Unavailable,
               format("Fly's responses about the app {} contradict each other: it has {}, but lists none. Nothing was changed. Try again.",
                      app, what));
}

bool isTemporary(const FlyFault& fault) {
  if (fault.status != 412 && fault.status != 409) return false;
  for (std::string_view what :
       {"unable to start machine from current state", "getting replaced", "still active", "still attempting to start",
        "currently bound to machine", "already claimed by machine", "concurrent update", "deploys to this host are temporarily disabled"}) {
    if (contains(fault.text, what)) return true;
  }
  return false;
}

Error flyError(const FlyFault& fault, std::string_view doing) {
  Shortage shortage = shortageOf(fault);
  Error error = shortage == Shortage::None
                    ? byStatus(fault, doing)
                    : bodyOf(ErrorCode::OutOfResources, doing, fault,
                             "Fly has no capacity there now: try later, another region ([flyio] regions) or a smaller size.");
  std::string cause = format("status {}, request {}", fault.status, fault.requestId.empty() ? "without id" : fault.requestId);
  return std::move(error).withCause(std::move(cause)).withUpstream({.status = fault.status, .requestId = fault.requestId});
}

}  // namespace swarm::flyio

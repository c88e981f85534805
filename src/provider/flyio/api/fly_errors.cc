// Error bodies, the classes of shortages, the table of error codes, and what a response says about its request.
#include "provider/flyio/api/fly_errors.h"

#include <algorithm>
#include <cctype>

#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"

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

struct StatusMeaning {
  int status = 0;
  ErrorCode code = ErrorCode::UpstreamFailed;
  std::string_view advice = {};
  std::string_view reason = "no reason was given";  ///< for a response without a text
};
constexpr std::string_view kTryAgain = "Try again in a moment (status.flyio.net shows outages).";
constexpr std::string_view kPasses = "This usually passes in a moment (status.flyio.net shows outages).";
constexpr StatusMeaning kStatusMeanings[]{
    {400, ErrorCode::Unprocessable},
    {401, ErrorCode::PermissionDenied,
     "The token is missing, wrong or expired: create one with `fly tokens create org` and configure all of it, \"FlyV1 \" included."},
    {403, ErrorCode::PermissionDenied, "The token does not permit it, or belongs to another organization."},
    {408, ErrorCode::DeadlineExceeded, kTryAgain, "the API timed out"},
    {409, ErrorCode::Conflict},
    {412, ErrorCode::Conflict},
    {422, ErrorCode::Unprocessable},
    {429, ErrorCode::TooManyRequests, {}, "too many requests were sent"},
    {500, ErrorCode::UpstreamFailed, kTryAgain, "the API failed and gave no reason"},
    {502, ErrorCode::Unavailable, kPasses, "Fly's proxy could not reach the API"},
    {503, ErrorCode::Unavailable, kPasses, "the API is not available at the moment"},
    {504, ErrorCode::DeadlineExceeded, kTryAgain, "the API did not respond to Fly's proxy in time"},
};

StatusMeaning meaningOf(int status) {
  auto found = std::ranges::find(kStatusMeanings, status, &StatusMeaning::status);
  return found == std::end(kStatusMeanings) ? StatusMeaning{} : *found;
}

Error errorOf(ErrorCode code, std::string_view doing, const FlyFault& fault, std::string_view advice) {
  return Error(code, format("Fly could not {}: {}.{}{}", doing, fault.text, advice.empty() ? "" : " ", advice));
}

Error byStatus(const FlyFault& fault, std::string_view doing) {
  auto [status, code, advice, reason] = meaningOf(fault.status);
  if (code == ErrorCode::Unprocessable && contains(fault.text, "payment method"))
    advice = "Add one on the organization's billing page at fly.io.";
  Error error = errorOf(code, doing, fault, advice);
  // 404: something that should exist; what users look up is handled before.
  return fault.status == 404 ? std::move(error).withRetryable(true) : error;
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
  if (fault.text.empty()) fault.text = format("{} (status {})", meaningOf(status).reason, status);
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
                    : errorOf(ErrorCode::OutOfResources, doing, fault,
                              "Fly has no capacity there now: try later, another region ([flyio] regions) or a smaller size.");
  std::string cause = format("status {}, request {}", fault.status, fault.requestId.empty() ? "without id" : fault.requestId);
  return std::move(error).withCause(std::move(cause)).withUpstream({.status = fault.status, .requestId = fault.requestId});
}

bool FlyReply::isAbsent() const { return status == 404 && !isUnroutedPath(body); }

bool FlyReply::isFateOpen() const {
  if (status == 0 || status == 408) return true;
  if (ok()) return true;  // the caller did not find what it expected in the response
  return status >= 500 && shortageOf(fault()) == Shortage::None;
}

FlyFault FlyReply::fault() const {
  if (status == 0) return {0, trouble, {}, requestId};
  return readFault(status, body, requestId);
}

Error FlyFailure::error(std::string_view detail) const {
  std::string doing = doing_ + std::string(detail);
  if (reply_.isCut()) {
    return Error(ErrorCode::UpstreamFailed,
                 format("Fly's response to the request to {} was empty or incomplete (status {}). Try again.", doing, fault_.status))
        .withRetryable(true)
        .withUpstream({.status = fault_.status, .requestId = fault_.requestId});
  }
  if (fault_.status != 0) return flyError(fault_, doing);
  return Error(ErrorCode::Unavailable,
               format("Fly's Machines API at {} did not respond to the request to {}: {}.", base_url_, doing, fault_.text));
}

}  // namespace swarm::flyio

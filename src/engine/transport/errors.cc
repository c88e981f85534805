// The table of Engine texts, and what a user can do about each.
#include "engine/transport/errors.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "engine/transport/socket_access.h"
#include "engine/transport/ssh_command.h"

namespace swarm::engine {
namespace {

constexpr std::size_t kMaxMessage = 600;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// The last number after a colon in front of `end`: "Bind for 127.0.0.1:8080 failed: port is already allocated" → "8080".
std::string portIn(std::string_view text) {
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    std::size_t end = colon + 1;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
    if (end - colon > 2 && end - colon <= 6 && (end == text.size() || text[end] == ' ' || text[end] == ':')) {
      return std::string(text.substr(colon + 1, end - colon - 1));
    }
  }
  return "?";
}

std::string refusal(std::string_view doing, std::string_view message) {
  return format("The Docker Engine could not {}: {}", doing, message);
}

/// Texts first: the Engine responds with 500 to much that is not its own fault.
Error byText(int status, std::string_view message, std::string_view doing) {
  if (contains(message, "no space left on device") || contains(message, "disk quota exceeded")) {
    return Error(
        ErrorCode::OutOfResources,
        format("The Docker Engine's disk is full: it could not {}. Free space on its machine (docker system df shows what takes it).",
               doing));
  }
  if (contains(message, "port is already allocated") || contains(message, "address already in use")) {
    return Error(ErrorCode::Conflict, format("Port {} is already in use on the Docker Engine's machine.", portIn(message)));
  }
  if (contains(message, "non-overlapping") || contains(message, "address pools have been fully subnetted")) {
    return Error(
        ErrorCode::OutOfResources,
        "The Docker Engine has no free address range for another network. Give it more (default-address-pools in its daemon.json), "
        "or let workspaces share one: isolation = \"owner\", or networkName.");
  }
  if (contains(message, "cannot allocate memory")) {
    return Error(ErrorCode::OutOfResources, format("The Docker Engine's machine is out of memory: it could not {}.", doing));
  }
  if (contains(message, "executable file not found") || contains(message, "OCI runtime create failed") ||
      contains(message, "failed to create task for container") || contains(message, "failed to create shim")) {
    return Error(ErrorCode::Unprocessable, format("The container's command cannot be started: {}", message));
  }
  if (status == 404) return Error(ErrorCode::NotFound, refusal(doing, message));
  if (status == 409) return Error(ErrorCode::Conflict, refusal(doing, message));
  if (status == 403) return Error(ErrorCode::Conflict, refusal(doing, message));
  if (status == 400) return Error(ErrorCode::Unprocessable, refusal(doing, message));
  if (status == 401) {
    return Error(ErrorCode::PermissionDenied, refusal(doing, message) + " The endpoint requires credentials that the configuration lacks.");
  }
  if (status == 503) return Error(ErrorCode::Unavailable, refusal(doing, message));
  return Error(ErrorCode::UpstreamFailed, refusal(doing, message));
}

}  // namespace

std::string engineMessage(std::string_view body) {
  body = body.substr(0, kMaxErrorBody);
  boost::system::error_code error;
  boost::json::value parsed = boost::json::parse(body, error);
  std::string message(body);
  if (!error && parsed.is_object()) {
    const auto* field = parsed.as_object().if_contains("message");
    if (field && field->is_string()) message = field->as_string().c_str();
  }
  while (!message.empty() && std::isspace(static_cast<unsigned char>(message.back()))) message.pop_back();
  message = printable(message, kMaxMessage);
  return message.empty() ? "(no reason given)" : message;
}

Error engineError(int status, std::string_view body, std::string_view doing) {
  std::string message = engineMessage(body);
  return byText(status, message, doing).withCause(message).withUpstream({.status = status, .requestId = {}});
}

Refusal refusalOf(int status, std::string_view body) {
  if (status == 404 && contains(body, "o such container")) return Refusal::NoContainer;
  if (status == 404 && contains(body, "o such image")) return Refusal::NoImage;
  if (contains(body, "network ") && contains(body, "is ambiguous")) return Refusal::AmbiguousNetwork;
  if (status == 404 && contains(body, "network ")) return Refusal::NoNetwork;
  bool is_unknown = status == 404 && (contains(body, "page not found") || engineMessage(body) == "Not Found");
  if (status == 405 || is_unknown) return Refusal::Unsupported;
  // podman responds with 500.
  if ((status == 409 || status == 500) && contains(body, "name") && contains(body, "already in use")) return Refusal::NameTaken;
  if (status != 409 && contains(body, "overlaps")) return Refusal::RangeTaken;
  if (contains(body, "busy") || contains(body, "current usage")) return Refusal::BelowUsage;
  return Refusal::Other;
}

std::optional<int> codeOfUnstarted(std::string_view text) {
  bool is_missing = contains(text, "executable file not found");
  if (!is_missing && !contains(text, "OCI runtime exec failed")) return std::nullopt;
  return is_missing || contains(text, "no such file") ? 127 : 126;
}

std::string pullTrouble(std::string_view engine_text) {
  auto has_any = [&](std::initializer_list<std::string_view> parts) {
    return std::ranges::any_of(parts, [&](std::string_view part) { return contains(engine_text, part); });
  };
  if (has_any({"toomanyrequests", "rate limit"})) return "its registry allows no more pulls for now";
  if (has_any({"manifest unknown", "not found", "does not exist", "denied", "unauthorized", "authorization", "authentication"}))
    return "its registry does not have it, or does not give it to everyone";
  if (has_any(
          {"no such host", "connection refused", "no route to host", "timeout", "deadline exceeded", "Temporary failure", "unreachable"}))
    return "its registry cannot be reached";
  if (has_any({"invalid reference format", "invalid reference"})) return "its name is not valid";
  return "its registry did not respond as a registry does";
}

Error transportError(const Error& cause, const Endpoint& endpoint) {
  if (cause.code() == ErrorCode::DeadlineExceeded) {
    const std::string advice = endpoint.overSsh ? " Compare with: " + sshCommandLine(endpoint) : "";
    return Error(ErrorCode::DeadlineExceeded, format("The Docker Engine at {} did not respond in time.{}", toString(endpoint), advice))
        .withCause(cause.message());
  }
  if (endpoint.overSsh) {
    return Error(ErrorCode::Unavailable, format("No Docker Engine responds at {}: {}", toString(endpoint), cause.message()))
        .withCause(cause.cause());
  }
  std::string reason = cause.message();
  while (reason.ends_with('.')) reason.pop_back();  // it is quoted inside a sentence
  if (endpoint.host.empty())
    if (auto trouble = socketTrouble(endpoint.socketPath)) {
      Error error(ErrorCode::Unavailable, std::move(trouble->detail));
      if (trouble->forbidden) return std::move(error).withRetryable(false).withCause(reason);
      return std::move(error).withCause(cause.cause());
    }
  const std::string_view advice = endpoint.host.empty() ? "Is the Engine running? (scripts/engine start, or: systemctl start docker)"
                                                        : "Check host, port and tls of [docker], and that its dockerd listens there.";
  return Error(ErrorCode::Unavailable, format("No Docker Engine responds at {}: {}. {}", toString(endpoint), reason, advice))
      .withCause(cause.cause());
}

}  // namespace swarm::engine

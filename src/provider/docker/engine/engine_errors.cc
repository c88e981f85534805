// The table of Engine texts, and what a person can do about each.
#include "provider/docker/engine/engine_errors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"

namespace swarm::docker {
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

/// Texts first: the Engine answers 500 for much that is no fault of its own.
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
        "or set networkName so that all instances share one network.");
  }
  if (contains(message, "cannot allocate memory")) {
    return Error(ErrorCode::OutOfResources, format("The Docker Engine's machine is out of memory: it could not {}.", doing));
  }
  if (contains(message, "executable file not found") || contains(message, "OCI runtime create failed") ||
      contains(message, "failed to create task for container") || contains(message, "failed to create shim")) {
    return Error(ErrorCode::Unprocessable, format("The container's command can't be started: {}", message));
  }
  if (status == 404) return Error(ErrorCode::NotFound, refusal(doing, message));
  if (status == 409) return Error(ErrorCode::Conflict, refusal(doing, message));
  if (status == 403) return Error(ErrorCode::Conflict, refusal(doing, message));
  if (status == 400) return Error(ErrorCode::Unprocessable, refusal(doing, message));
  if (status == 401) {
    return Error(ErrorCode::PermissionDenied,
                 refusal(doing, message) + " The endpoint wants credentials that the configuration does not give.");
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
  return message.empty() ? "(it gave no reason)" : message;
}

Error engineError(int status, std::string_view body, std::string_view doing) {
  std::string message = engineMessage(body);
  return byText(status, message, doing).withCause(message).withUpstream({.status = status, .requestId = {}});
}

bool saysNameIsTaken(int status, std::string_view body) {
  // podman says it with 500.
  return (status == 409 || status == 500) && contains(body, "name") && contains(body, "already in use");
}

bool saysNoContainer(int status, std::string_view body) {
  return status == 404 && (contains(body, "No such container") || contains(body, "no such container"));
}

bool saysNoSuchCall(int status, std::string_view body) {
  return status == 405 || (status == 404 && (contains(body, "page not found") || engineMessage(body) == "Not Found"));
}

std::string endpointText(const DockerProviderConfig& config) {
  if (config.host.empty()) return "unix://" + config.socketPath.string();
  std::uint16_t port = config.port != 0 ? config.port : (config.tls.enabled ? 2376 : 2375);
  return format("tcp://{}:{}", config.host, port);
}

Error transportError(const Error& cause, const DockerProviderConfig& config) {
  if (cause.code() == ErrorCode::DeadlineExceeded) {
    return Error(ErrorCode::DeadlineExceeded, format("The Docker Engine at {} did not answer in time.", endpointText(config)))
        .withCause(cause.message());
  }
  std::string advice = "Check host, port and tls of [docker], and that its dockerd listens there.";
  std::string reason = cause.message();
  while (reason.ends_with('.')) reason.pop_back();  // it stands inside a sentence of ours
  if (config.host.empty()) {
    advice = "Is the Engine running? (scripts/engine start, or: systemctl start docker)";
    if (::faccessat(AT_FDCWD, config.socketPath.c_str(), W_OK, AT_EACCESS) != 0) {
      if (errno == EACCES) {
        return Error(
                   ErrorCode::Unavailable,
                   format("This user may not use the Docker Engine's socket {}. Add it to the group that owns the socket (sudo usermod -aG "
                          "docker $USER, then sign in again), or run the server as root.",
                          config.socketPath.string()))
            .withRetryable(false)
            .withCause(reason);
      }
      if (errno == ENOENT) {
        reason = "there is no such socket";
        advice = "Install and start the Engine (scripts/engine start, or: systemctl start docker), or set socketPath or host of [docker].";
      }
    }
  }
  return Error(ErrorCode::Unavailable, format("No Docker Engine answers at {}: {}. {}", endpointText(config), reason, advice))
      .withCause(cause.cause());
}

Error imageMissing(std::string_view image, std::string_view why, bool local_only) {
  std::string advice = local_only ? "Build it with images/workspace/build (scripts/up does)."
                                  : format("Fetch it on the Engine's machine (docker pull {}, or docker load for a file).", image);
  std::string reason = why.empty() ? "" : format(" and could not be pulled: {}", why);
  return Error(ErrorCode::Unprocessable, format("The image {} is not on the Docker Engine{}. {}", image, reason, advice))
      .withField("/image", "not found");
}

}  // namespace swarm::docker

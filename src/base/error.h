// The one exception type of the control plane, with a closed list of codes.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swarm {

/// What went wrong, as a closed list: API, CLI and retry decisions depend on it. To add one, extend error.cc's table too.
enum class ErrorCode {
  InvalidArgument,     ///< 400: the request is malformed, or a value is out of range
  Unauthenticated,     ///< 401: no or wrong credentials
  PermissionDenied,    ///< 403: known caller, not allowed
  NotFound,            ///< 404: only where an API must answer; inside, not found is std::optional
  AlreadyExists,       ///< 409: the name or id is taken
  Conflict,            ///< 409: the state does not allow it now
  PreconditionFailed,  ///< 412: If-Match does not match
  PayloadTooLarge,     ///< 413
  UnsupportedMedia,    ///< 415
  Unprocessable,       ///< 422: well-formed, but it can't be done as asked (image not found, memory above the machine's)
  TooManyRequests,     ///< 429
  Cancelled,           ///< 499: the caller or a person cancelled it
  Internal,            ///< 500: our own fault
  Unsupported,         ///< 501: this provider can't
  UpstreamFailed,      ///< 502: the provider or instance answered with an error or nonsense
  Unavailable,         ///< 503: the provider, instance or server can't be reached now
  DeadlineExceeded,    ///< 504
  OutOfResources,      ///< 507: disk full, no capacity
};

std::string_view toString(ErrorCode code);                            ///< snake_case, as in JSON `code`: "not_found"
std::optional<ErrorCode> errorCodeFromString(std::string_view text);  ///< the inverse
int httpStatus(ErrorCode code);                                       ///< the HTTP status that the API answers with
bool isRetryableByDefault(ErrorCode code);                            ///< whether the same call may succeed later, unchanged
std::span<const ErrorCode> errorCodes();                              ///< all of them, in the order of their HTTP status

/// One wrong place in a request: a JSON pointer ("/resources/cpu/cores") and what is wrong there.
struct FieldError {
  std::string pointer;
  std::string detail;
};

/// Facts of the upstream (Engine, Fly, agent) answer behind an error; empty members are unknown.
struct UpstreamFacts {
  int status = 0;
  std::string requestId;
};

/// The control plane's exception. `what()` is the public message: a full sentence that says what happened and, where there is one, what to
/// do next. It never holds a secret. `cause()` is for the log only. Whatever was quoted in them, its texts are printable
/// (base/untrusted_text.h) and at most kMaxText bytes each. Copyable; not thread-safe.
class Error : public std::exception {
 public:
  static constexpr std::size_t kMaxText = 4096;

  Error(ErrorCode code, std::string message);

  Error& withCause(std::string cause) &;
  Error&& withCause(std::string cause) &&;
  Error&& withRetryable(bool retryable) &&;
  /// When a retry may succeed, from now; only where that is known. The API sends it as Retry-After, in whole seconds.
  Error&& withRetryAfter(std::chrono::milliseconds wait) &&;
  Error&& withUpstream(UpstreamFacts facts) &&;
  Error&& withField(std::string pointer, std::string detail) &&;
  Error&& withInstance(std::string instance) &&;

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& cause() const { return cause_; }
  const std::string& instance() const { return instance_; }
  bool retryable() const { return retryable_; }
  std::chrono::milliseconds retryAfter() const { return retry_after_; }  ///< zero: not known
  const UpstreamFacts& upstream() const { return upstream_; }
  const std::vector<FieldError>& fields() const { return fields_; }
  std::vector<FieldError>& fields() { return fields_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  bool retryable_;
  std::chrono::milliseconds retry_after_{0};
  std::string message_;
  std::string cause_;
  std::string instance_;
  UpstreamFacts upstream_;
  std::vector<FieldError> fields_;
};

/// The message of any exception in flight, for logs; call it in a catch block.
std::string describeCurrentException();

/// Turns the exception in flight into an Error (itself when it is one; else Internal, or Cancelled for an aborted Asio operation).
Error currentExceptionAsError();

}  // namespace swarm

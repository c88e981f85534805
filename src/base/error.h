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

/// What went wrong, as a closed list: API, CLI and retry decisions depend on it. A new code also needs a row in error.cc's table.
enum class ErrorCode {
  InvalidArgument,     ///< 400: the request is malformed, or a value is out of range
  Unauthenticated,     ///< 401: no or wrong credentials
  PermissionDenied,    ///< 403: known caller, not allowed
  NotFound,            ///< 404: only where the API must respond; internally, "not found" is std::optional
  AlreadyExists,       ///< 409: the name or id is taken
  Conflict,            ///< 409: the current state does not allow it
  PreconditionFailed,  ///< 412: If-Match does not match
  PayloadTooLarge,     ///< 413
  UnsupportedMedia,    ///< 415
  Unprocessable,       ///< 422: well-formed, but the request cannot be fulfilled (image not found, memory above the machine's)
  TooManyRequests,     ///< 429
  Cancelled,           ///< 499: the caller or a user cancelled it
  Internal,            ///< 500: a bug in the server
  Unsupported,         ///< 501: this provider does not support it
  UpstreamFailed,      ///< 502: the provider or instance returned an error or an invalid response
  Unavailable,         ///< 503: the provider, instance or server is unreachable
  DeadlineExceeded,    ///< 504
  OutOfResources,      ///< 507: disk full, no capacity
};

std::string_view toString(ErrorCode code);                            ///< snake_case, as in JSON `code`: "not_found"
std::optional<ErrorCode> errorCodeFromString(std::string_view text);  ///< the inverse of toString()
int httpStatus(ErrorCode code);                                       ///< the HTTP status of the API's response
std::string_view titleOf(ErrorCode code);                             ///< the title of its problems, as RFC 9457 recommends
bool isRetryableByDefault(ErrorCode code);                            ///< whether the same call may succeed later, unchanged
std::span<const ErrorCode> errorCodes();                              ///< all of them, in the order of their HTTP status

/// One invalid part of a request: a JSON pointer ("/resources/cpu/cores") and what is wrong there.
struct FieldError {
  std::string pointer;
  std::string detail;
};

/// Facts from the upstream's response (Engine, Fly, agent) behind an error; empty members are unknown.
struct UpstreamFacts {
  int status = 0;
  std::string requestId;
};

/// The control plane's exception. `what()` is the public message: a full sentence that states what happened and, where there is one, the
/// next step. It never contains a secret. `cause()` is for the log only. All texts are made printable (base/text/untrusted_text.h),
/// including what was quoted in them, and are at most kMaxText bytes each. Copyable; not thread-safe.
class Error : public std::exception {
 public:
  static constexpr std::size_t kMaxText = 4096;

  Error(ErrorCode code, std::string message);

  Error& withCause(std::string cause) &;
  Error&& withCause(std::string cause) &&;
  Error&& withRetryable(bool retryable) &&;
  /// Delay after which a retry may succeed; set only where it is known. The API sends it as Retry-After, in whole seconds.
  Error&& withRetryAfter(std::chrono::milliseconds wait) &&;
  Error&& withUpstream(UpstreamFacts facts) &&;
  Error&& withField(std::string pointer, std::string detail) &&;
  Error&& withInstance(std::string instance) &&;

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& cause() const { return cause_; }
  const std::string& instance() const { return instance_; }
  bool retryable() const { return retryable_; }
  std::chrono::milliseconds retryAfter() const { return retry_after_; }  ///< zero: unknown
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

/// Converts the exception in flight to an Error (an Error is returned unchanged; else Internal, or Cancelled for an aborted Asio
/// operation).
Error currentExceptionAsError();

}  // namespace swarm

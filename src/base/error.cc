// The table behind ErrorCode, and Error's members.
#include "base/error.h"

#include <array>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <new>
#include <system_error>

#include "base/text/untrusted_text.h"

namespace swarm {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int status;
  bool retryable;
  std::string_view title;
};

constexpr CodeRow kCodes[] = {
    {ErrorCode::InvalidArgument, "invalid_argument", 400, false, "The request is not valid"},
    {ErrorCode::Unauthenticated, "unauthenticated", 401, false, "Sign-in is required"},
    {ErrorCode::PermissionDenied, "permission_denied", 403, false, "Not allowed"},
    {ErrorCode::NotFound, "not_found", 404, false, "Not found"},
    {ErrorCode::AlreadyExists, "already_exists", 409, false, "Already exists"},
    {ErrorCode::Conflict, "conflict", 409, false, "The current state does not allow the request"},
    {ErrorCode::PreconditionFailed, "precondition_failed", 412, false, "The resource was modified by another request"},
    {ErrorCode::PayloadTooLarge, "payload_too_large", 413, false, "The request is too large"},
    {ErrorCode::UnsupportedMedia, "unsupported_media", 415, false, "The content type is not supported"},
    {ErrorCode::Unprocessable, "unprocessable", 422, false, "The request cannot be fulfilled"},
    {ErrorCode::TooManyRequests, "too_many_requests", 429, true, "Too many requests"},
    {ErrorCode::Cancelled, "cancelled", 499, true, "Cancelled"},
    {ErrorCode::Internal, "internal", 500, false, "Internal server error"},
    {ErrorCode::Unsupported, "unsupported", 501, false, "Not supported by the provider"},
    {ErrorCode::UpstreamFailed, "upstream_failed", 502, false, "The provider or workspace returned an error"},
    {ErrorCode::Unavailable, "unavailable", 503, true, "Currently unreachable"},
    {ErrorCode::DeadlineExceeded, "deadline_exceeded", 504, true, "The request timed out"},
    {ErrorCode::OutOfResources, "out_of_resources", 507, false, "Out of resources"},
};

const CodeRow& row(ErrorCode code) {
  for (const CodeRow& candidate : kCodes) {
    if (candidate.code == code) return candidate;
  }
  std::abort();  // a code without a row is a bug in this file
}

/// Error texts end up in database rows, logs, event streams and terminals.
std::string bounded(std::string text) { return printable(text, Error::kMaxText, LineBreaks::Keep); }

}  // namespace

std::string_view toString(ErrorCode code) { return row(code).name; }

std::optional<ErrorCode> errorCodeFromString(std::string_view text) {
  for (const CodeRow& candidate : kCodes) {
    if (candidate.name == text) return candidate.code;
  }
  return std::nullopt;
}

int httpStatus(ErrorCode code) { return row(code).status; }

std::string_view titleOf(ErrorCode code) { return row(code).title; }

bool isRetryableByDefault(ErrorCode code) { return row(code).retryable; }

std::span<const ErrorCode> errorCodes() {
  static const auto codes = [] {
    std::array<ErrorCode, std::size(kCodes)> list{};
    for (std::size_t i = 0; i < list.size(); ++i) list[i] = kCodes[i].code;
    return list;
  }();
  return codes;
}

Error::Error(ErrorCode code, std::string message)
    : code_(code), retryable_(isRetryableByDefault(code)), message_(bounded(std::move(message))) {}

Error& Error::withCause(std::string cause) & {
  cause_ = bounded(std::move(cause));
  return *this;
}

Error&& Error::withCause(std::string cause) && { return std::move(withCause(std::move(cause))); }

Error&& Error::withRetryable(bool retryable) && {
  retryable_ = retryable;
  return std::move(*this);
}

Error&& Error::withRetryAfter(std::chrono::milliseconds wait) && {
  retry_after_ = wait;
  return std::move(*this);
}

Error&& Error::withUpstream(UpstreamFacts facts) && {
  upstream_ = std::move(facts);
  return std::move(*this);
}

Error&& Error::withField(std::string pointer, std::string detail) && {
  fields_.push_back({bounded(std::move(pointer)), bounded(std::move(detail))});
  return std::move(*this);
}

Error&& Error::withInstance(std::string instance) && {
  instance_ = std::move(instance);
  return std::move(*this);
}

std::string describeCurrentException() {
  try {
    throw;
  } catch (const Error& error) {
    std::string text = std::string(toString(error.code())) + ": " + error.message();
    if (!error.cause().empty()) text += " (" + error.cause() + ")";
    return text;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown exception";
  }
}

Error currentExceptionAsError() {
  const auto unexpected = [](std::string cause) {
    return Error(ErrorCode::Internal, "An unexpected error occurred in the server; see its log for details.").withCause(std::move(cause));
  };
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted) return Error(ErrorCode::Cancelled, "The operation was cancelled.");
    return unexpected(error.what());
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::OutOfResources, "The server is out of memory.");
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again) {  // thrown when a thread cannot be created
      return Error(ErrorCode::OutOfResources,
                   "Cannot start another process or thread: the limit is reached. End some processes, or raise the limit (pids).")
          .withCause(error.what());
    }
    return unexpected(error.what());
  } catch (const std::exception& error) {
    return unexpected(error.what());
  } catch (...) {
    return unexpected("");
  }
}

}  // namespace swarm

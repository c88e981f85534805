// The titles of problems, and their documents.
#include "net/http/problem.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cctype>

#include "base/id.h"

namespace swarm::net {
namespace {

namespace json = boost::json;

/// One title per kind of problem, as RFC 9457 recommends; `detail` describes the occurrence.
std::string_view titleOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return "The request is not valid";
    case ErrorCode::Unauthenticated:
      return "Sign-in is required";
    case ErrorCode::PermissionDenied:
      return "Not allowed";
    case ErrorCode::NotFound:
      return "Not found";
    case ErrorCode::AlreadyExists:
      return "Already exists";
    case ErrorCode::Conflict:
      return "The current state does not allow the request";
    case ErrorCode::PreconditionFailed:
      return "The resource was modified by another request";
    case ErrorCode::PayloadTooLarge:
      return "The request is too large";
    case ErrorCode::UnsupportedMedia:
      return "The content type is not supported";
    case ErrorCode::Unprocessable:
      return "The request cannot be fulfilled";
    case ErrorCode::TooManyRequests:
      return "Too many requests";
    case ErrorCode::Cancelled:
      return "Cancelled";
    case ErrorCode::Internal:
      return "Internal server error";
    case ErrorCode::Unsupported:
      return "Not supported by the provider";
    case ErrorCode::UpstreamFailed:
      return "The provider or workspace returned an error";
    case ErrorCode::Unavailable:
      return "Currently unreachable";
    case ErrorCode::DeadlineExceeded:
      return "The request timed out";
    case ErrorCode::OutOfResources:
      return "Out of resources";
  }
  return "An error";
}

bool isRequestId(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

std::string requestIdOf(const HeaderViews& headers) {
  const std::string_view given = headers.find("X-Request-Id").value_or("");
  return isRequestId(given) ? std::string(given) : newId("rq");
}

json::object problemDocument(const Error& error, std::string_view request_path, std::string_view request_id, int status) {
  bool usual = status == 0 || status == httpStatus(error.code());
  std::string instance = error.instance().empty() ? std::string(request_path) : "/api/instances/" + percentEncode(error.instance());
  json::object out;
  out["type"] = std::string("urn:swarm:problem:") + std::string(toString(error.code()));
  out["title"] = usual ? titleOf(error.code()) : reasonPhrase(status);
  out["status"] = usual ? httpStatus(error.code()) : status;
  out["detail"] = error.message();
  out["code"] = toString(error.code());
  out["instance"] = instance;
  out["requestId"] = request_id;
  out["retryable"] = error.retryable();
  if (!error.fields().empty()) {
    json::array fields;
    for (const FieldError& field : error.fields()) fields.push_back({{"pointer", field.pointer}, {"detail", field.detail}});
    out["errors"] = std::move(fields);
  }
  if (error.upstream().status != 0 || !error.upstream().requestId.empty()) {
    json::object upstream;
    if (error.upstream().status != 0) upstream["status"] = error.upstream().status;
    if (!error.upstream().requestId.empty()) upstream["requestId"] = error.upstream().requestId;
    out["upstream"] = std::move(upstream);
  }
  return out;
}

}  // namespace swarm::net

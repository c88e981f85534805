// The titles of problems, and their documents.
#include "net/http/problem.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cctype>

#include "base/id.h"

namespace swarm::net {
namespace {

namespace json = boost::json;

bool isRequestId(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

Headers retryAfter(const Error& error) {
  if (error.retryAfter().count() <= 0) return {};
  return {{"Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(error.retryAfter()).count())}};
}

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

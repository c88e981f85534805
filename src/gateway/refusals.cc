// The heads here are malformed or truncated: they are searched as text, and not trusted.
#include "gateway/refusals.h"

#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "gateway/pages/responses.h"
#include "net/http/problem.h"

namespace swarm::gateway {
namespace {

ErrorCode codeOf(int status) {
  switch (status) {
    case 408:
      return ErrorCode::DeadlineExceeded;
    case 500:
      return ErrorCode::Internal;
    case 501:
    case 505:
      return ErrorCode::Unsupported;
    case 503:
      return ErrorCode::Unavailable;
    default:
      return ErrorCode::InvalidArgument;
  }
}

/// Calls `visit` with the value of each line that begins with `name` and a colon.
template <typename Visit>
void visitFields(std::string_view bytes, std::string_view name, Visit&& visit) {
  for (std::size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    const std::string_view line = bytes.substr(at + 1, bytes.find('\n', at + 1) - at - 1);
    if (line.size() > name.size() && line[name.size()] == ':' && net::equalsIgnoreCase(line.substr(0, name.size()), name))
      visit(line.substr(name.size() + 1));
  }
}

bool wantsPage(std::string_view bytes) {
  bool wants = false;
  visitFields(bytes, "Accept", [&](std::string_view value) { wants = wants || value.find("text/html") != std::string_view::npos; });
  visitFields(bytes, "Sec-Fetch-Mode", [&](std::string_view value) { wants = wants && value.find("navigate") != std::string_view::npos; });
  return wants;
}

bool isMostlyCookies(std::string_view bytes) {
  std::size_t cookies = 0;
  visitFields(bytes, "Cookie", [&](std::string_view value) { cookies += value.size(); });
  return cookies > bytes.size() / 2;
}

std::string pathOf(std::string_view bytes) {
  const std::size_t begin = bytes.find(' ');
  if (begin == std::string_view::npos) return {};
  const std::string_view target = bytes.substr(begin + 1, bytes.find_first_of(" ?\r\n", begin + 1) - begin - 1);
  const bool printable = std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return printable && target.size() <= 256 ? std::string(target) : std::string();
}

}  // namespace

net::RefusalResponse refusalResponse(const net::RefusedRequest& refused) {
  const std::string request_id = newId("rq");
  const bool too_many_cookies = refused.error.status == 431 && isMostlyCookies(refused.bytes);
  net::RefusalResponse response{{{"X-Request-Id", request_id}}, {}};
  // The browser cannot reach a page that deletes them: this response must do so.
  if (too_many_cookies) response.headers.push_back({"Clear-Site-Data", "\"cookies\""});
  std::string detail = format("{}.", refused.error.reason);
  if (too_many_cookies) detail = "The cookies of this address were too large and have been deleted. Reload the page and sign in again.";
  if (wantsPage(refused.bytes)) {
    Page page =
        messagePage({.title = std::string(net::reasonPhrase(refused.error.status)), .text = detail, .detail = "Request " + request_id});
    addPageHeaders(page, kNotFramed, response.headers);
    response.body = std::move(page.html);
  } else {
    const Error error(codeOf(refused.error.status), detail);
    response.headers.push_back({"Cache-Control", "no-store"});
    response.headers.push_back({"X-Content-Type-Options", "nosniff"});
    response.headers.push_back({"Content-Type", std::string(net::kProblemType)});
    response.body = boost::json::serialize(net::problemDocument(error, pathOf(refused.bytes), request_id, refused.error.status));
  }
  return response;
}

}  // namespace swarm::gateway

// See cookies.h.
#include "gateway/cookies.h"

#include "base/id.h"
#include "net/http.h"

namespace swarm::gateway {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string instanceCookieName(std::string_view label, std::string_view base_authority) {
  std::string host(label);
  host.append(".").append(base_authority);
  return std::string(kInstanceCookiePrefix) + toHex(sha256(host)).substr(0, 8);
}

bool isReservedCookie(std::string_view name) {
  return net::equalsIgnoreCase(name, kSessionCookie) ||
         (name.size() >= kInstanceCookiePrefix.size() &&
          net::equalsIgnoreCase(name.substr(0, kInstanceCookiePrefix.size()), kInstanceCookiePrefix));
}

void appendForeignCookies(std::string_view header, std::string& out) {
  bool first = true;
  while (!header.empty()) {
    const auto end = header.find(';');
    const auto pair = trim(header.substr(0, end));
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    // Some parsers read a pair without "=" as a name without a value, others as a value without a name: hidden when either is ours.
    if (pair.empty() || isReservedCookie(trim(pair.substr(0, pair.find('='))))) continue;
    out.append(first ? "Cookie: " : "; ").append(pair);
    first = false;
  }
  if (!first) out.append("\r\n");
}

}  // namespace swarm::gateway

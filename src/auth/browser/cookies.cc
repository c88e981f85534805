#include "auth/browser/cookies.h"

#include <algorithm>

#include "base/id.h"
#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::string_view kHostPrefix = "__host-";
constexpr std::string_view kSecurePrefix = "__secure-";
/// `swarm-` of this version, and those of earlier versions, which a browser may still send.
constexpr std::string_view kOurPrefixes[] = {"swarm-", "swarm_session", "swarm_instance_"};
constexpr std::size_t kMaxExpiredPaths = 4;

bool startsWithIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && net::equalsIgnoreCase(text.substr(0, lower.size()), lower);
}

/// Without white space and control characters: browsers trim some of them, and our names contain none of them.
std::string_view trimmed(std::string_view text) {
  auto blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view takePair(std::string_view& header) {
  const auto end = header.find(';');
  const auto pair = trimmed(header.substr(0, end));
  header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
  return pair;
}

/// The name that some parsers read from "name=value", "=name=value" (a cookie without a name, which browsers return as the value alone) or
/// "\"name\"=…".
std::string_view effectiveName(std::string_view pair) {
  const auto skipped = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '=' || c == '"' || c == '\''; };
  while (!pair.empty() && skipped(pair.front())) pair.remove_prefix(1);
  pair = trimmed(pair.substr(0, pair.find('=')));
  while (!pair.empty() && (pair.back() == '"' || pair.back() == '\'')) pair.remove_suffix(1);
  return pair;
}

std::string attributes(const CookieNames& names, std::string_view domain, std::string_view path, std::int64_t max_age) {
  std::string out = format("; Path={}; HttpOnly; SameSite=Lax; Max-Age={}", path, max_age);
  if (!domain.empty()) out += format("; Domain={}", domain);
  if (names.secure) out += "; Secure";
  return out;
}

}  // namespace

CookieNames makeCookieNames(std::string_view base_authority, bool secure) {
  const std::string name = "swarm-" + toHex(sha256(base_authority)).substr(0, 12);
  const std::string host_only = (secure ? "__Host-" : "") + name;
  return {.session = host_only,
          .state = host_only + "-state",
          .mark = host_only + "-mark",
          .ports = (secure ? "__Secure-" : "") + name + "-ports",
          .device = host_only + "-device",
          .invite = host_only + "-invite",
          .provider = host_only + "-provider",
          .secure = secure};
}

bool isOurCookie(std::string_view name) {
  for (const std::string_view prefix : {kHostPrefix, kSecurePrefix})
    if (startsWithIgnoringCase(name, prefix)) name.remove_prefix(prefix.size());
  return std::ranges::any_of(kOurPrefixes, [&](std::string_view prefix) { return startsWithIgnoringCase(name, prefix); });
}

bool setsOurCookie(std::string_view set_cookie) { return isOurCookie(effectiveName(set_cookie.substr(0, set_cookie.find(';')))); }

CookieLookup findCookie(const net::HeaderViews& headers, std::string_view name) {
  CookieLookup found;
  for (const auto& field : headers.all()) {
    if (!net::equalsIgnoreCase(field.name, "Cookie")) continue;
    for (auto rest = field.value; !rest.empty();) {
      const auto pair = takePair(rest);
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)) != name) continue;
      found.value = ++found.count == 1 ? trimmed(pair.substr(equals + 1)) : std::string_view();
    }
  }
  return found;
}

std::size_t cookieBytes(const net::HeaderViews& headers) {
  std::size_t bytes = 0;
  for (const auto& field : headers.all())
    if (net::equalsIgnoreCase(field.name, "Cookie")) bytes += field.value.size();
  return bytes;
}

std::string setCookie(const CookieNames& names, std::string_view name, std::string_view value, std::int64_t max_age,
                      std::string_view domain) {
  return std::string(name).append("=").append(value) + attributes(names, domain, "/", max_age);
}

void expireCookie(const CookieNames& names, std::string_view name, std::string_view host, std::string_view path, net::Headers& out) {
  auto expire = [&](std::string_view domain, std::string_view at) {
    out.push_back({"Set-Cookie", std::string(name) + "=" + attributes(names, domain, at, 0)});
  };
  expire({}, "/");
  if (startsWithIgnoringCase(name, kHostPrefix)) return;  // browsers accept it only without a domain and with this path
  std::size_t paths = 0;
  for (std::size_t slash = 0; paths < kMaxExpiredPaths && slash != std::string_view::npos; slash = path.find('/', slash + 1), ++paths) {
    const auto at = slash == 0 ? std::string_view("/") : path.substr(0, slash);
    if (slash != 0) expire({}, at);
    for (auto domain = host; domain.find('.') != std::string_view::npos; domain = domain.substr(domain.find('.') + 1)) expire(domain, at);
  }
}

void appendForeignCookies(std::string_view header, std::string& out) {
  bool first = true;
  while (!header.empty()) {
    const auto pair = takePair(header);
    // Some parsers read a pair without "=" as a name without a value, others as a value without a name: it is hidden if either is ours.
    if (pair.empty() || isOurCookie(effectiveName(pair))) continue;
    out.append(first ? "Cookie: " : "; ").append(pair);
    first = false;
  }
  if (!first) out.append("\r\n");
}

}  // namespace swarm

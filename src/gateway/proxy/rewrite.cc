#include "gateway/proxy/rewrite.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "auth/browser/cookies.h"

namespace swarm::gateway {
namespace {

using net::equalsIgnoreCase;

/// Compares a header name with a lower-case, dashed one; "_" counts as "-", because CGI and its successors do not distinguish them.
bool isNamed(std::string_view name, std::string_view lower) {
  if (name.size() != lower.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (c == '_') c = '-';
    if (c != lower[i]) return false;
  }
  return true;
}

bool hasPrefix(std::string_view name, std::string_view lower) {
  return name.size() >= lower.size() && isNamed(name.substr(0, lower.size()), lower);
}

/// Fields that belong to one connection only (RFC 9110 §7.6.1, and others in use).
bool isHopByHop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return isNamed(name, "te");
    case 7:
      return isNamed(name, "upgrade") || isNamed(name, "trailer");
    case 10:
      return isNamed(name, "connection") || isNamed(name, "keep-alive");
    case 14:
      return isNamed(name, "http2-settings");
    case 16:
      return isNamed(name, "proxy-connection");
    case 17:
      return isNamed(name, "transfer-encoding");
    case 18:
      return isNamed(name, "proxy-authenticate");
    case 19:
      return isNamed(name, "proxy-authorization");
    default:
      return false;
  }
}

/// Fields that only the gateway may set: applications and the agent trust them.
bool isOurs(std::string_view name) {
  if (name.empty()) return false;
  switch (name.front() | 0x20) {
    case 's':
      return hasPrefix(name, "swarm-");
    case 'x':
      return hasPrefix(name, "x-forwarded-") || isNamed(name, "x-real-ip");
    case 'f':
      return isNamed(name, "forwarded");
    default:
      return false;
  }
}

void appendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

void appendLength(std::string& out, std::uint64_t length) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
  appendField(out, "Content-Length", {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

/// All Connection fields of a head; nearly always none or one with a single word.
class ConnectionOptions {
 public:
  explicit ConnectionOptions(const net::HeaderViews& headers) {
    for (const auto& field : headers.all()) {
      if (!equalsIgnoreCase(field.name, "Connection")) continue;
      if (equalsIgnoreCase(field.value, "keep-alive") || equalsIgnoreCase(field.value, "close") || equalsIgnoreCase(field.value, "upgrade"))
        continue;
      names_others_ = true;
    }
    headers_ = &headers;
  }
  bool nominates(std::string_view name) const {
    if (!names_others_) return false;
    for (const auto& field : headers_->all())
      if (equalsIgnoreCase(field.name, "Connection") && net::listHasToken(field.value, name)) return true;
    return false;
  }

 private:
  const net::HeaderViews* headers_ = nullptr;
  bool names_others_ = false;
};

void appendForwarded(const net::RequestHead& head, const ForwardFacts& facts, std::string& out) {
  std::string_view scheme = facts.scheme;
  std::string_view host = head.hostPort;
  std::string_view port = facts.port;
  out.append("X-Forwarded-For: ");
  if (facts.trustedProxy) {
    for (const auto& field : head.headers.all())
      if (isNamed(field.name, "x-forwarded-for") && !field.value.empty()) out.append(field.value).append(", ");
    if (const auto given = head.headers.find("X-Forwarded-Proto"); given == "http" || given == "https") scheme = *given;
    if (const auto given = head.headers.find("X-Forwarded-Port"); given && given->find_first_not_of("0123456789") == std::string_view::npos)
      port = *given;
  }
  out.append(facts.clientAddress).append("\r\n");
  appendField(out, "X-Forwarded-Host", host);
  appendField(out, "X-Forwarded-Proto", scheme);
  appendField(out, "X-Forwarded-Port", port);
}

bool replacesOurs(const net::HeaderView& field, const ResponseRules& rules) {
  if (equalsIgnoreCase(field.name, "Set-Cookie")) return setsOurCookie(field.value);
  // "cookies" stands for those of the whole site: on a domain also for the base host's and those of other workspaces.
  if (equalsIgnoreCase(field.name, "Clear-Site-Data"))
    return field.value.find("cookies") != std::string_view::npos || field.value.find('*') != std::string_view::npos;
  // A browser would report the addresses of a later instance's pages, too.
  if (equalsIgnoreCase(field.name, "NEL") || equalsIgnoreCase(field.name, "Report-To")) return true;
  // Only the gateway may widen the scope of a service worker (isPageWorker() in gateway.cc).
  return rules.isVscode &&
         (equalsIgnoreCase(field.name, "Cross-Origin-Opener-Policy") || equalsIgnoreCase(field.name, "Cross-Origin-Resource-Policy") ||
          equalsIgnoreCase(field.name, "Service-Worker-Allowed"));
}

/// The single Content-Type; empty: none, or several.
std::string_view contentTypeOf(const net::ResponseHead& head) {
  std::string_view found;
  for (const auto& field : head.headers.all()) {
    if (!equalsIgnoreCase(field.name, "Content-Type")) continue;
    if (!found.empty() || field.value.find(',') != std::string_view::npos) return {};
    found = field.value;
  }
  return found;
}

bool isOneOf(std::span<const std::string_view> prefixes, std::string_view type) {
  return std::ranges::any_of(prefixes, [type](std::string_view prefix) { return equalsIgnoreCase(type.substr(0, prefix.size()), prefix); });
}

constexpr std::array<std::string_view, 3> kScripts = {"text/javascript", "application/javascript", "application/x-javascript"};
/// What runs no script when a browser opens it. Everything else may be a page, if only because browsers guess types.
constexpr std::array<std::string_view, 8> kPassive = {"text/css",         "text/plain",       "font/", "audio/", "video/",
                                                      "application/json", "application/wasm", "image/"};
constexpr std::array<std::string_view, 1> kDrawings = {"image/svg"};

/// A browser's cache and service workers outlive an instance, and another owner may get its name. So a browser may use a stored page, or a
/// stored script of a worker, only after a request, whose refusal clears the storage (pages/handover.cc). A 304 may change what is stored.
void appendCaching(const net::ResponseHead& head, const ResponseRules& rules, std::string& out) {
  if (!rules.isOfInstance) return;
  const auto type = contentTypeOf(head);
  if (rules.isWorkerScript || head.status == 304)
    appendField(out, "Cache-Control", "no-cache");
  else if (isOneOf(kScripts, type))
    appendField(out, "Vary", "Service-Worker");  // what a page has fetched is not used for a worker
  else if (!isOneOf(kPassive, type) || isOneOf(kDrawings, type))
    appendField(out, "Cache-Control", "no-cache");
}

void appendStatusLine(const net::ResponseHead& head, std::string& out) {
  std::array<char, 4> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), head.status).ptr;
  out.append("HTTP/1.1 ").append(digits.data(), end).append(" ").append(head.reason).append("\r\n");
}

/// Every field of a response that is the application's own.
void appendEndToEnd(const net::ResponseHead& head, const ResponseRules& rules, std::string& out) {
  const ConnectionOptions connection(head.headers);
  for (const auto& field : head.headers.all()) {
    if (isHopByHop(field.name) || equalsIgnoreCase(field.name, "Content-Length")) continue;
    if (connection.nominates(field.name) || replacesOurs(field, rules)) continue;
    appendField(out, field.name, field.value);
  }
}

}  // namespace

bool isForwardedUpgrade(const net::RequestHead& head) {
  return !head.upgrade.empty() && head.body.kind == net::BodyKind::None && head.upgrade.find(',') == std::string_view::npos &&
         !(head.upgrade.size() >= 2 && equalsIgnoreCase(head.upgrade.substr(0, 2), "h2")) &&
         !(head.upgrade.size() >= 4 && equalsIgnoreCase(head.upgrade.substr(0, 4), "http")) &&
         !(head.upgrade.size() >= 3 && equalsIgnoreCase(head.upgrade.substr(0, 3), "tls"));
}

void appendUpstreamRequest(const net::RequestHead& head, const ForwardFacts& facts, std::string& out) {
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
  appendField(out, "Host", head.hostPort);
  const ConnectionOptions connection(head.headers);
  bool had_length = false;
  for (const auto& field : head.headers.all()) {
    const auto name = field.name;
    // The gateway handles "Expect: 100-continue": an application that does not support it would let the client wait.
    if (isHopByHop(name) || isOurs(name) || isNamed(name, "host") || isNamed(name, "expect")) continue;
    if (isNamed(name, "content-length")) {
      had_length = had_length || equalsIgnoreCase(name, "content-length");
      continue;
    }
    if (connection.nominates(name)) continue;
    if (isNamed(name, "cookie"))
      appendForeignCookies(field.value, out);
    else
      appendField(out, name, field.value);
  }
  appendForwarded(head, facts, out);
  if (head.body.kind == net::BodyKind::Chunked)
    appendField(out, "Transfer-Encoding", "chunked");
  else if (head.body.kind == net::BodyKind::Length || had_length)
    appendLength(out, head.body.length);
  if (isForwardedUpgrade(head)) {
    appendField(out, "Connection", "Upgrade");
    appendField(out, "Upgrade", head.upgrade);
  }
  out.append("\r\n");
}

ClientResponse planClientResponse(const net::ResponseHead& head, int client_minor_version, bool client_keep_alive) {
  ClientResponse plan{.framing = ClientFraming::None, .keepAlive = client_keep_alive};
  switch (head.body.kind) {
    case net::BodyKind::None:
      break;
    case net::BodyKind::Length:
      plan.framing = ClientFraming::Length;
      break;
    case net::BodyKind::Chunked:
    case net::BodyKind::UntilClose:
      plan.framing = client_minor_version >= 1 ? ClientFraming::Chunked : ClientFraming::UntilClose;
      break;
  }
  if (plan.framing == ClientFraming::UntilClose) plan.keepAlive = false;
  return plan;
}

void appendClientResponse(const net::ResponseHead& head, const ClientResponse& plan, int client_minor_version, const ResponseRules& rules,
                          std::string& out) {
  appendStatusLine(head, out);
  appendEndToEnd(head, rules, out);
  out.append(rules.extra);
  appendCaching(head, rules, out);
  // Cookies that a sibling host planted would lock the user out until they expire.
  if (head.status == 431 && rules.cookiesAreLarge) appendField(out, "Clear-Site-Data", "\"cookies\"");
  if (plan.framing == ClientFraming::Chunked) {
    appendField(out, "Transfer-Encoding", "chunked");
  } else if (plan.framing == ClientFraming::Length) {
    appendLength(out, head.body.length);
  } else if (plan.framing == ClientFraming::None && head.status != 204) {
    // Responses to HEAD, and 304, contain the length of a body that does not follow.
    if (const auto length = head.headers.find("Content-Length")) appendField(out, "Content-Length", *length);
  }
  if (!plan.keepAlive)
    appendField(out, "Connection", "close");
  else if (client_minor_version == 0)
    appendField(out, "Connection", "keep-alive");
  out.append("\r\n");
}

void appendInterimResponse(const net::ResponseHead& head, std::string& out) {
  appendStatusLine(head, out);
  appendEndToEnd(head, {}, out);
  out.append("\r\n");
}

void appendUpgradeResponse(const net::ResponseHead& head, std::string& out) {
  appendStatusLine(head, out);
  appendEndToEnd(head, {}, out);
  appendField(out, "Connection", "Upgrade");
  if (const auto upgrade = head.headers.find("Upgrade")) appendField(out, "Upgrade", *upgrade);
  out.append("\r\n");
}

}  // namespace swarm::gateway

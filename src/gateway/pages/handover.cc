#include "gateway/pages/handover.h"

#include <boost/json/serialize.hpp>

#include "auth/entry.h"
#include "base/id.h"
#include "base/text/format.h"
#include "gateway/pages/responses.h"
#include "gateway/proxy/sender.h"

namespace swarm::gateway {
namespace {

constexpr std::int64_t kStateSeconds = 600;                           // to type a password
constexpr std::int64_t kMarkSeconds = 400LL * 24 * 3600;              // the maximum in browsers
constexpr std::size_t kSecretDigits = 43;                             // 32 bytes in base64url
constexpr std::string_view kClearStorage = "\"cache\", \"storage\"";  // "storage" includes service workers

/// The secret of the sign-ins that this browser has begun here; empty: none, or several cookies.
std::string_view secretOf(const net::RequestHead& head, const CookieNames& names) {
  const auto cookie = findCookie(head.headers, names.state);
  return cookie.value.size() == kSecretDigits ? cookie.value : std::string_view();
}

std::string bindingOf(std::string_view secret) { return secret.empty() ? std::string() : toBase64Url(sha256(secret)); }

/// Only the browser that holds the secret has received this proof: a path from another page (for example a folder to open) has none.
std::string proofOf(std::string_view secret, std::string_view path) { return toBase64Url(hmacSha256(secret, path).substr(0, 16)); }

MessagePage noCookie(std::string path) {
  return {.title = "Your browser did not keep the sign-in cookie",
          .text =
              "The browser sent no cookie for this workspace. Allow cookies for this address (private windows and extensions may "
              "block them), then try again.",
          .linkText = "Try again",
          .link = std::move(path)};
}

}  // namespace

std::string portRefusal(const InstanceRoute& route, std::uint16_t port) {
  return format("Port {} of {} opens for its owner only. Open its address in a tab of its own to share it.", port, route.name);
}

Handover::Handover(const PublicAddress& address, Auth& auth, const Clock& clock, Targets& targets)
    : address_(address), auth_(auth), clock_(clock), targets_(targets) {}

void Handover::repair(const net::RequestHead& head, const HostName& host, net::Headers& headers) const {
  const auto& names = targets_.names();
  if (findCookie(head.headers, names.session).isAmbiguous()) expireCookie(names, names.session, head.host, head.path(), headers);
  if (holdsStorageOfAnother(head, host)) headers.push_back({"Clear-Site-Data", std::string(kClearStorage)});
}

Handover::Begun Handover::begin(const net::RequestHead& head, const HostName& host, net::Headers& headers) const {
  const auto& names = targets_.names();
  // Several tabs may begin a sign-in at the same time: they share one secret.
  std::string secret(secretOf(head, names));
  if (secret.empty()) {
    secret = toBase64Url(randomBytes(32));
    headers.push_back({"Set-Cookie", setCookie(names, names.state, secret, kStateSeconds)});
  }
  const auto sender = senderOf(head, host, address_);
  const bool keeps_path = isLocalPath(head.target) && (host.port() != 0 || sender == Sender::Person || sender == Sender::SameHost);
  const std::string path(keeps_path ? head.target : std::string_view("/"));
  Begun begun{path, bindingOf(secret), proofOf(secret, path), {}};
  begun.baseUrl = address_.baseOrigin(head) + format("{}?host={}&binding={}&path={}&proof={}", kInstancePath, host.label(), begun.binding,
                                                     net::percentEncode(path), begun.proof);
  return begun;
}

// The response is the same for known and unknown names: it does not reveal which workspaces exist.
async::awaitable<void> Handover::challenge(net::Exchange& exchange, const HostName& host, net::Headers headers) {
  const auto& head = exchange.head();
  repair(head, host, headers);
  if (!isNavigation(head))
    co_return co_await respondProblem(exchange, 401, ErrorCode::Unauthenticated, "Sign in to use this workspace.", std::move(headers));
  const Begun begun = begin(head, host, headers);
  co_await respondRedirect(exchange, 302, begun.baseUrl, std::move(headers));
}

async::awaitable<void> Handover::challengeFrame(net::Exchange& exchange, const HostName& host, std::string_view frame_ancestors) {
  const auto& head = exchange.head();
  net::Headers headers;
  repair(head, host, headers);
  const Begun begun = begin(head, host, headers);
  const auto vscode = address_.originOf(address_.hosts().hostOf(host.instance(), 0), head);
  Page page = framePage({.vscode = vscode,
                         .codeUrl = format("{}{}?binding={}", vscode, kPortCodePath, begun.binding),
                         .enterUrl = format("{}?to={}&proof={}&code=", kCodePath, net::percentEncode(begun.path), begun.proof),
                         .baseUrl = begun.baseUrl});
  co_await respondPage(exchange, 200, std::move(page), std::move(headers), frame_ancestors);
}

async::awaitable<void> Handover::issuePortCode(net::Exchange& exchange, const Target& vscode, std::uint16_t port,
                                               const Principal& principal, net::Headers headers) {
  const InstanceRoute& route = *vscode.route;
  const auto binding = formField(exchange.head().query(), "binding").value_or("");
  if (port != 0 && !targets_.mayOpen(principal, route, port))
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, portRefusal(route, port), std::move(headers));
  if (port == 0 || binding.empty())
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "Only the page of a port may request its code.",
                                      std::move(headers));
  if (isRecordedEntry(principal, route.owner, route.instanceId))
    logEntry(principal, route.owner, route.instanceId, format("port {}", port));
  headers.push_back({"Content-Type", "application/json"});
  headers.push_back({"Cache-Control", "no-store"});
  const boost::json::object code{{"code", auth_.issueCode(principal, Targets::audienceOf(route, port), binding)}};
  co_await exchange.respond(200, std::move(headers), boost::json::serialize(code));
}

/// The storage that another instance has filled must not wait for a sign-in: its service worker may respond to every page, and never let
/// one through. Without a mark this shows only in a request for a worker's script, which pages of other sites cannot make.
bool Handover::holdsStorageOfAnother(const net::RequestHead& head, const HostName& host) const {
  const auto mark = findCookie(head.headers, targets_.names().mark);
  if (mark.count == 0) return head.headers.has("Service-Worker");
  const auto target = targets_.find(host);
  return !target || mark.value != auth_.markOf(target->route->instanceId.str());
}

std::string Handover::wantedPath(const net::RequestHead& head, const Target* target) const {
  auto path = localPathField(head.query(), "to");
  if (target && target->port != 0) return path;
  const auto secret = secretOf(head, targets_.names());
  const auto proof = formField(head.query(), "proof").value_or("");
  return !secret.empty() && equalConstantTime(proof, proofOf(secret, path)) ? path : "/";
}

net::Headers Handover::welcome(const net::RequestHead& head, const Target& target, const Principal& principal) const {
  const auto& names = targets_.names();
  const auto life = secondsUntil(principal.expiresAt, clock_);
  net::Headers headers;
  headers.push_back({"Set-Cookie", setCookie(names, names.session, auth_.issueInstanceCookie(principal, target.audience), life)});
  if (target.port == 0 && address_.isLocal()) {
    if (findCookie(head.headers, names.ports).isAmbiguous()) expireCookie(names, names.ports, head.host, head.path(), headers);
    headers.push_back(
        {"Set-Cookie", setCookie(names, names.ports, auth_.issueInstanceCookie(principal, Targets::portsAudienceOf(*target.route)), life,
                                 address_.hosts().hostOf(target.route->name, 0))});
  }
  std::ranges::move(mark(head, target), std::back_inserter(headers));
  return headers;
}

net::Headers Handover::mark(const net::RequestHead& head, const Target& target) const {
  const auto& names = targets_.names();
  const auto mark = auth_.markOf(target.route->instanceId.str());
  if (findCookie(head.headers, names.mark).value == mark) return {};
  return {{"Set-Cookie", setCookie(names, names.mark, mark, kMarkSeconds)}, {"Clear-Site-Data", std::string(kClearStorage)}};
}

std::string Handover::visitorFields(const net::RequestHead& head, const Target& target) const {
  std::string fields;
  if (!head.headers.has("Sec-Fetch-Mode") || !opensPage(head)) return fields;
  for (const net::Header& field : mark(head, target)) fields += format("{}: {}\r\n", field.name, field.value);
  return fields;
}

async::awaitable<void> Handover::takeCode(net::Exchange& exchange, std::shared_ptr<Target> target) {
  const auto& head = exchange.head();
  const auto path = wantedPath(head, target.get());
  const auto code = formField(head.query(), "code").value_or("");
  const auto binding = bindingOf(secretOf(head, targets_.names()));
  std::optional<Principal> principal;
  if (target && head.method == "GET" && !code.empty() && !binding.empty()) principal = auth_.takeCode(code, target->audience, binding);
  if (principal && targets_.mayOpen(*principal, *target->route, target->port)) {
    auto location = format("{}?to={}&proof={}", kArrivePath, net::percentEncode(path),
                           net::percentEncode(formField(head.query(), "proof").value_or("")));
    co_return co_await respondRedirect(exchange, 302, std::move(location), welcome(head, *target, *principal));
  }
  // A reload or "back" repeats a used code: a browser that is signed in continues.
  if (target && targets_.authenticate(head, target)) co_return co_await continueTo(exchange, path);
  if (binding.empty()) co_return co_await respondMessage(exchange, 403, ErrorCode::PermissionDenied, noCookie(path));
  co_await respondMessage(exchange, 403, ErrorCode::PermissionDenied,
                          {.title = "This sign-in has expired",
                           .text = "A sign-in must be completed once, within one minute, in the browser that began it.",
                           .linkText = "Sign in again",
                           .link = path});
}

async::awaitable<void> Handover::arrive(net::Exchange& exchange, std::shared_ptr<Target> target) {
  const auto path = wantedPath(exchange.head(), target.get());
  if (target && targets_.authenticate(exchange.head(), target)) co_return co_await continueTo(exchange, path);
  // A redirect to the base host would cause a loop.
  co_await respondMessage(exchange, 403, ErrorCode::PermissionDenied, noCookie(path));
}

async::awaitable<void> Handover::enterPort(net::Exchange& exchange, std::shared_ptr<Target> target, const Principal& principal) {
  const auto& head = exchange.head();
  const std::string_view path = isLocalPath(head.target) ? head.target : std::string_view("/");
  auto location = format("{}?to={}", kArrivePath, net::percentEncode(path));
  co_await respondRedirect(exchange, 302, std::move(location), welcome(head, *target, principal));
}

async::awaitable<void> Handover::continueTo(net::Exchange& exchange, std::string_view path) {
  return respondPage(exchange, 200, continuePage(path), {}, kFramedByAnyone);
}

}  // namespace swarm::gateway

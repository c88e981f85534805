// See sign_in.h.
#include "gateway/sign_in.h"

#include <charconv>

#include "base/format.h"
#include "base/log.h"
#include "gateway/answers.h"
#include "gateway/cookies.h"
#include "gateway/host.h"
#include "gateway/moving.h"

namespace swarm::gateway {
namespace {

constexpr std::size_t kMostFormBytes = 16 * 1024;

/// A query's field as a path of our own; "/" when it is none.
std::string localPathField(std::string_view query, std::string_view name) {
  auto path = formField(query, name);
  return path && isLocalPath(*path) ? *path : "/";
}

std::int64_t secondsUntil(SystemTime time, const Clock& clock) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(time - clock.now()).count());
}

std::string cookie(std::string_view name, std::string_view value, std::int64_t max_age, bool secure) {
  return format("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}", name, value, max_age, secure ? "; Secure" : "");
}

MessagePage noSuchWorkspace(std::string link) {
  return {.title = "No such workspace",
          .text = "There is no workspace of this name, or it is not yours.",
          .detail = {},
          .linkText = "Your workspaces",
          .link = std::move(link)};
}

}  // namespace

std::string PublicAddress::origin(std::string_view label, const net::RequestHead& head) const {
  std::string result = scheme + "://";
  if (!label.empty()) result.append(label).append(".");
  result += baseDomain;
  if (isLoopback) return result.append(head.hostPort.substr(head.host.size()));
  if (port != (isSecure() ? "443" : "80")) result.append(":").append(port);
  return result;
}

PublicAddress makePublicAddress(std::string base_domain, std::string_view public_url) {
  PublicAddress result;
  const auto colon = public_url.find("://");
  result.scheme = std::string(public_url.substr(0, colon));
  if (colon == std::string_view::npos || (result.scheme != "http" && result.scheme != "https") || base_domain.empty())
    throw Error(ErrorCode::InvalidArgument, format("The public URL \"{}\" must begin with http:// or https://.", public_url));
  auto authority = public_url.substr(colon + 3);
  authority = authority.substr(0, authority.find('/'));
  const auto port_at = authority.rfind(':');
  result.port = result.isSecure() ? "443" : "80";
  if (port_at != std::string_view::npos && !authority.ends_with(']')) result.port = std::string(authority.substr(port_at + 1));
  unsigned number = 0;
  const auto parsed = std::from_chars(result.port.data(), result.port.data() + result.port.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != result.port.data() + result.port.size() || number > 65535)
    throw Error(ErrorCode::InvalidArgument, format("The port in the public URL \"{}\" is no port.", public_url));
  result.isLoopback = base_domain == "localhost" || base_domain.ends_with(".localhost");
  result.baseDomain = std::move(base_domain);
  return result;
}

SignIn::SignIn(const PublicAddress& address, Auth& auth, const Clock& clock, Targets& targets)
    : address_(address), auth_(auth), clock_(clock), targets_(targets) {}

std::optional<Principal> SignIn::sessionOf(const net::RequestHead& head) const {
  std::optional<Principal> principal;
  for (const auto& field : head.headers.all()) {
    if (!net::equalsIgnoreCase(field.name, "Cookie")) continue;
    if (visitCookies(field.value, [&](std::string_view name, std::string_view value) {
          return name == kSessionCookie && (principal = auth_.verifyApiToken(value)).has_value();
        }))
      break;
  }
  return principal;
}

// --- On an instance's host ---

net::awaitable<void> SignIn::challenge(net::Exchange& exchange, const HostName& host) {
  const auto& head = exchange.head();
  if (!isNavigation(head)) {
    co_await respondProblem(exchange, 401, "unauthenticated", "Sign in to use this workspace.");
    co_return;
  }
  // Known and unknown names answer alike: who is not signed in learns nothing about what exists.
  std::string location = address_.origin({}, head) + format("{}?name={}", kInstancePath, host.instance());
  if (host.port() != 0) location += format("&port={}", host.port());
  location += "&path=" + net::percentEncode(isLocalPath(head.target) ? head.target : std::string_view("/"));
  co_await respondRedirect(exchange, 302, std::move(location));
}

net::awaitable<void> SignIn::takeCode(net::Exchange& exchange, std::shared_ptr<Target> target) {
  const auto& head = exchange.head();
  const auto path = localPathField(head.query(), "to");
  const auto code = formField(head.query(), "code").value_or("");
  std::optional<Principal> principal;
  if (target && head.method == "GET" && !code.empty()) principal = auth_.takeCode(code, target->audience);
  if (principal && isAllowed(*principal, Permission::UseOwn, target->route->owner)) {
    net::Headers headers{{"Set-Cookie", cookie(target->cookieName, auth_.issueInstanceCookie(*principal, target->audience),
                                               secondsUntil(principal->expiresAt, clock_), address_.isSecure())}};
    co_await respondRedirect(exchange, 302, format("{}?to={}", kArrivePath, net::percentEncode(path)), std::move(headers));
    co_return;
  }
  // A used code comes back by reload or "back": whoever is signed in already goes on.
  if (target && targets_.authenticate(head, target)) {
    co_await respondRedirect(exchange, 302, path);
    co_return;
  }
  co_await respondMessage(exchange, 403, "permission_denied",
                          {.title = "This sign-in link has expired",
                           .text = "Such a link works once, and for a minute only.",
                           .detail = {},
                           .linkText = "Sign in again",
                           .link = path});
}

net::awaitable<void> SignIn::arrive(net::Exchange& exchange, std::shared_ptr<Target> target) {
  const auto path = localPathField(exchange.head().query(), "to");
  if (target && targets_.authenticate(exchange.head(), target)) {
    co_await respondRedirect(exchange, 302, path);
    co_return;
  }
  // Going back to the base domain from here would be a loop.
  co_await respondMessage(
      exchange, 403, "permission_denied",
      {.title = "Your browser did not keep the sign-in",
       .text = "It sent no cookie for this workspace. Allow cookies for this address (private windows and extensions may "
               "block them), then try again.",
       .detail = {},
       .linkText = "Try again",
       .link = path});
}

// --- On the base domain ---

net::awaitable<bool> SignIn::handleBase(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto path = head.path();
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (path != "/" && path != "/login" && path != "/logout" && path != kInstancePath) co_return false;
  if (reads && co_await redirectFromAddress(exchange)) co_return true;
  if (path == "/" && reads)
    co_await showLanding(exchange);
  else if (path == "/login" && reads)
    co_await showSignIn(exchange);
  else if (path == "/login" && head.method == "POST")
    co_await signIn(exchange);
  else if (path == "/logout" && head.method == "POST")
    co_await signOut(exchange);
  else if (path == "/logout" && reads)
    co_await respondRedirect(exchange, 303, "/");
  else if (path == kInstancePath && reads)
    co_await sendToInstance(exchange);
  else
    co_await respondProblem(exchange, 405, "invalid_argument", "This address does not take this method.");
  co_return true;
}

net::awaitable<bool> SignIn::redirectFromAddress(net::Exchange& exchange) {
  const auto& head = exchange.head();
  auto host = head.host;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (net::equalsIgnoreCase(host, address_.baseDomain) || !isNavigation(head)) co_return false;
  // 127.0.0.1 and the name have cookies of their own: one of them only, or a person would sign in twice.
  co_await respondRedirect(exchange, 302, address_.origin({}, head) + std::string(isLocalPath(head.target) ? head.target : "/"));
  co_return true;
}

net::awaitable<void> SignIn::showLanding(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto principal = sessionOf(head);
  if (!principal) {
    co_await respondRedirect(exchange, 302, "/login");
    co_return;
  }
  std::vector<LandingRow> rows;
  for (const auto& [name, route] : targets_.routes()) {
    if (!canSee(*principal, route->owner) || route->status == InstanceStatus::deleted) continue;
    const bool busy = route->status != InstanceStatus::running || !route->ready;
    rows.push_back({.name = name,
                    .owner = route->owner,
                    .url = address_.origin(name, head) + "/",
                    .status = route->status,
                    .ready = route->ready,
                    .note = route->status == InstanceStatus::failed ? route->reason
                            : route->moving ? format("moving to {}, {} %", route->moving->to, percentOf(*route->moving))
                            : busy          ? route->step
                                            : ""});
  }
  co_await respondPage(exchange, 200, landingPage(*principal, rows));
}

net::awaitable<void> SignIn::showSignIn(net::Exchange& exchange) {
  const auto next = localPathField(exchange.head().query(), "next");
  if (sessionOf(exchange.head())) {
    co_await respondRedirect(exchange, 303, next);
    co_return;
  }
  co_await respondPage(exchange, 200, signInPage({.user = {}, .next = next, .problem = {}}));
}

net::awaitable<void> SignIn::signIn(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto type = head.headers.find("Content-Type").value_or("");
  if (!isSameOriginPost(head) || !type.starts_with("application/x-www-form-urlencoded")) {
    co_await respondMessage(exchange, 403, "permission_denied",
                            {.title = "Not signed in",
                             .text = "The sign-in did not come from this server's own page.",
                             .detail = {},
                             .linkText = "Sign in",
                             .link = "/login"});
    co_return;
  }
  std::string user, next = "/", problem;
  int status = 401;
  net::Headers headers;
  try {
    const auto form = co_await net::readAll(exchange.body(), kMostFormBytes);
    user = formField(form, "user").value_or("");
    next = localPathField(form, "next");
    auto login = co_await auth_.login(user, Secret(formField(form, "password").value_or("")), exchange.stream().peerAddress());
    headers.push_back(
        {"Set-Cookie", cookie(kSessionCookie, login.token.reveal(), secondsUntil(login.principal.expiresAt, clock_), address_.isSecure())});
  } catch (const Error& error) {
    status = httpStatus(error.code());
    problem = error.message();
  }
  if (problem.empty())
    co_await respondRedirect(exchange, 303, next, std::move(headers));
  else
    co_await respondPage(exchange, status, signInPage({.user = user, .next = next, .problem = problem}));
}

net::awaitable<void> SignIn::signOut(net::Exchange& exchange) {
  const auto& head = exchange.head();
  if (!isSameOriginPost(head)) {
    co_await respondProblem(exchange, 403, "permission_denied", "The sign-out did not come from this server's own page.");
    co_return;
  }
  std::string problem;
  if (const auto principal = sessionOf(head)) {
    try {
      co_await auth_.logout(*principal);
    } catch (const Error& error) {
      problem = error.message();
    }
  }
  if (!problem.empty()) {
    // A session that lives on must not be called ended.
    co_await respondMessage(
        exchange, 503, "unavailable",
        {.title = "Still signed in", .text = "Signing out failed. Try again.", .detail = problem, .linkText = {}, .link = {}});
    co_return;
  }
  co_await respondPage(exchange, 200, signedOutPage(), {{"Set-Cookie", cookie(kSessionCookie, "", 0, address_.isSecure())}});
}

net::awaitable<void> SignIn::sendToInstance(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto principal = sessionOf(head);
  if (!principal) {
    co_await respondRedirect(exchange, 302, "/login?next=" + net::percentEncode(isLocalPath(head.target) ? head.target : "/"));
    co_return;
  }
  const auto name = formField(head.query(), "name").value_or("");
  const auto port_text = formField(head.query(), "port").value_or("0");
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  const bool bad_port = parsed.ec != std::errc{} || parsed.ptr != port_text.data() + port_text.size();
  const auto found = targets_.routes().find(name);
  if (bad_port || found == targets_.routes().end() || !canSee(*principal, found->second->owner)) {
    co_await respondMessage(exchange, 404, "not_found", noSuchWorkspace("/"));
    co_return;
  }
  const auto route = found->second;
  if (!isAllowed(*principal, Permission::UseOwn, route->owner)) {
    co_await respondMessage(exchange, 403, "permission_denied",
                            {.title = "Not allowed",
                             .text = "Your role lets you see this workspace, but not open it.",
                             .detail = {},
                             .linkText = "Your workspaces",
                             .link = "/"});
    co_return;
  }
  const auto code = auth_.issueCode(*principal, Targets::audienceOf(*route, port));
  const auto label = port == 0 ? route->name : format("{}--{}", port, route->name);
  co_await respondRedirect(exchange, 302,
                           address_.origin(label, head) + format("{}?code={}&to={}", kCodePath, net::percentEncode(code),
                                                                 net::percentEncode(localPathField(head.query(), "path"))));
}

}  // namespace swarm::gateway

#include "gateway/pages/sign_in.h"

#include "async/attempt.h"
#include "audit/audit.h"
#include "base/text/format.h"
#include "gateway/pages/handover.h"
#include "gateway/pages/responses.h"
#include "gateway/recording.h"
#include "net/http/problem.h"

namespace swarm::gateway {
namespace {

constexpr std::string_view kLinkPath = "/login/link";

MessagePage noSuchWorkspace() {
  return {.title = "No such workspace",
          .text = "A workspace of this name does not exist, or belongs to another user.",
          .linkText = "Your workspaces",
          .link = "/"};
}

MessagePage noSuchPage() {
  return {.title = "No such page",
          .text = "This server has no page at this address. Check the address.",
          .linkText = "Your workspaces",
          .link = "/"};
}

/// What the API serves, also to a browser.
bool isOfApi(std::string_view path) {
  return path == "/api" || path.starts_with("/api/") || path.starts_with("/.well-known/") || path == "/healthz" || path == "/readyz" ||
         path == "/metrics";
}

/// Typed, pasted, or opened by a program, not by a page.
bool isOpenedByPerson(const net::RequestHead& head) {
  const auto site = head.headers.find("Sec-Fetch-Site");
  return site ? *site == "none" : !head.headers.has("Referer") && !head.headers.has("Origin");
}

}  // namespace

SignIn::SignIn(const PublicAddress& address, const BrowserSession& browser, Auth& auth, Targets& targets, const WorkspaceActions& actions,
               OpenBudget* forms, Audit* audit, oidc::IdentityProviders* providers)
    : address_(address),
      browser_(browser),
      auth_(auth),
      targets_(targets),
      actions_(actions),
      identities_(browser, auth, providers, audit),
      landing_(address, browser, targets, actions, audit, identities_),
      second_factor_(browser, auth, forms, audit),
      invitation_(browser, auth, forms, second_factor_),
      provider_(browser, providers, forms),
      program_(browser, auth, forms),
      forms_(forms),
      audit_(audit) {}

async::awaitable<bool> SignIn::handleBase(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto path = head.path();
  const bool reads = head.method == "GET" || head.method == "HEAD";
  const bool posts = head.method == "POST";
  if (path != "/" && path != "/login" && path != "/logout" && path != kLinkPath && path != kInstancePath && path != kInvitePath &&
      path != kSharePortPath && path != oidc::kSignedOutPath && !provider_.takes(path) && !ProgramSignIn::takes(path) &&
      !Landing::takes(path) && !SecondFactorPages::takes(path) && !identities_.takes(path)) {
    if (isOfApi(path) || !isNavigation(head)) co_return false;
    co_await respondMessage(exchange, 404, ErrorCode::NotFound, noSuchPage());
    co_return true;
  }
  if (!browser_.isBaseHost(head))
    co_await leaveAddress(exchange);
  else if (path == "/" && reads)
    co_await landing_.show(exchange);
  else if (identities_.takes(path) && reads)
    co_await identities_.show(exchange);
  else if (SecondFactorPages::takes(path))
    co_await second_factor_.handle(exchange);
  else if (Landing::takes(path))
    co_await landing_.act(exchange);
  else if (path == "/login" && reads)
    co_await showSignIn(exchange);
  else if (path == "/login" && posts)
    co_await signIn(exchange);
  else if (path == kLinkPath && head.method == "GET")
    co_await followLink(exchange);
  else if (path == kLinkPath && posts)
    co_await signInByLink(exchange);
  else if (path == kInvitePath && head.method == "GET")
    co_await invitation_.show(exchange);
  else if (path == kInvitePath && posts)
    co_await invitation_.accept(exchange);
  else if (ProgramSignIn::takes(path))
    co_await program_.handle(exchange);
  else if (provider_.takes(path))
    co_await provider_.handle(exchange);
  else if (path == oidc::kSignedOutPath && reads)
    co_await respondPage(exchange, 200, signedOutPage());
  else if (path == "/logout" && posts)
    co_await signOut(exchange);
  else if (path == "/logout" && reads)
    co_await respondRedirect(exchange, 303, "/");
  else if (path == kInstancePath && reads)
    co_await sendToInstance(exchange, std::string(head.query()), Entry::New);
  else if (path == kInstancePath && posts)
    co_await enterInstance(exchange);
  else if (path == kSharePortPath && posts)
    co_await sharePort(exchange);
  else
    co_await respondProblem(exchange, 405, ErrorCode::InvalidArgument, "This address does not accept this method.");
  co_return true;
}

/// Addresses and `localhost` show no pages: browsers would send their cookies to every program on any port there. The cookie of an earlier
/// version is removed.
async::awaitable<void> SignIn::leaveAddress(net::Exchange& exchange) {
  const auto& head = exchange.head();
  net::Headers headers{{"Set-Cookie", "swarm_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"}};
  const auto location = address_.baseOrigin(head) + std::string(isLocalPath(head.target) ? head.target : "/");
  if (head.method == "GET" || head.method == "HEAD")
    co_await respondRedirect(exchange, 302, location, std::move(headers));
  else
    co_await respondProblem(exchange, 421, ErrorCode::InvalidArgument, format("Pages are served only at {}.", address_.baseOrigin(head)),
                            std::move(headers));
}

async::awaitable<void> SignIn::showSignIn(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto next = localPathField(head.query(), "next");
  if (browser_.find(head)) co_return co_await respondRedirect(exchange, 303, next);
  co_await respondPage(exchange, 200, signInPage({.next = next, .providers = provider_.links(next)}), browser_.repair(head));
}

async::awaitable<void> SignIn::respondSignInFailure(net::Exchange& exchange, SignInPage page, Error error) {
  page.problem = error.message();
  page.providers = provider_.links(page.next);
  co_await respondPage(exchange, httpStatus(error.code()), signInPage(page), net::retryAfter(error));
}

async::awaitable<void> SignIn::signIn(net::Exchange& exchange) {
  const auto& head = exchange.head();
  if (!isSameOrigin(head) || !isForm(head))
    co_return co_await respondMessage(
        exchange, 403, ErrorCode::PermissionDenied,
        {.title = "Not signed in", .text = "The form was not sent by a page of this server.", .linkText = "Sign in", .link = "/login"});
  const auto form = co_await async::attempt(readForm(exchange, browser_, forms_));
  if (!form) co_return co_await respondSignInFailure(exchange, {}, form.error());
  SignInPage page{.user = formField(*form, "user").value_or(""), .next = localPathField(*form, "next")};
  Secret password(formField(*form, "password").value_or(""));
  auto step = co_await async::attempt(auth_.secondFactors().beginSignIn(page.user, std::move(password), browser_.originOf(exchange)));
  if (!step) co_return co_await respondSignInFailure(exchange, std::move(page), step.error());
  co_await second_factor_.proceed(exchange, std::move(*step), page.next);
}

// --- One-time links ---

async::awaitable<void> SignIn::followLink(net::Exchange& exchange) {
  const auto& head = exchange.head();
  auto code = formField(head.query(), "code").value_or("");
  auto next = localPathField(head.query(), "next");
  const auto user = auth_.userOfLoginLink(code);
  const auto present = browser_.find(head);
  if (!user && present) {
    co_await respondRedirect(exchange, 303, next);  // probably used before by this browser
    co_return;
  }
  // A page could open this link to sign its visitor in as another user: without a confirmation, the user must have opened it.
  const bool at_once = !user || (isOpenedByPerson(head) && isNavigation(head) && (!present || present->user == *user));
  if (at_once)
    co_await takeLink(exchange, std::move(code), std::move(next));
  else
    co_await respondPage(exchange, 200, signInByLinkPage(*user, code, next));
}

async::awaitable<void> SignIn::signInByLink(net::Exchange& exchange) {
  const auto& head = exchange.head();
  std::expected<std::string, Error> form;
  if (isSameOrigin(head) && isForm(head)) form = co_await async::attempt(readForm(exchange, browser_, forms_));
  if (!form)
    co_return co_await respondMessage(
        exchange, httpStatus(form.error().code()), form.error().code(),
        {.title = "Not signed in", .text = form.error().message(), .linkText = "Sign in with a password", .link = "/login"});
  co_await takeLink(exchange, formField(*form, "code").value_or(""), localPathField(*form, "next"));
}

async::awaitable<void> SignIn::takeLink(net::Exchange& exchange, std::string code, std::string next) {
  const auto login = co_await auth_.takeLoginLink(std::move(code), browser_.originOf(exchange));
  if (login) co_return co_await respondRedirect(exchange, 303, std::move(next), browser_.begin(exchange.head(), login->principal));
  co_await respondMessage(exchange, 403, ErrorCode::PermissionDenied,
                          {.title = "This link has expired",
                           .text = format("A sign-in link works once, within {} minutes.", kLoginLinkLife.count()),
                           .linkText = "Sign in with a password",
                           .link = "/login"});
}

async::awaitable<void> SignIn::signOut(net::Exchange& exchange) {
  const auto& head = exchange.head();
  if (!isSameOrigin(head))
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "The form was not sent by a page of this server.");
  std::string further;
  if (const auto principal = browser_.find(head)) {
    further = co_await provider_.signOutUrl(*principal);
    AuditRecord record = recordBy(*principal, browser_.originOf(exchange));
    record.action = "signOut";
    record.kind = "session";
    record.objectId = principal->sessionId;
    const auto ended = co_await async::attempt(recordChange(audit_, std::move(record), auth_.logout(*principal), Audit::Unrecorded::Allow));
    // The page must not report the end of a session that is still valid.
    if (!ended)
      co_return co_await respondMessage(
          exchange, 503, ErrorCode::Unavailable,
          {.title = "You are still signed in", .text = "The sign-out failed. Try again.", .detail = ended.error().message()});
  }
  if (!further.empty()) co_return co_await respondRedirect(exchange, 303, std::move(further), browser_.end(head));
  co_await respondPage(exchange, 200, signedOutPage(), browser_.end(head));
}

// --- On to an instance ---

async::awaitable<void> SignIn::sendToInstance(net::Exchange& exchange, std::string fields, Entry entry) {
  const auto& head = exchange.head();
  const auto host = parseLabel(formField(fields, "host").value_or(""));
  const auto binding = formField(fields, "binding").value_or("");
  const auto path = localPathField(fields, "path");
  const auto proof = formField(fields, "proof").value_or("");
  const auto principal = browser_.find(head);
  if (!principal) {
    const bool returns = head.method != "POST" && isLocalPath(head.target);
    co_return co_await respondRedirect(exchange, head.method == "POST" ? 303 : 302,
                                       "/login?next=" + net::percentEncode(returns ? head.target : "/"), browser_.repair(head));
  }
  const auto found = targets_.routes().find(host.instance());
  const auto route = host.label().empty() || found == targets_.routes().end() ? nullptr : found->second;
  const bool may_open = route && targets_.mayOpen(*principal, *route, host.port());
  if (!route || (!may_open && !canSee(*principal, route->owner, route->instanceId))) {
    co_await recordRefusedEntry(exchange, *principal, host, route.get(), 404);
    co_return co_await respondMessage(exchange, 404, ErrorCode::NotFound, noSuchWorkspace());
  }
  if (!may_open) {
    co_await recordRefusedEntry(exchange, *principal, host, route.get(), 403);
    if (actions_.sharePort && targets_.mayOpen(*principal, *route, 0))
      co_return co_await respondPage(exchange, 403, portPage({route->name, route->owner, host.port(), std::string(host.label()), path}));
    co_return co_await respondMessage(
        exchange, 403, ErrorCode::PermissionDenied,
        {.title = "Not allowed", .text = "You may see this workspace, but not open it.", .linkText = "Your workspaces", .link = "/"});
  }
  const auto origin = address_.originOf(format("{}.{}", host.label(), address_.hosts().instanceDomain), head);
  if (binding.empty()) {
    co_await respondRedirect(exchange, 302, origin + "/");  // a sign-in begins at the instance's host
    co_return;
  }
  // What a port opens to every user is not an entry.
  if (targets_.mayOpen(*principal, *route, 0) && isRecordedEntry(*principal, route->owner, route->instanceId)) {
    if (entry == Entry::New)
      co_return co_await respondPage(exchange, 200,
                                     enterPage({route->name, route->owner, std::string(host.label()), binding, path, proof}));
    logEntry(*principal, route->owner, route->instanceId, host.port() == 0 ? "vscode" : format("port {}", host.port()));
  }
  const auto code = auth_.issueCode(*principal, Targets::audienceOf(*route, host.port()), binding);
  co_await respondRedirect(exchange, entry == Entry::New ? 302 : 303,
                           format("{}{}?code={}&to={}&proof={}", origin, kCodePath, net::percentEncode(code), net::percentEncode(path),
                                  net::percentEncode(proof)));
}

/// `route`: null for a workspace that does not exist. That is recorded, too: the time of the response must not show the difference to
/// another user's.
async::awaitable<void> SignIn::recordRefusedEntry(net::Exchange& exchange, const Principal& principal, const HostName& host,
                                                  const InstanceRoute* route, int status) {
  if (audit_ == nullptr || host.label().empty()) co_return;
  AuditRecord record = recordOfEntry(route, host, principal, browser_.originOf(exchange));
  record.status = status;
  co_await audit_->refuse(std::move(record));
}

/// The form of the page of a port that is not open to its visitor.
async::awaitable<void> SignIn::sharePort(net::Exchange& exchange) {
  const auto& head = exchange.head();
  if (!isSameOrigin(head) || !isForm(head))
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "The form was not sent by a page of this server.");
  const auto form = co_await async::attempt(readForm(exchange, browser_, forms_));
  const auto principal = browser_.find(head);
  if (!principal) co_return co_await respondRedirect(exchange, 303, "/login", browser_.repair(head));
  const auto host = parseLabel(form ? formField(*form, "host").value_or("") : "");
  const auto found = targets_.routes().find(host.instance());
  if (!form || host.port() == 0 || found == targets_.routes().end() || !targets_.mayOpen(*principal, *found->second, 0))
    co_return co_await respondMessage(exchange, 404, ErrorCode::NotFound, noSuchWorkspace());
  const auto route = found->second;
  if (!targets_.mayOpen(*principal, *route, host.port())) {
    AuditRecord record = recordAbout(route.get(), *principal, browser_.originOf(exchange), "putPort");
    record.after = {{"port", std::to_string(host.port())}, {"level", "shared"}};
    const auto shared =
        co_await async::attempt(recordChange(audit_, std::move(record), actions_.sharePort(*principal, route->instanceId, host.port())));
    if (!shared)
      co_return co_await respondMessage(
          exchange, httpStatus(shared.error().code()), shared.error().code(),
          {.title = "The port was not shared", .text = shared.error().message(), .linkText = "Your workspaces", .link = "/"});
  }
  const auto origin = address_.originOf(format("{}.{}", host.label(), address_.hosts().instanceDomain), head);
  co_await respondRedirect(exchange, 303, origin + localPathField(*form, "path"));
}

/// The form of the page that announces a recorded entry.
async::awaitable<void> SignIn::enterInstance(net::Exchange& exchange) {
  const auto& head = exchange.head();
  if (!isSameOrigin(head) || !isForm(head))
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "The form was not sent by a page of this server.");
  auto form = co_await async::attempt(readForm(exchange, browser_, forms_));
  if (!form)
    co_return co_await respondMessage(exchange, httpStatus(form.error().code()), form.error().code(),
                                      {.title = "The request failed", .text = form.error().message(), .linkText = "Back", .link = "/"});
  co_await sendToInstance(exchange, std::move(*form), Entry::Announced);
}

}  // namespace swarm::gateway

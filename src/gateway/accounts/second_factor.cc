#include "gateway/accounts/second_factor.h"

#include "async/attempt.h"
#include "auth/accounts/accounts.h"
#include "auth/entry.h"
#include "base/text/format.h"
#include "gateway/accounts/qr_code.h"
#include "gateway/pages/responses.h"
#include "net/http/problem.h"

namespace swarm::gateway {
namespace {

constexpr std::string_view kSignInCodePath = "/login/code";
constexpr std::string_view kSetUpPath = "/second-factor/setup";
constexpr std::string_view kConfirmPath = "/second-factor/confirm";
constexpr std::string_view kDisablePath = "/second-factor/disable";

EnrolPage enrolPageOf(const Enrolment& enrolment, std::string next, std::string problem = {}) {
  return {.user = enrolment.user,
          .ticket = enrolment.ticket,
          .secret = enrolment.secret,
          .uri = enrolment.uri,
          .qrCode = qrCodeSvg(enrolment.uri),
          .next = std::move(next),
          .problem = std::move(problem)};
}

/// `record`: who does it, to themselves.
AuditRecord recordOf(AuditRecord record, std::string_view action) {
  record.action = action;
  record.kind = "user";
  record.object = record.user;
  return record;
}

}  // namespace

bool SecondFactorPages::takes(std::string_view path) {
  return path == kSecondFactorPath || path == kSignInCodePath || path == kSetUpPath || path == kConfirmPath || path == kDisablePath;
}

async::awaitable<void> SecondFactorPages::handle(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const std::string path(head.path());
  const auto principal = browser_.find(head);
  const bool needs_session = path != kSignInCodePath && path != kConfirmPath;
  if (path == kSecondFactorPath && (head.method == "GET" || head.method == "HEAD")) {
    if (principal) co_return co_await show(exchange, *principal, {}, 200);
    co_return co_await respondRedirect(exchange, 303, format("/login?next={}", kSecondFactorPath), browser_.repair(head));
  }
  if (head.method != "POST") co_return co_await respondRedirect(exchange, 303, std::string(kSecondFactorPath));
  if (!isSameOrigin(head) || !isForm(head) || path == kSecondFactorPath)
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "The form was not sent by a page of this server.");
  if (needs_session && !principal) co_return co_await respondRedirect(exchange, 303, format("/login?next={}", kSecondFactorPath));
  auto form = co_await async::attempt(readForm(exchange, browser_, forms_));
  if (!form)
    co_return co_await respondMessage(exchange, httpStatus(form.error().code()), form.error().code(),
                                      {.title = "The request failed", .text = form.error().message(), .linkText = "Back", .link = "/"});
  if (path == kSignInCodePath)
    co_await signIn(exchange, std::move(*form));
  else if (path == kConfirmPath)
    co_await confirm(exchange, std::move(*form));
  else if (path == kSetUpPath)
    co_await setUp(exchange, *principal, std::move(*form));
  else
    co_await disable(exchange, *principal, std::move(*form));
}

async::awaitable<void> SecondFactorPages::proceed(net::Exchange& exchange, SignInStep step, std::string next, net::Headers headers) {
  if (const auto* login = std::get_if<LoginResult>(&step)) {
    for (net::Header& header : browser_.begin(exchange.head(), login->principal)) headers.push_back(std::move(header));
    co_await respondRedirect(exchange, 303, std::move(next), std::move(headers));
  } else if (const auto* code = std::get_if<CodeRequired>(&step)) {
    co_await respondPage(exchange, 200, codePage({.user = code->user, .ticket = code->ticket, .next = std::move(next)}),
                         std::move(headers));
  } else {
    co_await respondPage(exchange, 200, enrolPage(enrolPageOf(std::get<Enrolment>(step), std::move(next))), std::move(headers));
  }
}

async::awaitable<void> SecondFactorPages::respondExpired(net::Exchange& exchange, const Error& error) {
  co_await respondMessage(exchange, 403, ErrorCode::PermissionDenied,
                          {.title = "Begin again", .text = error.message(), .linkText = "Sign in", .link = "/login"});
}

async::awaitable<void> SecondFactorPages::signIn(net::Exchange& exchange, std::string form) {
  CodePage page{
      .user = formField(form, "user").value_or(""), .ticket = formField(form, "ticket").value_or(""), .next = localPathField(form, "next")};
  const auto login =
      co_await async::attempt(auth_.secondFactors().signIn(page.ticket, formField(form, "code").value_or(""), browser_.originOf(exchange)));
  if (login) co_return co_await respondRedirect(exchange, 303, page.next, browser_.begin(exchange.head(), login->principal));
  if (login.error().code() == ErrorCode::NotFound) co_return co_await respondExpired(exchange, login.error());
  page.problem = login.error().message();
  co_await respondPage(exchange, httpStatus(login.error().code()), codePage(page), net::retryAfter(login.error()));
}

async::awaitable<void> SecondFactorPages::show(net::Exchange& exchange, Principal principal, std::string problem, int status) {
  const auto user = co_await auth_.accounts().find(principal.user);
  if (!user) co_return co_await respondRedirect(exchange, 303, "/login");
  const SecondFactorStatus factor = co_await auth_.secondFactors().status(*user);
  co_await respondPage(exchange, status,
                       secondFactorPage({.user = principal.user,
                                         .enabled = factor.enabled,
                                         .required = factor.required,
                                         .recoveryCodes = factor.recoveryCodes,
                                         .problem = std::move(problem)}));
}

async::awaitable<void> SecondFactorPages::setUp(net::Exchange& exchange, Principal principal, std::string form) {
  const auto enrolment = co_await async::attempt(
      auth_.secondFactors().enrol(principal, Secret(formField(form, "password").value_or("")), browser_.originOf(exchange)));
  if (!enrolment)
    co_return co_await show(exchange, std::move(principal), enrolment.error().message(), httpStatus(enrolment.error().code()));
  co_await respondPage(exchange, 200, enrolPage(enrolPageOf(*enrolment, std::string(kSecondFactorPath))));
}

async::awaitable<void> SecondFactorPages::confirm(net::Exchange& exchange, std::string form) {
  const std::string ticket = formField(form, "ticket").value_or(""), next = localPathField(form, "next");
  std::optional<Enrolment> enrolment;
  std::optional<Error> expired;
  try {
    enrolment = auth_.secondFactors().enrolment(ticket);
  } catch (const Error& error) {
    expired = error;
  }
  if (expired) co_return co_await respondExpired(exchange, *expired);
  const LoginOrigin origin = browser_.originOf(exchange);
  SecondFactors::Enrolled enrolled;
  const auto work = [&]() -> async::awaitable<void> {
    enrolled = co_await auth_.secondFactors().confirm(ticket, formField(form, "code").value_or(""), origin);
  };
  const auto principal = browser_.find(exchange.head());
  const bool is_own = principal && principal->user == enrolment->user;
  // The ticket is given to those who have proven with a password or an invitation who they are.
  const auto user = co_await auth_.accounts().find(enrolment->user);
  if (!user) co_return co_await respondExpired(exchange, Error(ErrorCode::NotFound, "The user does not exist any more."));
  const AuditRecord by = is_own ? recordBy(*principal, origin) : recordByUser(*user, origin);
  const auto done = co_await async::attempt(recordChange(audit_, recordOf(by, "confirmSecondFactor"), work()));
  if (!done && done.error().code() == ErrorCode::NotFound) co_return co_await respondExpired(exchange, done.error());
  if (!done)
    co_return co_await respondPage(exchange, httpStatus(done.error().code()),
                                   enrolPage(enrolPageOf(*enrolment, next, done.error().message())), net::retryAfter(done.error()));
  net::Headers headers;
  if (enrolled.login) headers = browser_.begin(exchange.head(), enrolled.login->principal);
  co_await respondPage(exchange, 200, recoveryCodesPage(enrolled.recoveryCodes, next), std::move(headers));
}

async::awaitable<void> SecondFactorPages::disable(net::Exchange& exchange, Principal principal, std::string form) {
  const LoginOrigin origin = browser_.originOf(exchange);
  const auto done =
      co_await async::attempt(recordChange(audit_, recordOf(recordBy(principal, origin), "disableSecondFactor"),
                                           auth_.secondFactors().disable(principal, Secret(formField(form, "password").value_or("")),
                                                                         formField(form, "code").value_or(""), origin)));
  if (!done) co_return co_await show(exchange, std::move(principal), done.error().message(), httpStatus(done.error().code()));
  co_await respondRedirect(exchange, 303, std::string(kSecondFactorPath));
}

}  // namespace swarm::gateway

#include "gateway/accounts/invitation.h"

#include "async/attempt.h"
#include "base/text/format.h"
#include "gateway/pages/responses.h"
#include "net/http/problem.h"

namespace swarm::gateway {
namespace {

constexpr std::int64_t kInviteSeconds = 3600;  // to choose a password

}  // namespace

std::string InvitationPage::cookie(std::string_view code, std::int64_t seconds) const {
  return setCookie(browser_.names(), browser_.names().invite, code, seconds);
}

std::optional<InvitationPage::Opened> InvitationPage::openedBy(const net::RequestHead& head) const {
  const auto found = findCookie(head.headers, browser_.names().invite);
  auto user = found.value.empty() ? std::nullopt : auth_.accounts().invited(found.value);
  return user ? std::optional(Opened{std::string(found.value), std::move(*user)}) : std::nullopt;
}

async::awaitable<void> InvitationPage::respondExpired(net::Exchange& exchange) {
  co_await respondMessage(exchange, 403, ErrorCode::PermissionDenied,
                          {.title = "This invitation is not valid",
                           .text = format("An invitation works once, within {} hours, until a newer one replaces it. Ask an administrator "
                                          "for a new one, or sign in with your password.",
                                          kInvitationLife.count()),
                           .linkText = "Sign in",
                           .link = "/login"},
                          {{"Set-Cookie", cookie("", 0)}});
}

async::awaitable<void> InvitationPage::show(net::Exchange& exchange) {
  const auto& head = exchange.head();
  if (const auto code = formField(head.query(), "code")) {
    if (!auth_.accounts().invited(*code)) co_return co_await respondExpired(exchange);
    co_return co_await respondRedirect(exchange, 303, std::string(kInvitePath), {{"Set-Cookie", cookie(*code, kInviteSeconds)}});
  }
  const auto opened = openedBy(head);
  if (!opened) co_return co_await respondExpired(exchange);
  co_await respondPage(exchange, 200, invitePage({.user = opened->user}));
}

async::awaitable<void> InvitationPage::accept(net::Exchange& exchange) {
  const auto& head = exchange.head();
  if (!isSameOrigin(head) || !isForm(head))
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "The form was not sent by a page of this server.");
  const auto opened = openedBy(head);
  if (!opened) co_return co_await respondExpired(exchange);
  const auto form = co_await async::attempt(readForm(exchange, browser_, forms_));
  InvitePage page{.user = opened->user};
  if (!form) {
    page.problem = form.error().message();
    co_return co_await respondPage(exchange, httpStatus(form.error().code()), invitePage(page));
  }
  Secret password(formField(*form, "password").value_or(""));
  if (password.reveal() != formField(*form, "again").value_or("")) {
    page.problem = "The two passwords differ.";
    co_return co_await respondPage(exchange, 400, invitePage(page));
  }
  const auto offer = formField(*form, "secondFactor") ? OfferEnrolment::Yes : OfferEnrolment::No;
  auto login =
      co_await async::attempt(auth_.accounts().acceptInvitation(opened->code, std::move(password), browser_.originOf(exchange), offer));
  if (!login) {
    page.problem = login.error().message();
    co_return co_await respondPage(exchange, httpStatus(login.error().code()), invitePage(page), net::retryAfter(login.error()));
  }
  if (!*login) co_return co_await respondExpired(exchange);
  co_await second_factor_.proceed(exchange, std::move(**login), "/", {{"Set-Cookie", cookie("", 0)}});
}

}  // namespace swarm::gateway

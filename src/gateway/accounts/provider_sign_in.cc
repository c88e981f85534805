#include "gateway/accounts/provider_sign_in.h"

#include "async/attempt.h"
#include "base/text/format.h"
#include "gateway/pages/responses.h"
#include "net/http/problem.h"

namespace swarm::gateway {
namespace {

constexpr std::string_view kCallback = "callback";
constexpr std::string_view kBackChannel = "logout";

std::string field(std::string_view query, std::string_view name) { return formField(query, name).value_or(""); }

}  // namespace

std::string ProviderSignIn::cookie(std::string_view value, std::int64_t seconds) const {
  return setCookie(browser_.names(), browser_.names().provider, value, seconds);
}

std::vector<ProviderLink> ProviderSignIn::links(std::string_view next) const {
  std::vector<ProviderLink> links;
  if (providers_ == nullptr) return links;
  for (const oidc::ProviderConfig& config : providers_->configured())
    links.push_back({config.title, format("{}{}?next={}", oidc::kProviderPaths, config.name, net::percentEncode(next))});
  return links;
}

async::awaitable<std::string> ProviderSignIn::signOutUrl(Principal principal) const {
  if (providers_ == nullptr) co_return "";
  co_return co_await providers_->signOutUrl(std::move(principal));
}

async::awaitable<void> ProviderSignIn::handle(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const std::string_view rest = head.path().substr(oidc::kProviderPaths.size());
  const auto slash = rest.find('/');
  std::string provider(rest.substr(0, slash));
  const std::string_view part = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  if (slash == std::string_view::npos && head.method == "GET")
    co_await leave(exchange, std::move(provider));
  else if (part == kCallback && head.method == "GET")
    co_await comeBack(exchange, std::move(provider));
  else if (part == kBackChannel && head.method == "POST")
    co_await endSessions(exchange, std::move(provider));
  else
    co_await respondProblem(exchange, 404, ErrorCode::NotFound, "There is no such page of an identity provider.");
}

async::awaitable<void> ProviderSignIn::respondFailure(net::Exchange& exchange, Error error) {
  net::Headers headers = net::retryAfter(error);
  headers.push_back({"Set-Cookie", cookie("", 0)});
  co_await respondMessage(exchange, httpStatus(error.code()), error.code(),
                          {.title = "Not signed in", .text = error.message(), .linkText = "Sign in", .link = "/login"}, std::move(headers));
}

async::awaitable<void> ProviderSignIn::leave(net::Exchange& exchange, std::string provider) {
  std::string next = localPathField(exchange.head().query(), "next");
  const auto begun = co_await async::attempt(providers_->begin(std::move(provider), std::move(next), browser_.originOf(exchange)));
  if (!begun) co_return co_await respondFailure(exchange, begun.error());
  const auto life = std::chrono::seconds(oidc::kSignInLife).count();
  co_await respondRedirect(exchange, 302, begun->location, {{"Set-Cookie", cookie(begun->cookie, life)}});
}

async::awaitable<void> ProviderSignIn::comeBack(net::Exchange& exchange, std::string provider) {
  const auto& head = exchange.head();
  const auto query = head.query();
  oidc::IdentityProviders::Response response{
      .code = field(query, "code"), .state = field(query, "state"), .issuer = field(query, "iss"), .error = field(query, "error")};
  std::string sealed(findCookie(head.headers, browser_.names().provider).value);
  const auto finished =
      co_await async::attempt(providers_->finish(std::move(provider), std::move(response), std::move(sealed), browser_.originOf(exchange)));
  if (!finished) co_return co_await respondFailure(exchange, finished.error());
  net::Headers headers = browser_.begin(head, finished->login.principal);
  headers.push_back({"Set-Cookie", cookie("", 0)});
  co_await respondRedirect(exchange, 303, finished->next, std::move(headers));
}

/// By the provider, not by a browser. OpenID Connect Back-Channel Logout 1.0 §2.8.
async::awaitable<void> ProviderSignIn::endSessions(net::Exchange& exchange, std::string provider) {
  std::expected<std::string, Error> form = std::unexpected(Error(ErrorCode::UnsupportedMedia, "Send a form with a logout_token."));
  if (isForm(exchange.head())) form = co_await async::attempt(readForm(exchange, browser_, forms_));
  std::expected<void, Error> ended;
  if (form)
    ended =
        co_await async::attempt(providers_->endSessions(std::move(provider), field(*form, "logout_token"), browser_.originOf(exchange)));
  else
    ended = std::unexpected(form.error());
  if (ended) co_return co_await exchange.respond(200, {{"Cache-Control", "no-store"}}, {});
  const int status = ended.error().code() == ErrorCode::UpstreamFailed ? 400 : httpStatus(ended.error().code());
  co_await respondProblem(exchange, status, ErrorCode::InvalidArgument, ended.error().message(), net::retryAfter(ended.error()));
}

}  // namespace swarm::gateway

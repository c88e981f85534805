#include "gateway/accounts/program_sign_in.h"

#include <algorithm>

#include "async/attempt.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "gateway/host.h"
#include "gateway/pages/responses.h"
#include "net/http/problem.h"

namespace swarm::gateway {
namespace {

constexpr std::size_t kChallengeLetters = 43;  // SHA-256 in base64url
constexpr std::size_t kMaxState = 128;

bool isToken(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; });
}

MessagePage badLink() {
  return {.title = "This link is not complete", .text = "Run `swarm login` again.", .linkText = "Your workspaces", .link = "/"};
}

}  // namespace

async::awaitable<void> ProgramSignIn::handle(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const bool posts = head.method == "POST";
  if (!posts && head.method != "GET")
    co_return co_await respondProblem(exchange, 405, ErrorCode::InvalidArgument, "This address does not accept this method.");
  if (posts && (!isSameOrigin(head) || !isForm(head)))
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "The form was not sent by a page of this server.");
  auto principal = browser_.find(head);
  if (!principal) {
    const std::string target = isLocalPath(head.target) && !posts ? std::string(head.target) : "/";
    co_return co_await respondRedirect(exchange, posts ? 303 : 302, "/login?next=" + net::percentEncode(target), browser_.repair(head));
  }
  const bool is_device = head.path() == kDevicePath;
  std::expected<std::string, Error> fields = std::string(head.query());
  if (posts) fields = co_await async::attempt(readForm(exchange, browser_, forms_));
  if (!fields)
    co_return co_await respondMessage(exchange, httpStatus(fields.error().code()), fields.error().code(),
                                      {.title = "The request failed", .text = fields.error().message(), .linkText = "Back", .link = "/"});
  if (!is_device)
    co_await respondToProgram(exchange, std::move(*principal), std::move(*fields), posts);
  else if (posts)
    co_await respondToDevice(exchange, std::move(*principal), std::move(*fields));
  else
    co_await respondPage(exchange, 200, devicePage({.user = principal->user}));
}

/// The code goes to a port of this machine, and is worthless without the secret of the program that listens there.
async::awaitable<void> ProgramSignIn::respondToProgram(net::Exchange& exchange, Principal principal, std::string fields, bool confirmed) {
  const std::string port = formField(fields, "port").value_or(""), challenge = formField(fields, "challenge").value_or(""),
                    state = formField(fields, "state").value_or("");
  const bool is_complete = parseNumber<std::uint16_t>(port).value_or(0) != 0 && challenge.size() == kChallengeLetters &&
                           isToken(challenge) && state.size() <= kMaxState && isToken(state);
  if (!is_complete) co_return co_await respondMessage(exchange, 400, ErrorCode::InvalidArgument, badLink());
  if (!confirmed) {
    const LoginOrigin origin = browser_.originOf(exchange);
    co_return co_await respondPage(exchange, 200, programPage({principal.user, port, challenge, state, origin.address, origin.client}));
  }
  const std::string code = auth_.programs().issueCode(principal, challenge);
  co_await respondRedirect(exchange, 303, format("http://127.0.0.1:{}/?code={}&state={}", port, code, state));
}

async::awaitable<void> ProgramSignIn::respondToDevice(net::Exchange& exchange, Principal principal, std::string form) {
  const std::string code = formField(form, "code").value_or(""), decision = formField(form, "decision").value_or("");
  DevicePage page{.user = principal.user, .code = code.substr(0, 32)};
  std::optional<Error> failure;
  try {
    if (decision.empty()) {
      if (const auto origin = auth_.programs().find(code, principal)) {
        page.address = origin->address;
        page.client = origin->client;
      } else {
        page.problem = "This code is wrong, or it has expired. Compare it with the one that the program printed.";
      }
    } else if (auth_.programs().decide(code, principal,
                                       decision == "approve" ? ProgramSignIns::Decision::Approve : ProgramSignIns::Decision::Deny)) {
      page.outcome = decision == "approve" ? "The program is signed in. You can close this page." : "The program was not signed in.";
    } else {
      page.problem = "The code has expired. Run the command again.";
    }
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) page.problem = failure->message();
  co_await respondPage(exchange, failure ? httpStatus(failure->code()) : 200, devicePage(page),
                       failure ? net::retryAfter(*failure) : net::Headers());
}

}  // namespace swarm::gateway

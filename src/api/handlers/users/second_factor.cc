// Second factors of users with a local account.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "auth/accounts/accounts.h"
#include "auth/second_factor/pending_sign_ins.h"
#include "auth/second_factor/second_factors.h"

namespace swarm::api {
namespace {

awaitable<Reply> getSecondFactor(Services& services, Call& call) {
  const SecondFactorStatus status =
      co_await services.auth.secondFactors().status(co_await requireUser(services, call, Permission::ReadUsers));
  SecondFactorResponse response{.enabled = status.enabled, .required = status.required, .recoveryCodes = status.recoveryCodes};
  if (status.enabled) response.since = status.since;
  co_return reply(response);
}

awaitable<Reply> setUpSecondFactor(Services& services, Call& call) {
  auto request = readBody<SetUpSecondFactorRequest>(call);
  const Enrolment enrolment = co_await services.auth.secondFactors().enrol(call.principal(), Secret(std::move(request.password)),
                                                                           services.browser.originOf(call.exchange()));
  co_return reply(
      EnrolmentResponse{enrolment.ticket, enrolment.secret.reveal(), enrolment.uri.reveal(), services.clock.now() + kPendingSignInLife},
      201);
}

awaitable<Reply> confirmSecondFactor(Services& services, Call& call) {
  auto request = readBody<ConfirmSecondFactorRequest>(call);
  auto& factors = services.auth.secondFactors();
  if (!factors.isEnrolling(request.ticket, call.principal().user))
    throw Error(ErrorCode::InvalidArgument, "The ticket is not valid any more. Begin again.").withField("/ticket", "is unknown");
  auto enrolled = co_await factors.confirm(std::move(request.ticket), std::move(request.code), services.browser.originOf(call.exchange()));
  co_return reply(RecoveryCodesResponse{std::move(enrolled.recoveryCodes)});
}

awaitable<Reply> disableSecondFactor(Services& services, Call& call) {
  auto request = readBody<DisableSecondFactorRequest>(call);
  co_await services.auth.secondFactors().disable(call.principal(), Secret(std::move(request.password)), std::move(request.code),
                                                 services.browser.originOf(call.exchange()));
  co_return Reply{.status = 204};
}

awaitable<Reply> resetSecondFactor(Services& services, Call& call) {
  const UserRecord user = co_await requireUser(services, call, Permission::ManageUsers);
  if (user.name == call.principal().user)
    throw Error(ErrorCode::Conflict, "Your own second factor is disabled with password and code: swarm second-factor disable.");
  co_await services.auth.secondFactors().reset(user.name);
  co_return Reply{.status = 204};
}

Parameter whose() { return path("name", "The user's name, or me"); }

}  // namespace

std::vector<Endpoint> secondFactorRoutes() {
  return {

      at("GET", "/api/users/{name}/second-factor", Permission::ReadUsers, "getSecondFactor", getSecondFactor,
         {.summary = "Show whether a user has a second factor",
          .description = "`required`: by `[access] requireSecondFactor`.",
          .responses = {ok<SecondFactorResponse>("The second factor")},
          .parameters = {whose()}}),
      at("POST", "/api/users/me/second-factor", Permission::Account, "setUpSecondFactor", setUpSecondFactor,
         {.summary = "Begin to set up a second factor",
          .description = "The secret is for an authenticator app (TOTP, RFC 6238: SHA-1, 6 digits, 30 s). It counts once it is confirmed.",
          .responses = {created<EnrolmentResponse>("The secret")},
          .problems = {409},
          .body = jsonBody<SetUpSecondFactorRequest>()}),
      at("POST", "/api/users/me/second-factor/confirm", Permission::Account, "confirmSecondFactor", confirmSecondFactor,
         {.summary = "Confirm a second factor with a code of the app",
          .description = "From then on, each sign-in with the password requires a code. The response has the recovery codes, once.",
          .responses = {ok<RecoveryCodesResponse>("The recovery codes")},
          .problems = {409},
          .body = jsonBody<ConfirmSecondFactorRequest>()}),
      at("POST", "/api/users/me/second-factor/disable", Permission::Account, "disableSecondFactor", disableSecondFactor,
         {.summary = "Remove one's own second factor",
          .description = "Requires the password and a code of the app, or a recovery code. 409 where the server requires a second factor.",
          .responses = {noContent("Removed")},
          .problems = {409},
          .body = jsonBody<DisableSecondFactorRequest>()}),
      at("DELETE", "/api/users/{name}/second-factor", Permission::ManageUsers, "resetSecondFactor", resetSecondFactor,
         {.summary = "Remove the second factor of a user who lost it",
          .description = "All of the user's sessions and streams end. 409 for one's own.",
          .responses = {noContent("Removed")},
          .problems = {409},
          .parameters = {whose()}}),
  };
}

}  // namespace swarm::api

// Sign-in of a program that its user confirms in a browser.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "auth/programs/program_sign_ins.h"

namespace swarm::api {
namespace {

constexpr std::string_view kDevicePage = "/login/device";

awaitable<Reply> replyWithLogin(Services& services, Call& call, std::optional<Principal> by) {
  std::optional<LoginResult> login;
  if (by) login = co_await services.auth.beginForProgram(std::move(*by), services.browser.originOf(call.exchange()));
  if (!login) throw Error(ErrorCode::Unprocessable, "The code is wrong, was used, or has expired. Run `swarm login` again.");
  Reply reply = loginReply(*login);
  call.signIn(std::move(login->principal));  // for the log
  co_return reply;
}

awaitable<Reply> loginProgram(Services& services, Call& call) {
  const auto request = readBody<ProgramLoginRequest>(call);
  co_return co_await replyWithLogin(services, call, services.auth.programs().takeCode(request.code, request.verifier));
}

awaitable<Reply> beginDeviceLogin(Services& services, Call& call) {
  const auto begun = services.auth.programs().begin(services.browser.originOf(call.exchange()));
  co_return reply(DeviceLoginResponse{.deviceCode = begun.deviceCode.reveal(),
                                      .userCode = begun.userCode,
                                      .verificationUri = services.browser.address().origin() + std::string(kDevicePage),
                                      .expiresIn = std::chrono::seconds(kUserCodeLife).count(),
                                      .interval = kPollInterval.count()},
                  201);
}

awaitable<Reply> loginDevice(Services& services, Call& call) {
  const auto polled = services.auth.programs().poll(readBody<DeviceLoginRequest>(call).deviceCode);
  switch (polled.state) {
    case ProgramSignIns::State::Waiting:
      co_return Reply{.status = 204};
    case ProgramSignIns::State::Denied:
      throw Error(ErrorCode::PermissionDenied, "The sign-in was refused in the browser.");
    case ProgramSignIns::State::Approved:
      break;
  }
  co_return co_await replyWithLogin(services, call, polled.by);
}

}  // namespace

std::vector<Endpoint> programRoutes() {
  return {

      at("POST", "/api/auth/program", Permission::Public, "loginProgram", loginProgram,
         {.summary = "Sign a program in with a code from its user's browser",
          .description =
              "The program opens `/login/program?port=PORT&challenge=CHALLENGE&state=STATE` in a browser of its machine; after a "
              "confirmation, the browser brings `code` and `state` to `http://127.0.0.1:PORT/`. `challenge` is the SHA-256 of "
              "`verifier` in base64url. A code works once, for a minute.",
          .responses = {ok("A token", "Login")},
          .problems = {403, 422},
          .body = jsonBody<ProgramLoginRequest>(),
          .recorded = Recorded::Nothing}),  // Auth records sign-ins
      at("POST", "/api/auth/device", Permission::Public, "beginDeviceLogin", beginDeviceLogin,
         {.summary = "Begin the sign-in of a program on a machine without a browser",
          .description = "As in RFC 8628: the program prints `verificationUri` and `userCode`, which its user types there, and polls with "
                         "`deviceCode`, once in `interval` seconds, for `expiresIn` seconds.",
          .responses = {created<DeviceLoginResponse>("The codes")},
          .problems = {403, 429},
          .recorded = Recorded::Nothing}),
      at("POST", "/api/auth/device/token", Permission::Public, "loginDevice", loginDevice,
         {.summary = "Sign a program in when its user has confirmed the code",
          .description = "403 when the user refused, 422 when the code has expired, 429 when polled too often.",
          .responses = {ok("A token", "Login"), {.status = 204, .description = "Not confirmed yet"}},
          .problems = {403, 422},
          .body = jsonBody<DeviceLoginRequest>(),
          .recorded = Recorded::Nothing}),
  };
}

}  // namespace swarm::api

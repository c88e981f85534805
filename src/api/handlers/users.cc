// Users: their accounts, and what they set for themselves.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "auth/accounts/accounts.h"
#include "auth/accounts/names.h"
#include "auth/sharing/sharing.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/requests.h"
#include "oidc/sign_in/identity_providers.h"

namespace swarm::api {
namespace {

bool isPlainText(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '<' || c == '>'; });
}

awaitable<Reply> getGitIdentity(Services& services, Call& call) {
  co_return reply(co_await services.controller.gitIdentity(call.principal().user));
}

awaitable<Reply> setGitIdentity(Services& services, Call& call) {
  std::vector<FieldError> faults;
  const auto git = readRequest<GitIdentity>(call.body(), faults);
  bool has_address = git.email.find('@') != std::string::npos && git.email.find(' ') == std::string::npos;
  if (git.name.empty() != git.email.empty())
    faults.push_back({git.name.empty() ? "/name" : "/email", "must not be empty when the other is set"});
  if (!isPlainText(git.name)) faults.push_back({"/name", "must not contain < and >"});
  if (!git.email.empty() && (!isPlainText(git.email) || !has_address)) faults.push_back({"/email", "must be an e-mail address"});
  throwIfAny(std::move(faults));
  co_await services.controller.setGitIdentity(call.principal().user, git);
  co_return reply(git);
}

// --- Accounts ---

constexpr std::string_view kOneself = "me";
constexpr Role kAssigned[] = {Role::user, Role::operator_, Role::auditor, Role::admin};

/// The identity provider that decides the user's role; empty: none.
std::string managerOf(Services& services, const std::string& user) {
  const auto* providers = services.options.identityProviders;
  return providers == nullptr ? std::string() : providers->managerOf(user);
}

UserResponse responseOf(Services& services, const UserRecord& user) {
  UserResponse response{.name = user.name,
                        .kind = user.kind,
                        .role = user.role,
                        .disabled = user.disabled,
                        .hasPassword = !user.passwordHash.empty(),
                        .hasSecondFactor = user.secondFactor,
                        .createdAt = user.createdAt};
  if (!user.inviteDigest.empty() && services.clock.now() < user.inviteExpires) response.invitedUntil = user.inviteExpires;
  if (std::string manager = managerOf(services, user.name); !manager.empty()) response.managedBy = std::move(manager);
  return response;
}

Role readRole(std::string_view name) {
  std::string names;
  for (const Role role : kAssigned) {
    if (nameOf(role) == name) return role;
    names += format("{}{}", names.empty() ? "" : ", ", nameOf(role));
  }
  throw Error(ErrorCode::InvalidArgument, format("There is no role \"{}\" to assign.", name))
      .withField("/role", format("must be one of {}", names));
}

awaitable<Reply> listUsers(Services& services, Call& call) {
  std::vector<UserResponse> items;
  for (const UserRecord& user : co_await services.auth.accounts().list())
    if (isAllowed(call.principal(), Permission::ReadUsers, user.name)) items.push_back(responseOf(services, user));
  co_return replyWithItems(items);
}

awaitable<Reply> createUser(Services& services, Call& call) {
  auto request = readBody<CreateUserRequest>(call);
  const Role role = readRole(request.role);
  UserRecord user =
      co_await services.auth.accounts().create(std::move(request.name), role, Secret(std::move(request.password)), request.kind);
  Reply made = reply(responseOf(services, user), 201);
  made.headers.push_back({"Location", "/api/users/" + user.name});
  co_return made;
}

awaitable<Reply> getUser(Services& services, Call& call) {
  co_return reply(responseOf(services, co_await requireUser(services, call, Permission::ReadUsers)));
}

awaitable<Reply> changeUser(Services& services, Call& call) {
  const UserRecord user = co_await requireUser(services, call, Permission::ManageUsers);
  const Role role = readRole(readBody<ChangeUserRequest>(call).role);
  if (user.role == role) co_return reply(responseOf(services, user));
  if (const std::string manager = managerOf(services, user.name); !manager.empty())
    throw Error(ErrorCode::Conflict, format("The identity provider {} decides the role of {} at each sign-in. Change it there, or in "
                                            "[oidc.{}.roles] of the configuration. To end the access at once, disable the user: "
                                            "swarm users disable {}.",
                                            manager, user.name, manager, user.name));
  co_return reply(responseOf(services, co_await services.auth.accounts().setRole(user.name, role)));
}

awaitable<Reply> deleteUser(Services& services, Call& call) {
  const UserRecord user = co_await requireUser(services, call, Permission::ManageUsers);
  co_await services.controller.deleteUser(user.name, call.text("handOverTo").value_or(""));
  services.auth.accounts().forget(user.name);
  co_await services.auth.sharing().load();  // without those of the user
  co_return Reply{.status = 204};
}

awaitable<Reply> inviteUser(Services& services, Call& call) {
  const UserRecord user = co_await requireUser(services, call, Permission::ManageUsers);
  const Invitation invitation = co_await services.auth.accounts().invite(user.name);
  std::string url = format("{}/invite?code={}", services.browser.address().origin(), invitation.code.reveal());
  co_return reply(InvitationResponse{std::move(url), invitation.expiresAt}, 201);
}

awaitable<Reply> setPassword(Services& services, Call& call) {
  const UserRecord user = co_await requireUser(services, call, Permission::Account);
  auto request = readBody<SetPasswordRequest>(call);
  Secret password(std::move(request.password));
  if (user.name == call.principal().user) {
    co_await services.auth.accounts().changePassword(call.principal(), Secret(std::move(request.oldPassword)), std::move(password),
                                                     services.browser.originOf(call.exchange()));
  } else {
    co_await services.auth.accounts().resetPassword(user.name, std::move(password));
  }
  co_return Reply{.status = 204};
}

awaitable<Reply> setDisabled(Services& services, Call& call, bool disabled) {
  const UserRecord user = co_await requireUser(services, call, Permission::ManageUsers);
  if (user.disabled == disabled) co_return reply(responseOf(services, user));
  const UserRecord changed = co_await services.auth.accounts().setDisabled(user.name, disabled);
  co_await services.auth.sharing().load();  // without those of a disabled user
  co_return reply(responseOf(services, changed));
}

awaitable<Reply> disableUser(Services& services, Call& call) { return setDisabled(services, call, /*disabled=*/true); }
awaitable<Reply> enableUser(Services& services, Call& call) { return setDisabled(services, call, /*disabled=*/false); }

awaitable<Reply> listUserSessions(Services& services, Call& call) {
  const UserRecord user = co_await requireUser(services, call, Permission::ReadUsers);
  std::vector<SessionResponse> items;
  for (const SessionRecord& session : services.auth.listSessions(user.name)) items.push_back(api::responseOf(session, call));
  co_return replyWithItems(items);
}

awaitable<Reply> endUserSessions(Services& services, Call& call) {
  const UserRecord user = co_await requireUser(services, call, Permission::Account);
  co_await services.auth.accounts().endSessions(user.name);
  co_return Reply{.status = 204};
}

awaitable<Reply> endUserSession(Services& services, Call& call) {
  const UserRecord user = co_await requireUser(services, call, Permission::Account);
  for (const SessionRecord& session : services.auth.listSessions(user.name)) {
    if (session.id != call.argument(1)) continue;
    co_await services.auth.endSession(session);
    co_return Reply{.status = 204};
  }
  throw notFound("session", call.argument(1));
}

Parameter userName() { return path("name", "The user's name, or me"); }

Endpoint switchRoute(std::string_view verb, std::string_view operation_id, std::string_view summary, std::string_view description,
                     Handler handler, Recorded recorded) {
  return at("POST", verb, Permission::ManageUsers, operation_id, handler,
            {.summary = summary,
             .description = description,
             .responses = {ok<UserResponse>("The user")},
             .problems = {409},
             .parameters = {userName()},
             .recorded = recorded});
}

}  // namespace

awaitable<UserRecord> requireUser(Services& services, Call& call, Permission permission) {
  const std::string name = call.argument() == kOneself ? call.principal().user : call.argument();
  std::optional<UserRecord> user;
  if (isAllowed(call.principal(), Permission::ReadUsers, name)) user = co_await services.auth.accounts().find(name);
  if (!user) throw notFound("user", call.argument());
  requireAllowed(call, permission, name);
  co_return std::move(*user);
}

awaitable<std::string> credentialOwnerOf(Services& services, Call& call, std::string owner, std::string_view what_persons_do) {
  if (owner.empty() || owner == call.principal().user) co_return call.principal().user;
  requireAllowed(call, Permission::ManageUsers, owner);
  const auto user = co_await services.auth.accounts().find(owner);
  if (!user) throw unknownOwner(owner);
  if (user->kind != UserKind::service)
    throw Error(ErrorCode::PermissionDenied, format("{} is a person, who {}.", owner, what_persons_do))
        .withField("/owner", "is not a service account");
  co_return owner;
}

std::vector<Endpoint> userRoutes() {
  return {

      at("GET", "/api/users", Permission::ReadUsers, "listUsers", listUsers,
         {.summary = "List users",
          .description = "Those that the caller may see: themselves, or for administrators and auditors all.",
          .responses = {ok("Users", listOf<UserResponse>())}}),
      at("POST", "/api/users", Permission::ManageUsers, "createUser", createUser,
         {.summary = "Create a user",
          .description = "A name is never changed, and not used again after a deletion. Without a password, invite the user. "
                         "A service has neither: create an access token for it.",
          .responses = {{.status = 201, .description = "The user", .schema = kSchemaName<UserResponse>, .headers = {"Location"}}},
          .problems = {409},
          .body = jsonBody<CreateUserRequest>()}),
      at("GET", "/api/users/{name}", Permission::ReadUsers, "getUser", getUser,
         {.summary = "Show a user",
          .description = "`me` is the caller.",
          .responses = {ok<UserResponse>("The user")},
          .parameters = {userName()}}),
      at("PATCH", "/api/users/{name}", Permission::ManageUsers, "changeUser", changeUser,
         {.summary = "Change a user's role",
          .description = "All of the user's sessions and streams end. 409 for the last administrator who can sign in, and for a role that "
                         "an identity provider decides (`managedBy`).",
          .responses = {ok<UserResponse>("The user")},
          .problems = {409},
          .parameters = {userName()},
          .body = {BodyRule::Json, kSchemaName<ChangeUserRequest>, kMergePatchType}}),
      at("DELETE", "/api/users/{name}", Permission::ManageUsers, "deleteUser", deleteUser,
         {.summary = "Delete a user",
          .description =
              "Their workspaces, snapshots, volumes, operations and reserved names go to `handOverTo`. Without it, 409 while they "
              "have workspaces or snapshots; also while an operation is in progress, and for the last administrator who can "
              "sign in.",
          .responses = {noContent("Deleted")},
          .problems = {409},
          .parameters = {userName(), text("handOverTo", "The user who gets what belongs to the deleted one", 40)}}),
      at("POST", "/api/users/{name}/invite", Permission::ManageUsers, "inviteUser", inviteUser,
         {.summary = "Create a one-time link with which a person sets their password",
          .description = "Valid for 72 hours. It replaces an earlier link of the user.",
          .responses = {created<InvitationResponse>("The link")},
          .problems = {409},
          .parameters = {userName()}}),
      at("POST", "/api/users/{name}/password", Permission::Account, "setPassword", setPassword,
         {.summary = "Set a password",
          .description = "One's own with the present one as `oldPassword`: the other sessions end. An administrator resets that of another "
                         "user: all of their sessions end, and their access tokens and SSH keys are revoked.",
          .responses = {noContent("The password is set")},
          .parameters = {userName()},
          .body = jsonBody<SetPasswordRequest>()}),
      switchRoute("/api/users/{name}/disable", "disableUser", "Disable a user",
                  "They cannot sign in, and their sessions, streams and tunnels end. 409 for the last administrator who can sign in.",
                  disableUser, Recorded::Revocation),
      switchRoute("/api/users/{name}/enable", "enableUser", "Enable a disabled user", "They can sign in again.", enableUser,
                  Recorded::Change),
      at("GET", "/api/users/{name}/sessions", Permission::ReadUsers, "listUserSessions", listUserSessions,
         {.summary = "List a user's live sessions",
          .description = "`current` is the session of the request.",
          .responses = {ok("Sessions", listOf<SessionResponse>())},
          .parameters = {userName()},
          .budget = Budget::Free}),
      at("DELETE", "/api/users/{name}/sessions", Permission::Account, "endUserSessions", endUserSessions,
         {.summary = "Sign a user out everywhere",
          .description = "All sessions end with their streams, the one of the request too if it is one of them.",
          .responses = {noContent("Signed out")},
          .parameters = {userName()},
          .budget = Budget::Free,
          .recorded = Recorded::Revocation}),
      at("DELETE", "/api/users/{name}/sessions/{session}", Permission::Account, "endUserSession", endUserSession,
         {.summary = "End one session of a user",
          .description = "Its open streams end within a second.",
          .responses = {noContent("It has ended")},
          .parameters = {userName(), path("session", "The session's id")},
          .budget = Budget::Free,
          .recorded = Recorded::Revocation}),
      at("GET", "/api/users/me/git-identity", Permission::SignedIn, "getGitIdentity", getGitIdentity,
         {.summary = "Show the author of the user's commits",
          .description = "Both members are empty when it is not set.",
          .responses = {ok<GitIdentity>("Name and e-mail address")},
          .budget = Budget::Free}),
      at("PUT", "/api/users/me/git-identity", Permission::Account, "setGitIdentity", setGitIdentity,
         {.summary = "Set the author of the user's commits in new workspaces",
          .description = "Written to `~/.gitconfig` of homes that lack that file. Two empty members remove it.",
          .responses = {ok<GitIdentity>("The new identity")},
          .body = jsonBody("SetGitIdentity"),
          .budget = Budget::Free}),
  };
}

}  // namespace swarm::api

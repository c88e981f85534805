// SSH keys of users and of service accounts.
#include "auth/accounts/ssh_keys.h"
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "base/not_found.h"
#include "base/text/untrusted_text.h"
#include "protocol/ssh.h"

namespace swarm::api {
namespace {

constexpr std::size_t kMaxKeyName = 64;

awaitable<Reply> listSshKeys(Services& services, Call& call) {
  std::vector<SshKey> keys = services.auth.sshKeys().list();
  std::erase_if(keys, [&](const SshKey& one) { return !isAllowed(call.principal(), Permission::ReadUsers, one.owner); });
  co_return replyWithItems(keys);
}

awaitable<Reply> addSshKey(Services& services, Call& call) {
  // A key has neither the scopes nor the end of a token.
  if (call.principal().token)
    throw Error(ErrorCode::PermissionDenied, "An access token cannot add an SSH key; it requires a session. Sign in.");
  auto request = readBody<AddSshKeyRequest>(call);
  const auto key = agent::parseSshPublicKey(request.key);
  if (!key) throwIfAny({{"/key", std::string(key.error())}});
  std::string name = printable(request.name.empty() ? key->comment : request.name, kMaxKeyName);
  if (name.empty()) name = key->type;
  SshKeys& keys = services.auth.sshKeys();
  const SshKey added =
      co_await keys.add({.name = std::move(name),
                         .owner = co_await credentialOwnerOf(services, call, std::move(request.owner), "adds their own SSH keys"),
                         .type = key->type,
                         .fingerprint = key->fingerprint,
                         .publicKey = key->line});
  // A reset of the password, for example, may have removed the keys before this one was complete.
  if (!services.auth.stillSignedIn(call.principal())) {
    co_await keys.remove(added.id);
    throw Error(ErrorCode::Unauthenticated, "The session has ended. Sign in again.");
  }
  co_return reply(added, 201);
}

awaitable<Reply> removeSshKey(Services& services, Call& call) {
  for (const SshKey& key : services.auth.sshKeys().list()) {
    if (key.id != call.argument() || !isAllowed(call.principal(), Permission::ReadUsers, key.owner)) continue;
    requireAllowed(call, Permission::Account, key.owner);
    co_await services.auth.sshKeys().remove(key.id);
    co_return Reply{.status = 204};
  }
  throw notFound("SSH key", call.argument());
}

awaitable<Reply> getSshListener(Services& services, Call&) {
  co_return reply(services.options.ssh ? services.options.ssh() : SshListenerResponse{});
}

}  // namespace

std::vector<Endpoint> sshKeyRoutes() {
  return {

      at("GET", "/api/keys", Permission::ReadUsers, "listSshKeys", listSshKeys,
         {.summary = "List SSH keys",
          .description = "The public keys of the caller; for administrators and auditors all.",
          .responses = {ok("Keys, from the oldest", listOf<SshKey>())}}),
      at("POST", "/api/keys", Permission::Account, "addSshKey", addSshKey,
         {.summary = "Add an SSH key",
          .description = "Who has its private half signs in to the SSH listener as its owner. 409 when the owner has this key already. "
                         "Access tokens cannot add keys.",
          .responses = {created<SshKey>("The key")},
          .problems = {409},
          .body = jsonBody<AddSshKeyRequest>()}),
      at("DELETE", "/api/keys/{key}", Permission::Account, "removeSshKey", removeSshKey,
         {.summary = "Remove an SSH key",
          .description = "What was opened with it ends within a second.",
          .responses = {noContent("Removed")},
          .problems = {404},
          .parameters = {path("key", "The key's id")},
          .recorded = Recorded::Revocation}),
      at("GET", "/api/ssh", Permission::SignedIn, "getSshListener", getSshListener,
         {.summary = "Show how clients of SSH reach the server",
          .description = "With the public key of its host, which clients pin.",
          .responses = {ok<SshListenerResponse>("The listener; its members are empty when there is none")},
          .budget = Budget::Free}),
  };
}

}  // namespace swarm::api

#include "server/upkeep.h"

#include <ctime>

#include "async/attempt.h"
#include "async/deadline.h"
#include "auth/accounts/ssh_keys.h"
#include "auth/certificates/revoked_keys.h"
#include "auth/session/access_tokens.h"
#include "auth/sharing/sharing.h"
#include "base/diagnostics/log.h"
#include "base/diagnostics/memory.h"

namespace swarm {

async::awaitable<void> giveMemoryBack() {
  constexpr std::chrono::seconds every{20};
  constexpr auto quiet = static_cast<std::clock_t>(every.count() * CLOCKS_PER_SEC / 10);
  for (std::clock_t seen = std::clock();;) {
    co_await async::sleepFor(every);
    const std::clock_t used = std::clock();
    if (used - seen < quiet) releaseFreeMemory();
    seen = used;
  }
}

async::awaitable<void> endExpired(Sharing& sharing, SwarmController& controller) {
  for (;;) {
    co_await async::sleepFor(std::chrono::milliseconds(250));
    if (const auto ended = co_await async::attempt(controller.endExpiredPorts()); !ended)
      log::warning("failed to remove expired levels of ports from the store", {{"error", ended.error().message()}});
    if (const auto ended = co_await async::attempt(sharing.endExpired()); !ended)
      log::warning("failed to remove expired shares from the store", {{"error", ended.error().message()}});
  }
}

async::awaitable<void> followRevokedKeys(RevokedKeys& revoked) {
  for (;;) {
    co_await async::sleepFor(std::chrono::milliseconds(250));
    revoked.refresh();
  }
}

async::awaitable<void> keepLastUses(Auth& auth) {
  for (;;) {
    co_await async::sleepFor(std::chrono::minutes(1));
    if (const auto saved = co_await async::attempt(auth.accessTokens().maintain()); !saved)
      log::warning("failed to store the last uses of access tokens", {{"error", saved.error().message()}});
    if (const auto saved = co_await async::attempt(auth.sshKeys().maintain()); !saved)
      log::warning("failed to store the last uses of SSH keys", {{"error", saved.error().message()}});
  }
}

async::awaitable<void> maintainDaily(MachineCredential& credential, Auth& auth, Audit& audit) {
  for (;;) {
    if (const auto pruned = co_await async::attempt(audit.prune()); !pruned)
      log::warning("failed to remove old records of the audit log", {{"error", pruned.error().message()}});
    co_await async::sleepFor(std::chrono::hours(24));
    if (const auto renewed = co_await async::attempt(auth.renewTokenKey()); !renewed)
      log::warning("failed to renew the key that signs API tokens", {{"error", renewed.error().message()}});
    if (const auto loaded = co_await async::attempt(auth.sharing().load()); !loaded)  // forgets those of deleted workspaces
      log::warning("failed to load the shares again", {{"error", loaded.error().message()}});
    if (const auto kept = co_await async::attempt(credential.keep()); !kept)
      log::warning("failed to renew the credential of the command line", {{"error", kept.error().message()}});
  }
}

}  // namespace swarm

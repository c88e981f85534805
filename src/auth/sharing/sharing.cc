#include "auth/sharing/sharing.h"

#include <algorithm>

#include "auth/accounts/names.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"

namespace swarm {
namespace {

/// A user who shares learns whether a name is a user's: after some unknown names, they must wait.
constexpr double kGuesses = 20;
constexpr double kGuessesPerSecond = 1.0 / 60;

std::string_view textOf(ShareAccess access) { return access == ShareAccess::editor ? "editor" : "viewer"; }
std::string_view textOf(GranteeKind kind) { return kind == GranteeKind::group ? "group" : "user"; }

}  // namespace

void Sharing::report(const ShareRecord& share, Change change) const {
  const Grantee& grantee = share.grantee;
  if (grantee.kind == GranteeKind::user) return report(Report{share, change, {grantee.name}});
  report(Report{share, change, parts_.grants.group(grantee.name).value_or(GroupRecord()).members});
}

awaitable<void> Sharing::load() {
  parts_.grants.load(co_await parts_.store.loadShares());
  parts_.noteRevocation();
}

void Sharing::requireGuessesLeft(const std::string& user) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = parts_.clock.steadyNow();
  std::erase_if(guesses_, [&](const auto& one) { return one.second.isFull(now); });
  const auto found = guesses_.find(user);
  if (found == guesses_.end()) return;
  const auto wait = found->second.waitTime(now);
  if (wait <= std::chrono::nanoseconds(0)) return;
  throw Error(ErrorCode::TooManyRequests, "Too many names that are not a user's or group's. Wait before you share with another one.")
      .withRetryAfter(std::chrono::ceil<std::chrono::milliseconds>(wait));
}

void Sharing::countGuess(const std::string& user) {
  const std::lock_guard lock(mutex_);
  guesses_.try_emplace(user, kGuessesPerSecond, kGuesses).first->second.take(parts_.clock.steadyNow());
}

awaitable<ShareRecord> Sharing::share(NewShare wanted, const Principal& actor) {
  const std::string by = actor.user;
  const SystemTime now = parts_.clock.now();
  if (wanted.expiresAt && *wanted.expiresAt <= now)
    throw Error(ErrorCode::InvalidArgument, "The share would have expired already.").withField("/expiresAt", "must be in the future");
  if (wanted.grantee == Grantee::ofUser(wanted.owner))
    throw Error(ErrorCode::InvalidArgument, format("The workspace belongs to {}.", wanted.owner));
  requireGuessesLeft(by);
  ShareRecord record{.instanceId = wanted.instance,
                     .grantee = std::move(wanted.grantee),
                     .access = wanted.access,
                     .grantedBy = by,
                     .createdAt = now,
                     .expiresAt = wanted.expiresAt};
  std::optional<SharesAt> changed = co_await parts_.store.putShare(record);
  if (!changed) {
    countGuess(by);
    throw Error(ErrorCode::InvalidArgument, format("There is no {} \"{}\" with {} to share.", textOf(record.grantee.kind),
                                                   record.grantee.name, record.grantee.kind == GranteeKind::group ? "which" : "whom"));
  }
  parts_.grants.apply(record.instanceId, std::move(*changed));
  parts_.noteRevocation();  // it may have replaced one with more access
  log::info("workspace shared", {{"instance", record.instanceId.str()},
                                 {"owner", wanted.owner},
                                 {"with", record.grantee.name},
                                 {"kind", textOf(record.grantee.kind)},
                                 {"access", textOf(record.access)},
                                 {"user", by}});
  report(record, Change::Granted);
  co_return record;
}

awaitable<void> Sharing::end(InstanceId instance, Grantee grantee, const Principal& actor) {
  const std::string by = actor.user;
  const std::vector<ShareRecord> before = sharesOf(instance);
  parts_.grants.apply(instance, co_await parts_.store.deleteShare(instance, grantee));
  parts_.noteRevocation();
  log::info("share of a workspace ended",
            {{"instance", instance.str()}, {"with", grantee.name}, {"kind", textOf(grantee.kind)}, {"user", by}});
  if (const auto ended = std::ranges::find(before, grantee, &ShareRecord::grantee); ended != before.end()) report(*ended, Change::Ended);
}

awaitable<void> Sharing::requireOwner(std::string user, const Principal& actor) {
  const std::string by = actor.user;
  requireGuessesLeft(by);
  const auto record = co_await parts_.store.getUser(user);
  if (!record || record->disabled) {
    countGuess(by);
    throw unknownOwner(user);
  }
  const Role role = record->role;
  if (reachOf(role, Permission::Create) == Reach::None)
    throw Error(ErrorCode::InvalidArgument, format("{} has the role {}, which owns no workspaces.", user, nameOf(role)))
        .withField("/owner", "may not own workspaces");
}

awaitable<void> Sharing::endExpired() {
  const std::vector<ShareRecord> expired = parts_.grants.takeExpired();
  if (expired.empty()) co_return;
  parts_.noteRevocation();
  for (const ShareRecord& share : expired) {
    log::info("share of a workspace expired",
              {{"instance", share.instanceId.str()}, {"with", share.grantee.name}, {"kind", textOf(share.grantee.kind)}});
    report(share, Change::Ended);
  }
  co_await parts_.store.pruneShares(parts_.clock.now());
}

}  // namespace swarm

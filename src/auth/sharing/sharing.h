// Sharing: the access that owners of instances give other users, and groups (docs/access.md).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "auth/sharing/grant_table.h"
#include "base/token_bucket.h"

namespace swarm {

/// A new share. The caller has checked that `actor` may share the instance.
struct NewShare {
  InstanceId instance;
  std::string owner;  ///< of the instance
  Grantee grantee;
  ShareAccess access = ShareAccess::viewer;
  std::optional<SystemTime> expiresAt{};  ///< nothing: until it is ended
};

/// Thread-safe. A change is durable before it takes effect; what it takes away ends with the open connections that used it.
class Sharing {
 public:
  /// What it shares with Auth.
  struct Parts {
    Store& store;
    const Clock& clock;
    GrantTable& grants;
    std::function<void()> noteRevocation;
  };
  explicit Sharing(Parts parts) : parts_(std::move(parts)) {}

  /// Reads all shares from the store, and has open connections checked. Again after a change that removed shares beside this class: of a
  /// user or group, or of an instance with another owner.
  awaitable<void> load();
  std::vector<ShareRecord> sharesOf(const InstanceId& instance) const { return parts_.grants.sharesOf(instance); }
  /// Replaces an earlier share with the grantee. Throws Error(InvalidArgument) for an unknown user or group, the owner, or a time that has
  /// passed, Error(Conflict) for more than kMaxSharesOfInstance, Error(TooManyRequests) after many unknown names.
  awaitable<ShareRecord> share(NewShare wanted, const Principal& actor);
  awaitable<void> end(InstanceId instance, Grantee grantee, const Principal& actor);  ///< throws Error(NotFound)
  /// Throws Error(InvalidArgument) for a user who does not exist, or whose role does not own workspaces, Error(TooManyRequests) after many
  /// unknown names.
  awaitable<void> requireOwner(std::string user, const Principal& actor);
  /// Ends those whose time has passed. Call it several times a second.
  awaitable<void> endExpired();

  enum class Change { Granted, Ended };
  struct Report {
    const ShareRecord& share;
    Change change;
    std::vector<std::string> users;  ///< whom it concerns: the grantee, or the members of the group
    std::string member{};            ///< who joined or left the group, when the share itself has not changed
  };
  /// Called after each change, on its thread. Registered before serving begins.
  void onChange(std::function<void(const Report&)> listener) { listener_ = std::move(listener); }
  void report(const Report& report) const {
    if (listener_) listener_(report);
  }

 private:
  void requireGuessesLeft(const std::string& user);
  void countGuess(const std::string& user);
  void report(const ShareRecord& share, Change change) const;

  Parts parts_;
  std::function<void(const Report&)> listener_;
  std::mutex mutex_;
  std::map<std::string, TokenBucket, std::less<>> guesses_;  ///< unknown names, by the user who gave them
};

}  // namespace swarm

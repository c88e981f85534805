// State that auth keeps in memory: roles and generations of users, live sessions, one-time codes.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "auth/sharing/grant_table.h"

namespace swarm {

/// Of a session of a user with this generation: the id begins with it. Sessions of an older one are void, also after a restart.
std::string newSessionId(std::int64_t generation);
std::int64_t generationOf(std::string_view session_id);

/// The facts that a signature does not contain. Thread-safe; readers do not block each other.
class SessionTable {
 public:
  SessionTable(const Clock& clock, AccessRules rules, const GrantTable& grants) : clock_(clock), rules_(rules), grants_(grants) {}

  void setUser(const UserRecord& user);
  bool knows(std::string_view user) const;
  std::optional<Role> roleOf(std::string_view user) const;  ///< nothing: the user does not exist, or is disabled
  void add(const SessionRecord& session, std::int64_t generation);
  void remove(std::string_view id);
  void extend(std::string_view id, SystemTime expires_at);  ///< never shortens; no-op if absent
  std::optional<SessionRecord> record(std::string_view id) const;
  void removeOthers(std::string_view user, std::string_view kept_session);
  void removeUser(std::string_view user);
  std::vector<SessionRecord> list(std::string_view user) const;  ///< live ones; an empty user: all
  SystemTime latestExpiry() const;                               ///< of all sessions; the epoch without any
  /// Removes expired sessions.
  void prune();
  /// The oldest live session of a user who has as many as a user may have; sessions of the command line on the server's machine do not
  /// count.
  std::optional<SessionRecord> oldestOfTooMany(std::string_view user) const;

  /// The user's principal with the current role, if the session is live and belongs to the user's current generation.
  std::optional<Principal> find(std::string_view session_id, std::string_view user) const;
  /// The principal of a session of a user with this role.
  Principal principalOf(const SessionRecord& session, Role role) const {
    return {session.user, role, session.id, session.expiresAt, rules_.adminsMayEnter, grants_.grantsOf(session.user)};
  }

 private:
  struct User {
    Role role;
    std::int64_t generation;
    bool disabled;
  };
  struct Session {
    SessionRecord record;
    std::int64_t generation;
  };

  const Clock& clock_;
  AccessRules rules_;
  const GrantTable& grants_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, User, std::less<>> users_;
  std::map<std::string, Session, std::less<>> sessions_;
};

/// One-time codes: one use, one purpose (for example an instance host and a browser). A user's newest ones are kept. Thread-safe.
class CodeTable {
 public:
  CodeTable(const Clock& clock, std::chrono::seconds life) : clock_(clock), life_(life) {}
  std::string issue(const Principal& principal, std::string purpose);
  std::optional<Principal> find(std::string_view code);  ///< without using it up
  /// Every use of a code ends it, also one for the wrong purpose.
  std::optional<Principal> take(std::string_view code, std::string_view purpose);

 private:
  struct Code {
    Principal principal;
    std::string purpose;
    SteadyTime expires;
  };

  bool isOver(const std::string& code) const;  ///< used, or expired

  const Clock& clock_;
  std::chrono::seconds life_;
  std::mutex mutex_;
  std::map<std::string, Code, std::less<>> codes_;
  std::map<std::string, std::deque<std::string>> issued_;  ///< by user, from the oldest; also used ones
};

}  // namespace swarm

// What auth keeps in memory: users' roles and generations, live sessions, one-time codes.
#pragma once

#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/auth.h"

namespace swarm {

/// The facts that a signature alone can't tell. Thread-safe; readers don't block each other.
class SessionTable {
 public:
  explicit SessionTable(const Clock& clock) : clock_(clock) {}

  void setUser(const std::string& name, Role role, std::int64_t generation);
  void add(const SessionRecord& session, std::int64_t generation);
  void remove(std::string_view id);
  std::vector<SessionRecord> list(std::string_view user) const;  ///< live ones; an empty user: all
  /// Forgets the sessions that have expired.
  void prune();

  /// The user's principal, with the role of now, when the session is live and of the user's present generation.
  std::optional<Principal> find(std::string_view session_id, std::string_view user) const;

 private:
  struct User {
    Role role;
    std::int64_t generation;
  };
  struct Session {
    std::string user;
    SystemTime expiresAt;
    std::int64_t generation;
    std::string kind;
    SystemTime createdAt;
  };

  const Clock& clock_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, User, std::less<>> users_;
  std::map<std::string, Session, std::less<>> sessions_;
};

/// One-time codes: one use, one purpose (an instance host and a browser, say). Thread-safe.
class CodeTable {
 public:
  CodeTable(const Clock& clock, std::chrono::seconds life) : clock_(clock), life_(life) {}
  std::string issue(const Principal& principal, std::string purpose);
  std::optional<Principal> find(std::string_view code);  ///< leaves it as it is
  /// Any try with a code ends it, also one for the wrong purpose.
  std::optional<Principal> take(std::string_view code, std::string_view purpose);

 private:
  struct Code {
    Principal principal;
    std::string purpose;
    SteadyTime expires;
  };

  const Clock& clock_;
  std::chrono::seconds life_;
  std::mutex mutex_;
  std::map<std::string, Code, std::less<>> codes_;
};

}  // namespace swarm

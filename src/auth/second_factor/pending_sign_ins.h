// PendingSignIns: users whose password was right, and whose code is still missing.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/store.h"

namespace swarm {

inline constexpr std::chrono::minutes kPendingSignInLife{10};

struct PendingSignIn {
  UserRecord user;                    ///< as they were when the password was checked
  std::optional<SessionKind> kind{};  ///< of the session that begins; nothing: none does, the user is signed in
  Secret seed{};                      ///< of a second factor that is being set up; empty: the user has one
  std::string address{};              ///< addressGroup() of the client
  SteadyTime expires{};
};

/// In memory: they do not survive the server. Of one user, a limited number is kept; a client that begins many
/// loses its own. Thread-safe.
class PendingSignIns {
 public:
  explicit PendingSignIns(const Clock& clock) : clock_(clock) {}
  std::string add(PendingSignIn pending);                            ///< returns its ticket: a credential
  std::optional<PendingSignIn> find(std::string_view ticket) const;  ///< nothing: unknown, used or expired
  std::optional<PendingSignIn> take(std::string_view ticket);        ///< the same, once

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, PendingSignIn, std::less<>> pending_;
};

}  // namespace swarm

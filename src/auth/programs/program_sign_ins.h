// ProgramSignIns: sign-ins of the command line that a user confirms in a browser, where they are signed in (docs/access.md).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "auth/session/sessions.h"
#include "base/token_bucket.h"

namespace swarm {

inline constexpr std::chrono::minutes kUserCodeLife{10};
inline constexpr std::chrono::seconds kPollInterval{5};

/// In memory: what a restart loses is begun again. Thread-safe.
class ProgramSignIns {
 public:
  explicit ProgramSignIns(const Clock& clock) : clock_(clock), codes_(clock, std::chrono::seconds(60)) {}

  // --- A browser on the same machine, which brings the code to a port of the program ---

  /// `challenge`: S256 of a secret that only the program has (RFC 7636). Works once, for a minute.
  std::string issueCode(const Principal& principal, std::string_view challenge);
  std::optional<Principal> takeCode(std::string_view code, std::string_view verifier);

  // --- A browser elsewhere, into which the user types a short code (RFC 8628) ---

  struct Begun {
    Secret deviceCode;     ///< for the program
    std::string userCode;  ///< "BCDF-GHJK"
  };
  /// Where too many of a network, or in all, wait, the oldest of the address with the most makes room.
  Begun begin(const LoginOrigin& origin);
  /// Who waits for this code; nothing: unknown, expired or decided. Throws Error(TooManyRequests) after wrong codes of this user.
  std::optional<LoginOrigin> find(std::string_view user_code, const Principal& by);
  enum class Decision { Approve, Deny };
  /// False: as nothing of find().
  bool decide(std::string_view user_code, const Principal& by, Decision decision);
  enum class State { Waiting, Denied, Approved };
  struct Polled {
    State state;
    std::optional<Principal> by{};  ///< of Approved
  };
  /// Denied and Approved are returned once. Throws Error(Unprocessable) for an unknown or expired code, Error(TooManyRequests) more often
  /// than kPollInterval.
  Polled poll(std::string_view device_code);

 private:
  struct Entry {
    std::string userCode;
    LoginOrigin origin;
    std::string address;
    std::string network;  ///< addressGroup() of it
    SteadyTime expires;
    SteadyTime nextPoll{};
    State state = State::Waiting;
    std::optional<Principal> by{};
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  void prune();
  void makeRoom(const std::string& network);
  Entry* waiting(std::string_view user_code, const Principal& by);

  const Clock& clock_;
  CodeTable codes_;
  std::mutex mutex_;
  Entries entries_;                           ///< by digest of the device code
  std::map<std::string, TokenBucket> wrong_;  ///< codes, by user
};

}  // namespace swarm

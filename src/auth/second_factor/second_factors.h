// SecondFactors: codes of an authenticator app in addition to the password, for people with a local account (docs/access.md).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/auth.h"

namespace swarm {

/// A sign-in goes on with a code.
struct CodeRequired {
  std::string user;
  std::string ticket;  ///< for signIn()
};

/// A second factor that is being set up. It counts after confirm().
struct Enrolment {
  std::string user;
  std::string ticket;  ///< for confirm()
  Secret secret;       ///< for the app, in base 32
  Secret uri;          ///< the same as a QR code contains it
};

/// What follows a right password.
using SignInStep = std::variant<LoginResult, CodeRequired, Enrolment>;

/// Whether a user without a second factor sets one up before the sign-in ends, although the policy does not require it.
enum class OfferEnrolment { No, Yes };

struct SecondFactorStatus {
  bool enabled = false;
  bool required = false;  ///< by the policy
  SystemTime since{};
  std::int64_t recoveryCodes = 0;  ///< that are left
};

/// Thread-safe. Codes are behind the throttle of sign-ins, with a limit of their own for each user (throttle.h), and are recorded as used
/// before they count: each counts once.
class SecondFactors {
 public:
  virtual ~SecondFactors() = default;
  virtual awaitable<SecondFactorStatus> status(UserRecord user) = 0;

  /// A sign-in by a page. Throws as Auth::login().
  virtual awaitable<SignInStep> beginSignIn(std::string user, Secret password, LoginOrigin origin) = 0;
  /// After the password, or what replaces it. `kind`: of the session without a code.
  virtual awaitable<SignInStep> afterPassword(UserRecord user, SessionKind kind, LoginOrigin origin, OfferEnrolment offer) = 0;
  /// Throws Error(Unauthenticated) for a wrong code (the ticket stays valid), Error(NotFound) for a ticket that is used or expired, and
  /// Error(TooManyRequests).
  virtual awaitable<LoginResult> signIn(std::string ticket, std::string code, LoginOrigin origin) = 0;
  /// Whether this is a valid code of the user, which is used up. Throws Error(TooManyRequests).
  virtual awaitable<bool> useCode(std::string user, std::string code, LoginOrigin origin) = 0;

  /// By the user. Throws Error(InvalidArgument) for a wrong password, Error(Conflict) for a user who has a second factor.
  virtual awaitable<Enrolment> enrol(Principal principal, Secret password, LoginOrigin origin) = 0;
  /// The same again, for a page that is shown again. Throws Error(NotFound).
  virtual Enrolment enrolment(std::string_view ticket) const = 0;
  /// Whether this user, who is signed in, has begun to set up a second factor with this ticket.
  virtual bool isEnrolling(std::string_view ticket, std::string_view user) const = 0;
  struct Enrolled {
    std::vector<std::string> recoveryCodes;  ///< to be shown once
    std::optional<LoginResult> login;        ///< of a sign-in that required it
  };
  /// Throws Error(InvalidArgument) for a wrong code (the ticket stays valid), Error(NotFound) and Error(TooManyRequests) as signIn().
  virtual awaitable<Enrolled> confirm(std::string ticket, std::string code, LoginOrigin origin) = 0;
  /// By the user. Throws Error(InvalidArgument) for a wrong password or code, Error(Conflict) when the policy requires a second factor.
  virtual awaitable<void> disable(Principal principal, Secret password, std::string code, LoginOrigin origin) = 0;
  /// By an administrator, for a user who lost theirs: removes it, and ends the user's sessions.
  virtual awaitable<void> reset(std::string user) = 0;
};

}  // namespace swarm

// Accounts: the users, their invitations and passwords (docs/access.md).
#pragma once

#include "auth/second_factor/second_factors.h"

namespace swarm {

inline constexpr std::chrono::hours kInvitationLife{72};

/// A one-time code with which a person sets the password of an account, and signs in.
struct Invitation {
  Secret code;
  SystemTime expiresAt{};
};

/// Thread-safe. A change that could let a person do less ends all of their sessions, with their streams. Throws Error(NotFound) for an
/// unknown user, Error(Conflict) when no administrator who can sign in would be left.
class Accounts {
 public:
  virtual ~Accounts() = default;
  virtual awaitable<std::vector<UserRecord>> list() = 0;
  virtual awaitable<std::optional<UserRecord>> find(std::string name) = 0;
  /// Without a password: an invitation lets the person set one. A service has none. Throws Error(InvalidArgument|AlreadyExists).
  virtual awaitable<UserRecord> create(std::string name, Role role, Secret password, UserKind kind = UserKind::person) = 0;
  /// An account without a password, named identity.user, for a person whom an identity provider has signed in. Throws
  /// Error(InvalidArgument|AlreadyExists) for the name, Error(Conflict) when the identity has an account.
  virtual awaitable<UserRecord> createFor(Identity identity, Role role) = 0;
  /// Replaces the open invitation. Throws Error(Conflict) for a disabled user.
  virtual awaitable<Invitation> invite(std::string name) = 0;
  virtual std::optional<std::string> invited(std::string_view code) const = 0;  ///< the user; without using the code up, and without I/O
  /// Uses the code up; nothing: used, withdrawn or expired. Throws Error(InvalidArgument) for an unsuitable password (the code stays
  /// valid), and Error(TooManyRequests) like a sign-in.
  virtual awaitable<std::optional<SignInStep>> acceptInvitation(std::string code, Secret password, LoginOrigin origin,
                                                                OfferEnrolment offer = OfferEnrolment::No) = 0;
  virtual awaitable<UserRecord> setRole(std::string name, Role role) = 0;
  /// Withdraws the invitation of a disabled user, too.
  virtual awaitable<UserRecord> setDisabled(std::string name, bool disabled) = 0;
  /// By an administrator: revokes the user's access tokens, too, as an accepted invitation does.
  virtual awaitable<void> resetPassword(std::string name, Secret password) = 0;
  /// By the user, with the present password; ends their other sessions. Throws Error(InvalidArgument) for a wrong one, and
  /// Error(TooManyRequests) like a sign-in.
  virtual awaitable<void> changePassword(Principal principal, Secret present, Secret password, LoginOrigin origin) = 0;
  virtual awaitable<void> endSessions(std::string name) = 0;
  virtual void forget(const std::string& name) = 0;  ///< after the deletion of its row

  struct Recovered {
    std::string name;
    Secret password;
  };
  /// For those who administer the server's machine: gives `admin`, or if there is no such user the first administrator, a random password,
  /// and removes their second factor.
  virtual awaitable<Recovered> recoverAdmin() = 0;
};

}  // namespace swarm

// StoreAccounts: Accounts on the store. A part of the Auth that makeAuth() returns.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "auth/accounts/accounts.h"
#include "auth/limits/throttle.h"
#include "auth/passwords.h"
#include "auth/session/sessions.h"
#include "auth/sign_in/sign_ins.h"

namespace swarm {

class StoreAccounts final : public Accounts {
 public:
  /// What it shares with Auth.
  struct Parts {
    Store& store;
    const Clock& clock;
    SessionTable& sessions;
    Passwords& passwords;
    LoginThrottle& throttle;
    Audit* audit;  ///< null: nothing is recorded
    std::function<void()> noteRevocation;
    std::function<void(const std::string& user)> forgetCredentials;  ///< after the deletion of the rows of their access tokens and SSH keys
    SignIns& signIns;
    /// Goes on with the sign-in of a user who has proved who they are as by a password.
    std::function<awaitable<SignInStep>(UserRecord user, SessionKind kind, LoginOrigin origin, OfferEnrolment offer)> goOn;
  };
  explicit StoreAccounts(Parts parts) : parts_(std::move(parts)) {}
  void load(const std::vector<UserRecord>& users);

  awaitable<std::vector<UserRecord>> list() override;
  awaitable<std::optional<UserRecord>> find(std::string name) override;
  awaitable<UserRecord> create(std::string name, Role role, Secret password, UserKind kind) override;
  awaitable<UserRecord> createFor(Identity identity, Role role) override;
  awaitable<Invitation> invite(std::string name) override;
  std::optional<std::string> invited(std::string_view code) const override;
  awaitable<std::optional<SignInStep>> acceptInvitation(std::string code, Secret password, LoginOrigin origin,
                                                        OfferEnrolment offer) override;
  awaitable<UserRecord> setRole(std::string name, Role role) override;
  awaitable<UserRecord> setDisabled(std::string name, bool disabled) override;
  awaitable<void> resetPassword(std::string name, Secret password) override;
  awaitable<void> changePassword(Principal principal, Secret present, Secret password, LoginOrigin origin) override;
  awaitable<void> endSessions(std::string name) override;
  void forget(const std::string& name) override;
  awaitable<Recovered> recoverAdmin() override;

 private:
  struct OpenInvitation {
    std::string digest;
    SystemTime expiresAt;
  };

  awaitable<UserRecord> change(std::string name, UserChange change);
  void remember(const UserRecord& user);
  awaitable<void> requirePerson(std::string name);  ///< Error(Conflict) for a service account

  Parts parts_;
  mutable std::mutex mutex_;
  std::map<std::string, OpenInvitation, std::less<>> invitations_;  ///< by user
};

}  // namespace swarm

// IdentityStore: people at identity providers, and the accounts that they use. A part of the store.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "model/types/accounts/identity.h"

namespace swarm {

using boost::asio::awaitable;

struct UserRecord;

/// An empty member leaves nothing out.
struct IdentityFilter {
  std::string issuer{};
  std::string subject{};
  std::string user{};
  std::string email{};
};

/// Thread-safe, and as durable as Store. An identity is deleted with its user.
class IdentityStore {
 public:
  virtual ~IdentityStore() = default;
  virtual awaitable<std::vector<Identity>> list(IdentityFilter filter) = 0;
  /// Inserts the identity, or overwrites the one of its issuer and subject, whose user stays. NotFound when the user does not exist;
  /// Conflict for a new identity of a user who has another one of this issuer.
  virtual awaitable<void> put(Identity identity) = 0;
  /// Inserts a new user and their identity, in one transaction. AlreadyExists when the user's name is or was taken; Conflict when the
  /// identity has a user.
  virtual awaitable<void> putWithUser(Identity identity, UserRecord user) = 0;
};

}  // namespace swarm

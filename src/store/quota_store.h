// QuotaStore: quotas of users, groups and roles. A part of the store.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>

#include "model/types/accounts/limits.h"

namespace swarm {

using boost::asio::awaitable;

using Quotas = std::map<QuotaSubject, ResourceLimits>;

/// Thread-safe, and as durable as Store. A quota is deleted with its user or group.
class QuotaStore {
 public:
  virtual ~QuotaStore() = default;
  virtual awaitable<Quotas> load() = 0;
  /// Replaces the subject's. NotFound when the user or group does not exist.
  virtual awaitable<void> put(QuotaSubject subject, ResourceLimits limits) = 0;
  virtual awaitable<void> remove(QuotaSubject subject) = 0;  ///< NotFound when there is none
};

}  // namespace swarm

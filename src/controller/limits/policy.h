// LimitPolicy: which limits apply to a claim, from the configuration, the quotas and the machines that are there. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/limits/ledger.h"
#include "model/types/accounts/limits.h"
#include "model/types/accounts/role.h"
#include "model/types/provider_type.h"
#include "store/quota_store.h"

namespace swarm {

/// `[limits]` of the configuration.
struct LimitsConfig {
  struct OfProvider {
    ResourceLimits all;
    std::map<std::string, ResourceLimits> regions;  ///< of Fly, or Docker hosts
  };
  ResourceLimits swarm;
  ResourceLimits instance;  ///< of each instance, without `instances`
  ResourceLimits user;      ///< of each user without a quota
  std::map<ProviderType, OfProvider> providers;
};

/// Why quotas apply to a user.
struct Standing {
  std::optional<Role> role{};
  std::vector<std::string> groups{};
};

/// Thread-safe functions.
struct Directory {
  std::function<Standing(const std::string& user)> standingOf = [](const std::string&) { return Standing(); };
  std::function<std::vector<std::string>(const std::string& group)> membersOf = [](const std::string&) {
    return std::vector<std::string>();
  };
};

namespace control {

enum class Resource { instances, cpu, memory, storage };
inline constexpr Resource kResources[] = {Resource::instances, Resource::cpu, Resource::memory, Resource::storage};
/// In the units of Amounts.
std::int64_t amountOf(const Amounts& amounts, Resource resource);
/// The limit in the units of Amounts; nothing: not set here. 0: none.
std::optional<std::int64_t> limitOf(const ResourceLimits& limits, Resource resource);

/// A limit of one resource of some accounts together. `title` begins the sentence that refuses a request: "The quota of the user ada".
struct Bound {
  std::string title;
  std::vector<Account> accounts;
  Resource resource = Resource::instances;
  std::int64_t limit = 0;  ///< more than 0
  std::string source;      ///< what to change: "[limits.user] of the server's configuration"
};

/// What is there, of which one user may take a part.
struct Machine {
  std::int64_t milliCpu = 0;  ///< 0: unknown
  std::int64_t memory = 0;
  std::int64_t maxInstancesPerUser = 0;  ///< 0: no limit
};

struct LimitPolicy {
  const LimitsConfig& config;
  const Quotas& quotas;
  const Directory& directory;
  std::function<Machine(ProviderType)> machineOf;

  /// All that concern the claim, except those of a single instance.
  std::vector<Bound> boundsOf(const Claim& claim) const;
  std::vector<Bound> boundsOfUser(const std::string& user) const;
  std::vector<Bound> boundsOfGroup(const std::string& group) const;
  std::vector<Bound> boundsOfRegion(ProviderType provider, const std::string& region) const;
  std::vector<Bound> boundsOfProvider(ProviderType provider) const;
  std::vector<Bound> boundsOfSwarm() const;
  /// Defaults of one user at a provider: cores and memory only where no other source decides.
  std::vector<Bound> boundsOfUserAt(const std::string& user, ProviderType provider) const;

 private:
  struct Decided {
    std::int64_t limit = 0;
    std::string source;
  };
  /// Of one resource of a user; nothing: no source names it.
  std::optional<Decided> decide(const std::string& user, const Standing& standing, Resource resource) const;
};

}  // namespace control
}  // namespace swarm

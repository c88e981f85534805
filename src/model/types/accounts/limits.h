// Limits of what a swarm, its places, its users and groups may hold.
#pragma once

#include <boost/describe.hpp>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace swarm {

/// 0: no limit. Absent: another source decides.
struct ResourceLimits {
  std::optional<std::int64_t> instances{};
  std::optional<double> cpu{};            ///< cores, of instances that run
  std::optional<std::int64_t> memory{};   ///< MiB, of instances that run
  std::optional<std::int64_t> storage{};  ///< GiB, of stopped instances and snapshots, too
  friend bool operator==(const ResourceLimits&, const ResourceLimits&) = default;
};
BOOST_DESCRIBE_STRUCT(ResourceLimits, (), (instances, cpu, memory, storage))

/// user: one user. member: each member of a group. role: each user of a role. Of these, the first that names a limit decides for a user,
/// and of several groups the largest. group: what the members of a group hold together, in addition.
enum class QuotaKind { user, group, member, role };
BOOST_DESCRIBE_ENUM(QuotaKind, user, group, member, role)

/// What a limit is about. swarm, provider, region: everything there. instance: each one. The others are as QuotaKind, and user at a
/// provider is what bounds a user there.
enum class LimitScope { swarm, provider, region, instance, user, group, member, role };
BOOST_DESCRIBE_ENUM(LimitScope, swarm, provider, region, instance, user, group, member, role)

/// In the units of ResourceLimits.
struct HeldResources {
  std::int64_t instances = 0;
  double cpu = 0;
  std::int64_t memory = 0;
  std::int64_t storage = 0;
};
BOOST_DESCRIBE_STRUCT(HeldResources, (), (instances, cpu, memory, storage))

/// Whose quota it is.
struct QuotaSubject {
  QuotaKind kind = QuotaKind::user;
  std::string name;
  friend auto operator<=>(const QuotaSubject&, const QuotaSubject&) = default;
};

}  // namespace swarm

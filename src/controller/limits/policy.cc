#include "controller/limits/policy.h"

#include <cmath>

#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::control {
namespace {

// Of the machine that is there, for one user by default. A workspace rarely uses all that it may use, so that several of one user share
// it; but a user who takes all of it must not take many times as much.
constexpr std::int64_t kCpuShare = 16;
constexpr std::int64_t kMemoryShare = 2;

constexpr std::string_view kInConfiguration = "of the server's configuration";

void addBounds(std::vector<Bound>& bounds, const std::string& title, const Account& account, const ResourceLimits& limits,
               const std::string& source) {
  for (const Resource resource : kResources)
    if (const auto limit = limitOf(limits, resource); limit.value_or(0) > 0) bounds.push_back({title, {account}, resource, *limit, source});
}

std::string changeText(QuotaKind kind, const std::string& name) { return format("swarm quota set {} {}", enumName(kind), name); }

}  // namespace

std::int64_t amountOf(const Amounts& amounts, Resource resource) {
  switch (resource) {
    case Resource::instances:
      return amounts.instances;
    case Resource::cpu:
      return amounts.milliCpu;
    case Resource::memory:
      return amounts.memory;
    case Resource::storage:
      break;
  }
  return amounts.storage;
}

std::optional<std::int64_t> limitOf(const ResourceLimits& limits, Resource resource) {
  switch (resource) {
    case Resource::instances:
      return limits.instances;
    case Resource::cpu:
      return limits.cpu ? std::optional<std::int64_t>(std::llround(*limits.cpu * 1000)) : std::nullopt;
    case Resource::memory:
      return limits.memory;
    case Resource::storage:
      break;
  }
  return limits.storage;
}

std::vector<Bound> LimitPolicy::boundsOfSwarm() const {
  std::vector<Bound> bounds;
  addBounds(bounds, "The limit of this server", {AccountKind::swarm}, config.swarm, format("[limits] {}", kInConfiguration));
  return bounds;
}

std::vector<Bound> LimitPolicy::boundsOfProvider(ProviderType provider) const {
  std::vector<Bound> bounds;
  if (const auto found = config.providers.find(provider); found != config.providers.end())
    addBounds(bounds, format("The limit of {}", placeTitle(provider)), {AccountKind::provider, provider}, found->second.all,
              format("[limits.{}] {}", enumName(provider), kInConfiguration));
  return bounds;
}

std::vector<Bound> LimitPolicy::boundsOfRegion(ProviderType provider, const std::string& region) const {
  std::vector<Bound> bounds;
  const auto found = config.providers.find(provider);
  if (found == config.providers.end() || !found->second.regions.contains(region)) return bounds;
  addBounds(bounds, format("The limit of {}", placeTitle(provider, region)), {AccountKind::region, provider, region},
            found->second.regions.at(region), format("[limits.{}.regions.{}] {}", enumName(provider), region, kInConfiguration));
  return bounds;
}

std::optional<LimitPolicy::Decided> LimitPolicy::decide(const std::string& user, const Standing& standing, Resource resource) const {
  const auto read = [&](QuotaKind kind, const std::string& name) -> std::optional<Decided> {
    const auto found = quotas.find({kind, name});
    const auto limit = found == quotas.end() ? std::nullopt : limitOf(found->second, resource);
    return limit ? std::optional<Decided>({*limit, changeText(kind, name)}) : std::nullopt;
  };
  if (auto own = read(QuotaKind::user, user)) return own;
  std::optional<Decided> best;
  for (const std::string& group : standing.groups) {
    auto one = read(QuotaKind::member, group);
    if (one && (!best || (best->limit > 0 && (one->limit == 0 || one->limit > best->limit)))) best = std::move(one);
  }
  if (best) return best;
  if (standing.role)
    if (auto of_role = read(QuotaKind::role, std::string(enumName(*standing.role)))) return of_role;
  if (const auto limit = limitOf(config.user, resource)) return Decided{*limit, format("[limits.user] {}", kInConfiguration)};
  return std::nullopt;
}

std::vector<Bound> LimitPolicy::boundsOfUser(const std::string& user) const {
  std::vector<Bound> bounds;
  const Standing standing = directory.standingOf(user);
  for (const Resource resource : kResources)
    if (auto decided = decide(user, standing, resource); decided && decided->limit > 0)
      bounds.push_back(
          {format("The quota of {}", user), {{AccountKind::user, {}, user}}, resource, decided->limit, std::move(decided->source)});
  return bounds;
}

std::vector<Bound> LimitPolicy::boundsOfGroup(const std::string& group) const {
  std::vector<Bound> bounds;
  const auto found = quotas.find({QuotaKind::group, group});
  if (found == quotas.end()) return bounds;
  std::vector<Account> accounts;
  for (std::string& member : directory.membersOf(group)) accounts.push_back({AccountKind::user, {}, std::move(member)});
  for (const Resource resource : kResources)
    if (const auto limit = limitOf(found->second, resource); limit.value_or(0) > 0)
      bounds.push_back({format("The quota of the group {}", group), accounts, resource, *limit, changeText(QuotaKind::group, group)});
  return bounds;
}

std::vector<Bound> LimitPolicy::boundsOfUserAt(const std::string& user, ProviderType provider) const {
  std::vector<Bound> bounds;
  const Machine machine = machineOf(provider);
  const Account account{AccountKind::userAt, provider, user};
  if (machine.maxInstancesPerUser > 0)
    bounds.push_back({format("The limit of a user at {}", placeTitle(provider)),
                      {account},
                      Resource::instances,
                      machine.maxInstancesPerUser,
                      format("maxInstancesPerUser in [{}] {}", enumName(provider), kInConfiguration)});
  const Standing standing = directory.standingOf(user);
  const std::string title = format("The default limit of {} at {}", user, placeTitle(provider));
  const auto add_default = [&](Resource resource, std::int64_t limit) {
    if (limit > 0 && !decide(user, standing, resource))
      bounds.push_back({title, {account}, resource, limit, changeText(QuotaKind::user, user)});
  };
  add_default(Resource::cpu, machine.milliCpu * kCpuShare);
  add_default(Resource::memory, machine.memory * kMemoryShare);
  return bounds;
}

std::vector<Bound> LimitPolicy::boundsOf(const Claim& claim) const {
  std::vector<Bound> all;
  const auto add = [&](std::vector<Bound> bounds) {
    for (Bound& bound : bounds) all.push_back(std::move(bound));
  };
  for (const std::string& owner : claim.owners) {
    add(boundsOfUser(owner));
    add(boundsOfUserAt(owner, claim.provider));
    for (const std::string& group : directory.standingOf(owner).groups) {
      // What one member hands over to another stays in the group.
      const auto is_member = [&](const std::string& other) {
        return other != owner && std::ranges::count(directory.standingOf(other).groups, group) > 0;
      };
      if (std::ranges::none_of(claim.owners, is_member)) add(boundsOfGroup(group));
    }
  }
  for (const std::string& region : claim.regions) add(boundsOfRegion(claim.provider, region));
  add(boundsOfProvider(claim.provider));
  add(boundsOfSwarm());
  return all;
}

}  // namespace swarm::control

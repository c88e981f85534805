// SwarmController: quotas, and what is held of each limit.
#include "controller/impl.h"

namespace swarm {
namespace {

using control::Account;
using control::AccountKind;
using control::Amounts;
using control::Bound;
using control::LimitPolicy;
using control::Resource;

void setLimit(ResourceLimits& limits, Resource resource, std::int64_t limit) {
  switch (resource) {
    case Resource::instances:
      limits.instances = limit;
      break;
    case Resource::cpu:
      limits.cpu = static_cast<double>(limit) / 1000;
      break;
    case Resource::memory:
      limits.memory = limit;
      break;
    case Resource::storage:
      limits.storage = limit;
      break;
  }
}

std::string_view nameOf(Resource resource) {
  constexpr std::string_view names[] = {"instances", "cpu", "memory", "storage"};
  return names[static_cast<std::size_t>(resource)];
}

LimitScope scopeOf(QuotaKind kind) {
  switch (kind) {
    case QuotaKind::user:
      return LimitScope::user;
    case QuotaKind::group:
      return LimitScope::group;
    case QuotaKind::member:
      return LimitScope::member;
    case QuotaKind::role:
      break;
  }
  return LimitScope::role;
}

/// Rows of one list.
class Report {
 public:
  Report(const control::Ledger& ledger, const LimitPolicy& policy) : ledger_(ledger), policy_(policy) {}

  void addPlaces(const control::Providers& providers) {
    add({.scope = LimitScope::swarm}, policy_.boundsOfSwarm(), {{AccountKind::swarm}});
    for (const auto& [type, provider] : providers)
      add({.scope = LimitScope::provider, .provider = type}, policy_.boundsOfProvider(type), {{AccountKind::provider, type}});
    for (const auto& [type, limits] : policy_.config.providers)
      for (const auto& [region, of_region] : limits.regions)
        add({.scope = LimitScope::region, .provider = type, .name = region}, policy_.boundsOfRegion(type, region),
            {{AccountKind::region, type, region}});
    if (policy_.config.instance != ResourceLimits()) rows_.push_back({.scope = LimitScope::instance, .limits = policy_.config.instance});
  }

  void addUser(const std::string& user, const control::Providers& providers) {
    add({.scope = LimitScope::user, .name = user, .quota = quotaOf({QuotaKind::user, user})}, policy_.boundsOfUser(user),
        {{AccountKind::user, {}, user}});
    for (const auto& [type, provider] : providers)
      if (const auto bounds = policy_.boundsOfUserAt(user, type); !bounds.empty())
        add({.scope = LimitScope::user, .provider = type, .name = user}, bounds, {{AccountKind::userAt, type, user}});
  }

  void addQuotas() {
    for (const auto& [subject, limits] : policy_.quotas) {
      if (subject.kind == QuotaKind::user) continue;
      QuotaResponse row{.scope = scopeOf(subject.kind), .name = subject.name, .limits = limits, .quota = limits};
      if (subject.kind != QuotaKind::group) {
        rows_.push_back(std::move(row));
        continue;
      }
      std::vector<Account> members;
      for (std::string& member : policy_.directory.membersOf(subject.name)) members.push_back({AccountKind::user, {}, std::move(member)});
      row.limits = {};
      add(std::move(row), policy_.boundsOfGroup(subject.name), members);
    }
  }

  std::vector<QuotaResponse> take() { return std::move(rows_); }

 private:
  void add(QuotaResponse row, const std::vector<Bound>& bounds, const std::vector<Account>& accounts) {
    for (const Bound& bound : bounds) {
      setLimit(row.limits, bound.resource, bound.limit);
      row.sources.emplace(nameOf(bound.resource), bound.source);
    }
    Amounts used;
    for (const Account& account : accounts) used += ledger_.used(account);
    row.used = HeldResources{used.instances, static_cast<double>(used.milliCpu) / 1000, used.memory, used.storage};
    rows_.push_back(std::move(row));
  }
  std::optional<ResourceLimits> quotaOf(const QuotaSubject& subject) const {
    const auto found = policy_.quotas.find(subject);
    return found == policy_.quotas.end() ? std::nullopt : std::optional(found->second);
  }

  const control::Ledger& ledger_;
  const LimitPolicy& policy_;
  std::vector<QuotaResponse> rows_;
};

}  // namespace

awaitable<std::vector<QuotaResponse>> SwarmController::listQuotas(std::vector<std::string> users) {
  return onLoop([=](Impl& impl) {
    const LimitPolicy policy = impl.limits.policy();
    const control::Ledger& ledger = *impl.registry.ledger();
    std::set<std::string> all(users.begin(), users.end());
    all.merge(ledger.users());
    for (const auto& [subject, limits] : policy.quotas)
      if (subject.kind == QuotaKind::user) all.insert(subject.name);
    Report report(ledger, policy);
    report.addPlaces(impl.providers);
    for (const std::string& user : all) report.addUser(user, impl.providers);
    report.addQuotas();
    return report.take();
  });
}

awaitable<void> SwarmController::setQuota(QuotaSubject subject, ResourceLimits limits) {
  return onLoop([=](Impl& impl) -> awaitable<void> {
    co_await impl.store.quotas().put(subject, limits);
    impl.limits.setQuotas(co_await impl.store.quotas().load());
  });
}

awaitable<void> SwarmController::removeQuota(QuotaSubject subject) {
  return onLoop([=](Impl& impl) -> awaitable<void> {
    co_await impl.store.quotas().remove(subject);
    impl.limits.setQuotas(co_await impl.store.quotas().load());
  });
}

awaitable<void> SwarmController::reloadQuotas() {
  return onLoop([](Impl& impl) -> awaitable<void> { impl.limits.setQuotas(co_await impl.store.quotas().load()); });
}

}  // namespace swarm

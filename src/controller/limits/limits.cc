#include "controller/limits/limits.h"

#include "controller/limits/holdings.h"
#include "controller/limits/refusal.h"

namespace swarm::control {

Reservation::Reservation(std::shared_ptr<Ledger> ledger, PlacedClaims claims) : ledger_(std::move(ledger)) {
  for (PlacedClaim& one : claims) held_.emplace_back(one.place, ledger_->reserve(one.place, std::move(one.claim)));
}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  release();
  ledger_ = std::move(other.ledger_);
  held_ = std::exchange(other.held_, {});
  return *this;
}

void Reservation::release() {
  for (const auto& [place, reservation] : std::exchange(held_, {})) ledger_->release(place, reservation);
}

LimitPolicy Limits::policy() const {
  return {options_.limits, quotas_, options_.directory, [this](ProviderType type) {
            Machine machine;
            const Provider* provider = providers_.find(type);
            if (!provider) return machine;
            machine.maxInstancesPerUser = provider->getProviderCapabilities().maxInstancesPerUser;
            if (!provider->info().isOneMachine) return machine;
            machine.milliCpu = static_cast<std::int64_t>(provider->cpuTotal().total * 1000);
            machine.memory = static_cast<std::int64_t>(provider->memoryTotal().total);
            return machine;
          }};
}

std::int64_t Limits::used(const Bound& bound) const {
  std::int64_t sum = 0;
  for (const Account& account : bound.accounts) sum += amountOf(registry_.ledger()->used(account), bound.resource);
  return sum;
}

Claim Limits::planned(ProviderType provider, const std::string& region, const std::string& owner, const InstanceConfig& config,
                      Runs runs) const {
  const Provider* there = providers_.find(provider);
  Claim claim{.provider = provider, .owners = {owner}};
  if (!region.empty())
    claim.regions = {region};
  else if (there)
    claim.regions = there->possibleRegions(config.network);
  claim.owned = amountsOf(there ? there->effectiveResources(config.resources) : config.resources, config.storage, runs);
  claim.owned.instances = 1;
  return claim;
}

PlacedClaim Limits::running(const Entry& entry) const {
  const Instance& instance = entry.record.instance;
  return {entry.placeId(), planned(instance.provider, instance.region, instance.owner, instance.config, Runs::Yes)};
}

Claim Limits::temporary(ProviderType provider, const std::string& region, const std::string& owner, const InstanceConfig& config,
                        Keeps keeps) const {
  Claim claim = planned(provider, region, owner, config, Runs::Yes);
  claim.lent = std::exchange(claim.owned, {});
  claim.lent.instances = 0;
  if (keeps == Keeps::Files) claim.owned.storage = std::exchange(claim.lent.storage, 0);
  return claim;
}

std::vector<std::string> Limits::regionsWithRoom(ProviderType provider, std::vector<std::string> regions, const Amounts& amounts) const {
  const LimitPolicy rules = policy();
  std::vector<std::string> with_room;
  for (const std::string& region : regions) {
    const auto is_full = [&](const Bound& bound) { return used(bound) + amountOf(amounts, bound.resource) > bound.limit; };
    if (std::ranges::none_of(rules.boundsOfRegion(provider, region), is_full)) with_room.push_back(region);
  }
  return with_room.empty() ? regions : with_room;
}

Reservation Limits::reserve(PlacedClaims claims, const Actor& actor) const {
  const Ledger& ledger = *registry_.ledger();
  std::vector<std::pair<Bound, std::int64_t>> before;  // how much was used
  for (const PlacedClaim& one : claims) {
    const Claim present = ledger.claimOf(one.place);
    const Claim after = present == Claim() ? one.claim : joined(present, one.claim);
    requireWithin(options_.limits.instance, present.owned + present.lent, after.owned + after.lent);
    for (Bound& bound : policy().boundsOf(after)) {
      const std::int64_t used_before = used(bound);
      before.emplace_back(std::move(bound), used_before);
    }
  }
  Reservation reservation(registry_.ledger(), std::move(claims));
  for (const auto& [bound, used_before] : before) {
    const std::int64_t used_after = used(bound);
    if (used_after <= used_before || used_after <= bound.limit) continue;
    reservation.release();
    throw refusal({bound, used_before, used_after - used_before}, registry_, actor);
  }
  return reservation;
}

}  // namespace swarm::control

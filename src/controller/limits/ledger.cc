#include "controller/limits/ledger.h"

namespace swarm::control {
namespace {

Claim joinedOf(const Claim* fact, const Ledger::Reservations& reservations) {
  Claim all;
  bool is_first = true;
  const auto add = [&](const Claim& one) {
    all = is_first ? one : joined(all, one);
    is_first = false;
  };
  if (fact) add(*fact);
  for (const Claim& one : reservations) add(one);
  return all;
}

}  // namespace

Claim joined(const Claim& a, const Claim& b) {
  Claim both = a;
  if (both.regions.empty()) both.regions = b.regions;
  for (const std::string& owner : b.owners)
    if (std::ranges::find(both.owners, owner) == both.owners.end()) both.owners.push_back(owner);
  both.owned = larger(a.owned, b.owned);
  both.lent = larger(a.owned + a.lent, b.owned + b.lent) - both.owned;
  return both;
}

std::vector<Account> accountsOf(const Claim& claim) {
  std::vector<Account> accounts{{AccountKind::swarm}, {AccountKind::provider, claim.provider}};
  for (const std::string& region : claim.regions) accounts.push_back({AccountKind::region, claim.provider, region});
  for (const std::string& owner : claim.owners) {
    accounts.push_back({AccountKind::user, {}, owner});
    accounts.push_back({AccountKind::userAt, claim.provider, owner});
  }
  return accounts;
}

void Ledger::add(const Claim& claim, int sign) {
  for (const Account& account : accountsOf(claim)) {
    Amounts amounts = claim.owned;
    const bool is_where_it_is = account.kind == AccountKind::provider || account.kind == AccountKind::region;
    if (is_where_it_is || account.kind == AccountKind::swarm) amounts += claim.lent;
    if (account.kind == AccountKind::swarm) amounts.instances = claim.owned.instances;
    const auto sum = sums_.try_emplace(account).first;
    sum->second = sign > 0 ? sum->second + amounts : sum->second - amounts;
    if (sum->second == Amounts()) sums_.erase(sum);
  }
}

template <typename Change>
void Ledger::change(const PlaceId& place, Change change) {
  const auto found = holdings_.try_emplace(place).first;
  Holding& holding = found->second;
  add(holding.counted, -1);
  change(holding);
  holding.counted = joinedOf(holding.fact.get(), holding.reservations);
  add(holding.counted, 1);
  if (!holding.fact && holding.reservations.empty()) holdings_.erase(found);
}

void Ledger::setFact(const PlaceId& place, Claim claim) {
  change(place, [&](Holding& holding) { holding.fact = std::make_unique<Claim>(std::move(claim)); });
}

void Ledger::removeFact(const PlaceId& place) {
  if (holdings_.contains(place)) change(place, [](Holding& holding) { holding.fact.reset(); });
}

Ledger::Reservations::iterator Ledger::reserve(const PlaceId& place, Claim claim) {
  Reservations::iterator made;
  change(place, [&](Holding& holding) { made = holding.reservations.insert(holding.reservations.end(), std::move(claim)); });
  return made;
}

void Ledger::release(const PlaceId& place, Reservations::iterator reservation) {
  change(place, [&](Holding& holding) { holding.reservations.erase(reservation); });
}

Amounts Ledger::used(const Account& account) const {
  const auto found = sums_.find(account);
  return found == sums_.end() ? Amounts() : found->second;
}

Claim Ledger::claimOf(const PlaceId& place) const {
  const auto found = holdings_.find(place);
  return found == holdings_.end() ? Claim() : found->second.counted;
}

std::set<std::string> Ledger::users() const {
  std::set<std::string> names;
  for (auto one = sums_.lower_bound({AccountKind::user}); one != sums_.end() && one->first.kind == AccountKind::user; ++one)
    names.insert(one->first.name);
  return names;
}

std::map<PlaceId, Claim> Ledger::claims() const {
  std::map<PlaceId, Claim> all;
  for (const auto& [place, holding] : holdings_) all.emplace(place, holding.counted);
  return all;
}

}  // namespace swarm::control

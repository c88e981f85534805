// Ledger: what every place holds, and the sums of it for each account that can have a limit. Pure.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/types/ids.h"
#include "model/types/provider_type.h"

namespace swarm::control {

/// Whole numbers: sums are exact in any order.
struct Amounts {
  std::int64_t instances = 0;
  std::int64_t milliCpu = 0;
  std::int64_t memory = 0;   ///< MiB
  std::int64_t storage = 0;  ///< GiB

  /// Applies `combine(own, other)` to each of them.
  template <typename Combine>
  Amounts with(const Amounts& other, Combine combine) const {
    return {combine(instances, other.instances), combine(milliCpu, other.milliCpu), combine(memory, other.memory),
            combine(storage, other.storage)};
  }
  friend Amounts operator+(const Amounts& a, const Amounts& b) {
    return a.with(b, [](auto x, auto y) { return x + y; });
  }
  friend Amounts operator-(const Amounts& a, const Amounts& b) {
    return a.with(b, [](auto x, auto y) { return x - y; });
  }
  Amounts& operator+=(const Amounts& other) { return *this = *this + other; }
  friend bool operator==(const Amounts&, const Amounts&) = default;
};
inline Amounts larger(const Amounts& a, const Amounts& b) {
  return a.with(b, [](auto x, auto y) { return std::max(x, y); });
}

/// What has a sum of its own. userAt: a user at one provider.
enum class AccountKind { swarm, provider, region, user, userAt };
struct Account {
  AccountKind kind = AccountKind::swarm;
  ProviderType provider{};  ///< of provider, region and userAt
  std::string name{};       ///< of the region or user
  friend auto operator<=>(const Account&, const Account&) = default;
};

/// What one place of an instance holds.
struct Claim {
  ProviderType provider{};
  std::vector<std::string> regions{};  ///< it counts in each: while the provider may choose among several, it can be in any of them
  std::vector<std::string> owners{};   ///< it counts for each: two during a hand-over
  Amounts owned{};
  /// Counts where it is, and not for its owners: what exists only for the time of an operation. Its instances do not count in the swarm,
  /// which has the instance already.
  Amounts lent{};
  friend bool operator==(const Claim&, const Claim&) = default;
};
/// What a place holds that has `a` and is meant to have `b`, of the same provider: the larger amounts, and of those owned as much as either
/// owns. The regions are those of `a`, where it has any.
Claim joined(const Claim& a, const Claim& b);
std::vector<Account> accountsOf(const Claim& claim);

/// A fact is what a place is known to hold; a reservation is what an operation in progress may make of it. Every change costs a few
/// look-ups, however many places there are.
class Ledger {
 public:
  using Reservations = std::list<Claim>;

  void setFact(const PlaceId& place, Claim claim);
  void removeFact(const PlaceId& place);
  Reservations::iterator reserve(const PlaceId& place, Claim claim);
  void release(const PlaceId& place, Reservations::iterator reservation);

  Amounts used(const Account& account) const;
  /// What the place counts as: the fact and all its reservations joined; empty when it holds nothing.
  Claim claimOf(const PlaceId& place) const;
  std::map<PlaceId, Claim> claims() const;
  std::set<std::string> users() const;  ///< who hold something

 private:
  struct Holding {
    std::unique_ptr<Claim> fact;
    Reservations reservations;
    Claim counted;
  };
  template <typename Change>
  void change(const PlaceId& place, Change change);
  void add(const Claim& claim, int sign);

  std::map<PlaceId, Holding> holdings_;
  std::map<Account, Amounts> sums_;  ///< without those that are zero
};

}  // namespace swarm::control

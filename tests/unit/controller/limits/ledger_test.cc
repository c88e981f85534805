// The ledger's sums, compared with a count of everything that was recorded.
#include "controller/limits/ledger.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace swarm::control {
namespace {

Amounts anyAmounts() {
  const auto small = rc::gen::inRange<std::int64_t>(0, 5);
  return {*small, *small, *small, *small};
}

Claim anyClaim(ProviderType provider) {
  const auto name = rc::gen::element<std::string>("a", "b", "c");
  Claim claim{.provider = provider, .owned = anyAmounts(), .lent = anyAmounts()};
  claim.regions = *rc::gen::unique<std::vector<std::string>>(*rc::gen::inRange<std::size_t>(0, 3), name);
  claim.owners = *rc::gen::unique<std::vector<std::string>>(*rc::gen::inRange<std::size_t>(1, 3), name);
  return claim;
}

/// What the ledger was given, kept as it was.
struct Recorded {
  std::map<PlaceId, Claim> facts;
  std::list<std::pair<PlaceId, Claim>> reservations;

  /// The amounts of one account, by the definition of a claim.
  Amounts count(const Account& account) const {
    std::map<PlaceId, Claim> places = facts;
    for (const auto& [place, claim] : reservations) {
      const auto [found, is_first] = places.try_emplace(place, claim);
      if (!is_first) found->second = joined(found->second, claim);
    }
    Amounts sum;
    for (const auto& [place, claim] : places) {
      Amounts with_lent = claim.owned + claim.lent;
      if (account.kind == AccountKind::swarm) {
        with_lent.instances = claim.owned.instances;
        sum += with_lent;
        continue;
      }
      if (account.kind == AccountKind::user) {
        if (std::ranges::count(claim.owners, account.name) > 0) sum += claim.owned;
        continue;
      }
      if (account.provider != claim.provider) continue;
      if (account.kind == AccountKind::provider) sum += with_lent;
      if (account.kind == AccountKind::region && std::ranges::count(claim.regions, account.name) > 0) sum += with_lent;
      if (account.kind == AccountKind::userAt && std::ranges::count(claim.owners, account.name) > 0) sum += claim.owned;
    }
    return sum;
  }
};

std::vector<Account> allAccounts() {
  std::vector<Account> all{{AccountKind::swarm}};
  for (const ProviderType provider : {ProviderType::docker, ProviderType::flyio}) {
    all.push_back({AccountKind::provider, provider});
    for (const char* name : {"a", "b", "c"}) {
      all.push_back({AccountKind::region, provider, name});
      all.push_back({AccountKind::userAt, provider, name});
      all.push_back({AccountKind::user, {}, name});
    }
  }
  return all;
}

TEST(Ledger, hasTheSumsOfARecountAfterAnySequenceOfChanges) {
  rc::check([] {
    Ledger ledger;
    Recorded recorded;
    std::list<std::pair<PlaceId, Ledger::Reservations::iterator>> held;
    const int steps = *rc::gen::inRange(1, 40);
    for (int i = 0; i < steps; ++i) {
      const std::string id = *rc::gen::element<std::string>("1", "2", "3", "4");
      const PlaceId place(id);
      // A place belongs to one provider.
      const ProviderType provider = id < "3" ? ProviderType::docker : ProviderType::flyio;
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          recorded.facts[place] = anyClaim(provider);
          ledger.setFact(place, recorded.facts[place]);
          break;
        case 1:
          recorded.facts.erase(place);
          ledger.removeFact(place);
          break;
        case 2: {
          const Claim claim = anyClaim(provider);
          recorded.reservations.emplace_back(place, claim);
          held.emplace_back(place, ledger.reserve(place, claim));
          break;
        }
        default:
          if (held.empty()) break;
          ledger.release(held.front().first, held.front().second);
          held.pop_front();
          recorded.reservations.pop_front();
      }
      for (const Account& account : allAccounts()) RC_ASSERT(ledger.used(account) == recorded.count(account));
    }
    for (const auto& [place, reservation] : held) ledger.release(place, reservation);
    for (const auto& [place, claim] : recorded.facts) ledger.removeFact(place);
    for (const Account& account : allAccounts()) RC_ASSERT(ledger.used(account) == Amounts());
    RC_ASSERT(ledger.claims().empty());
  });
}

TEST(Ledger, countsWhatIsLentWhereItIsAndNotForItsOwner) {
  Ledger ledger;
  ledger.setFact(PlaceId("p"), {.provider = ProviderType::docker,
                                .regions = {"box2"},
                                .owners = {"ann"},
                                .owned = {.storage = 3},
                                .lent = {.instances = 1, .milliCpu = 2000, .memory = 512}});
  EXPECT_EQ(ledger.used({AccountKind::user, {}, "ann"}), (Amounts{.storage = 3}));
  EXPECT_EQ(ledger.used({AccountKind::region, ProviderType::docker, "box2"}), (Amounts{1, 2000, 512, 3}));
  EXPECT_EQ(ledger.used({AccountKind::swarm}), (Amounts{0, 2000, 512, 3})) << "the instance counts at its own place already";
}

TEST(Ledger, countsAPlaceAsTheLargerOfWhatItHasAndWhatIsReserved) {
  const Claim has{.provider = ProviderType::docker, .owners = {"ann"}, .owned = {1, 0, 0, 10}};
  const Claim will_have{.provider = ProviderType::docker, .owners = {"ann"}, .owned = {1, 2000, 4096, 5}};
  EXPECT_EQ(joined(has, will_have).owned, (Amounts{1, 2000, 4096, 10}));
  // What is owned by either is not lent in addition.
  const Claim target{.provider = ProviderType::docker, .owners = {"ann"}, .lent = {1, 2000, 4096, 10}};
  EXPECT_EQ(joined(target, will_have).owned, (Amounts{1, 2000, 4096, 5}));
  EXPECT_EQ(joined(target, will_have).lent, (Amounts{0, 0, 0, 5}));
}

}  // namespace
}  // namespace swarm::control

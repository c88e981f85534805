// FakeWorld: egress policies, and which programs ran without theirs.
#include "provider/fake/world.h"

namespace swarm::fake {

void FakeWorld::noteProgram(const PlaceId& place_id) {
  std::lock_guard lock(mutex_);
  if (auto found = containers_.find(place_id); found != containers_.end()) noteProgramLocked(found->second);
}

void FakeWorld::noteProgramLocked(const FakeContainer& container) {
  const std::optional<EgressConfig>& egress = container.spec.config.network.egress;
  if (egress && egress->policy != EgressPolicy::open && !container.rules) unlimited_.insert(container.spec.placeId);
}

std::set<PlaceId> FakeWorld::unlimited() const {
  std::lock_guard lock(mutex_);
  return unlimited_;
}

EgressRules FakeWorld::setRules(const PlaceId& place_id, EgressConfig rules) {
  std::lock_guard lock(mutex_);
  std::optional<EgressConfig>& standing = existing(place_id).rules;
  const bool was_set = standing.has_value();
  const bool same = was_set && standing->policy == rules.policy && standing->allow == rules.allow;
  standing = std::move(rules);
  return same ? EgressRules::Stood : was_set ? EgressRules::Changed : EgressRules::New;
}

}  // namespace swarm::fake

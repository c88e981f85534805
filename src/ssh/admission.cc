#include "ssh/admission.h"

#include <algorithm>
#include <tuple>

namespace swarm::ssh {
namespace {

constexpr std::size_t kMaxKnown = 10'000;

}  // namespace

void Admission::change(Member& member, Stage stage) {
  const auto add = [&](Stage of, std::size_t by) {  // by: 1, or as many as make the sum one less
    for (Count* count : {static_cast<Count*>(member.group_), &all_}) {
      if (of == Stage::Silent || of == Stage::Ready) count->waiting += by;
      if (of == Stage::Ready) count->ready += by;
      if (of == Stage::Unauthenticated) count->unauthenticated += by;
      if (of == Stage::SignedIn) count->signedIn += by;
    }
  };
  add(member.stage_, static_cast<std::size_t>(-1));
  add(stage, 1);
  member.stage_ = stage;
}

void Admission::removeUnused(Group& group) {
  if (group.members + group.vacated == 0) groups_.erase(group.address);
}

void Admission::evict(Member& member) {
  change(member, Stage::Over);
  member.giveWay();
}

/// The oldest of the address with the most, of strangers if there are some. `only`: of this address; null: of all.
Admission::Member* Admission::oldestWaiting(const Group* only) const {
  Member* best = nullptr;
  const auto rank = [](const Member& one) { return std::tuple(!one.group_->isKnown, one.group_->waiting); };
  for (Member* one : members_) {
    const bool is_waiting = one->stage_ == Stage::Silent || one->stage_ == Stage::Ready;
    if (is_waiting && (!only || one->group_ == only) && (!best || rank(*one) > rank(*best))) best = one;
  }
  return best;
}

void Admission::enter(Member& member, const std::string& address, SteadyTime now) {
  Group& group = groups_[address];
  if (group.address.empty()) {
    const auto last = known_.find(address);
    group.address = address;
    group.isKnown = last != known_.end() && now < last->second + limits_.memory;
  }
  const bool is_full = group.waiting >= limits_.waitingPerAddress;
  if (is_full || all_.waiting >= limits_.waiting) evict(*oldestWaiting(is_full ? &group : nullptr));
  ++group.members;
  member.group_ = &group;
  members_.push_back(&member);
  change(member, Stage::Silent);
}

bool Admission::makeReady(Member& member) {
  if (member.stage_ != Stage::Silent || all_.signedIn >= limits_.connections || member.group_->signedIn >= limits_.perAddress) return false;
  change(member, Stage::Ready);
  return true;
}

void Admission::signIn(Member& member, SteadyTime now) {
  if (member.stage_ != Stage::Unauthenticated) return;
  change(member, Stage::SignedIn);
  member.group_->isKnown = true;
  if (known_.size() >= kMaxKnown && !known_.contains(member.group_->address))
    known_.erase(std::ranges::min_element(known_, {}, [](const auto& item) { return item.second; }));
  known_[member.group_->address] = now;
}

void Admission::leave(Member& member) {
  if (members_.remove(&member) == 0) return;
  Group& group = *member.group_;
  --group.members;
  if (member.stage_ == Stage::Unauthenticated) {
    vacated_.push_back({&group, member.since_ + limits_.turn});
    ++group.vacated, ++all_.vacated;
    member.stage_ = Stage::Over;  // and still counted
  } else {
    change(member, Stage::Over);
    removeUnused(group);
  }
}

std::size_t Admission::strangers() const {
  std::size_t sum = 0;
  for (const auto& [address, group] : groups_)
    if (!group.isKnown) sum += group.unauthenticated;
  return sum;
}

bool Admission::isAtOwnLimit(const Group& group) const {
  return group.unauthenticated >= limits_.unauthenticatedPerAddress || group.open() >= limits_.perAddress;
}

bool Admission::hasPlace(const Group& group) const {
  return !isAtOwnLimit(group) && all_.open() < limits_.connections && (group.isKnown || strangers() < limits_.strangers);
}

Admission::Member* Admission::next() const {
  Member* best = nullptr;
  const auto rank = [](const Member& one) { return std::tuple(!one.group_->isKnown, one.group_->unauthenticated); };
  for (Member* one : members_)
    if (one->stage_ == Stage::Ready && (!best || rank(*one) < rank(*best)) && hasPlace(*one->group_)) best = one;
  return best;
}

/// A process that has had its turn, and whose end makes a place for a connection that waits: at the limit of an address, one of its own, at
/// that of all, one of a stranger. It is the oldest of the address with the most.
Admission::Member* Admission::replaceable(SteadyTime now) const {
  const bool others_wait =
      std::ranges::any_of(groups_, [&](const auto& item) { return item.second.ready > 0 && !isAtOwnLimit(item.second); });
  Member* best = nullptr;
  for (Member* one : members_) {
    if (one->stage_ != Stage::Unauthenticated || now < one->since_ + limits_.turn) continue;
    const Group& group = *one->group_;
    const bool makes_place = (isAtOwnLimit(group) && group.ready > 0) || (others_wait && !group.isKnown);
    if (makes_place && (!best || group.unauthenticated > best->group_->unauthenticated)) best = one;
  }
  return best;
}

void Admission::schedule(SteadyTime now) {
  std::erase_if(vacated_, [&](const Vacated& one) {
    if (now < one.until) return false;
    for (Count* count : {static_cast<Count*>(one.group), &all_}) --count->unauthenticated, --count->vacated;
    removeUnused(*one.group);
    return true;
  });
  for (;;) {
    if (Member* one = next()) {
      change(*one, Stage::Unauthenticated);
      one->since_ = now;
      one->start();
    } else if (Member* oldest = replaceable(now)) {
      evict(*oldest);
    } else {
      return;
    }
  }
}

}  // namespace swarm::ssh

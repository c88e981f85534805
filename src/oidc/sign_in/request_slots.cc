#include "oidc/sign_in/request_slots.h"

#include "base/error.h"

namespace swarm::oidc {

RequestSlots::Slot::~Slot() {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  const auto release = [](Counts& counts, const std::string& key) {
    if (const auto found = counts.find(key); --found->second == 0) counts.erase(found);
  };
  release(state_->works, work_);
  release(state_->addresses, address_);
}

RequestSlots::Slot RequestSlots::take(std::string work, std::string address) {
  const std::lock_guard lock(state_->mutex);
  const auto used = [](const Counts& counts, const std::string& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
  };
  if (used(state_->works, work) >= kOfWork || used(state_->addresses, address) >= kOfAddress)
    throw Error(ErrorCode::TooManyRequests, "Too many sign-ins by identity providers are in progress. Try again in some seconds.")
        .withRetryAfter(std::chrono::seconds(5));
  ++state_->works[work];
  ++state_->addresses[address];
  return Slot(state_, std::move(work), std::move(address));
}

}  // namespace swarm::oidc

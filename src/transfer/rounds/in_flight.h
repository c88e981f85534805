// Internal: what was sent and is not yet answered completely.
#pragma once

#include <map>
#include <mutex>

#include "transfer/wire/channel.h"

namespace swarm::transfer {

/// Bounded by the number of items and their costs. Thread-safe.
template <typename Key, typename Item>
class InFlight {
 public:
  /// `unknown`: how a peer that names another key violated the protocol.
  InFlight(Inbox& inbox, std::size_t most, std::size_t most_cost, const char* unknown)
      : inbox_(inbox), most_(most), most_cost_(most_cost), unknown_(unknown) {}

  /// Blocks until there is room; one item that exceeds the window is admitted alone.
  void add(const Key& key, Item item) {
    inbox_.wait([&] { return cost_ == 0 || (count_ < most_ && cost_ + item.cost <= most_cost_); });
    cost_ += item.cost;
    ++count_;
    const std::lock_guard lock(mutex_);
    items_.emplace(key, std::move(item));
  }
  /// Valid until remove(). Throws Error(UpstreamFailed) for an unknown key.
  Item& at(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = items_.find(key);
    if (found == items_.end()) brokenPeer(unknown_);
    return found->second;
  }
  void remove(const Key& key) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = items_.find(key);
      cost_ -= found->second.cost;
      --count_;
      items_.erase(found);
    }
    inbox_.nudge();
  }
  bool empty() const { return count_ == 0; }

 private:
  Inbox& inbox_;
  std::size_t most_;
  std::size_t most_cost_;
  const char* unknown_;
  std::mutex mutex_;
  std::map<Key, Item> items_;
  std::atomic<std::size_t> cost_ = 0;
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace swarm::transfer

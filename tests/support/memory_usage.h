// MemoryUsage: a UsageStore in memory.
#pragma once

#include <map>

#include "store/usage_store.h"

namespace swarm::test {

class MemoryUsage final : public UsageStore {
 public:
  awaitable<void> add(std::vector<UsageRow> rows) override {
    for (const auto& [instance, sums] : rows) {
      const auto [row, is_new] = rows_.try_emplace({instance, sums.at}, sums);
      if (!is_new) row->second.add(sums);
    }
    co_return;
  }
  awaitable<std::vector<UsageSums>> read(InstanceId instance, SystemTime from, SystemTime to) override {
    std::vector<UsageSums> out;
    for (auto row = rows_.lower_bound({instance, from}); row != rows_.end() && row->first < std::pair(instance, to); ++row)
      out.push_back(row->second);
    co_return out;
  }
  awaitable<void> coarsen(SystemTime from, SystemTime to) override {
    std::vector<UsageRow> moved;
    std::erase_if(rows_, [&](const auto& row) {
      const SystemTime at = row.first.second;
      const SystemTime hour = std::chrono::floor<std::chrono::hours>(at);
      if (at < from || at >= to || at == hour) return false;
      moved.push_back({row.first.first, row.second});
      moved.back().sums.at = hour;
      return true;
    });
    return add(std::move(moved));
  }
  awaitable<void> prune(SystemTime before) override {
    std::erase_if(rows_, [&](const auto& row) { return row.first.second < before; });
    co_return;
  }
  void forget(const InstanceId& instance) {
    std::erase_if(rows_, [&](const auto& row) { return row.first.first == instance; });
  }

 private:
  std::map<std::pair<InstanceId, SystemTime>, UsageSums> rows_;
};

}  // namespace swarm::test

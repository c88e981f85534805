// Ends sessions.
#include "agent/server/sessions.h"

#include <algorithm>
#include <vector>

#include "protocol/instance_token.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kMaxEnded = 4096;  // per workspace within an hour; beyond it the oldest is dropped
}  // namespace

void Sessions::end(const std::string& session) {
  if (session.empty()) return;
  forgetOld();
  ended_.insert_or_assign(session, clock_.steadyNow() + kLongestTokenLife);
  std::vector<std::function<void()>> cuts;
  auto [from, to] = cuts_.equal_range(session);
  for (auto entry = from; entry != to; ++entry) cuts.push_back(entry->second);
  for (const auto& cut : cuts) cut();
}

void Sessions::forgetOld() {
  std::erase_if(ended_, [now = clock_.steadyNow()](const auto& entry) { return entry.second <= now; });
  if (ended_.size() < kMaxEnded) return;
  ended_.erase(std::ranges::min_element(ended_, {}, [](const auto& entry) { return entry.second; }));
}

}  // namespace swarm::agent

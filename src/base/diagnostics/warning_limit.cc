#include "base/diagnostics/warning_limit.h"

#include "base/diagnostics/log.h"

namespace swarm {
namespace {

constexpr std::chrono::minutes kInterval{1};
constexpr std::size_t kMaxEntries = 100;

}  // namespace

void WarningLimit::warn(std::string_view text, const std::string& address, SteadyTime now) {
  if (entries_.size() >= kMaxEntries && !entries_.contains(address)) {
    std::erase_if(entries_, [&](const auto& item) { return now >= item.second.next; });
    if (entries_.size() >= kMaxEntries) return;  // so many lines a minute are enough
  }
  Entry& entry = entries_[address];
  ++entry.count;
  if (entry.next != SteadyTime{} && now < entry.next) return;
  log::warning(text, {{"address", address}, {"count", entry.count}});
  entry = {.count = 0, .next = now + kInterval};
}

}  // namespace swarm

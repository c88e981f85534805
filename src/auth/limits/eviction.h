// Which of the waiting entries makes room for a new one.
#pragma once

#include <map>
#include <string>

namespace swarm {

/// The oldest entry of the address with the most of them, among those that `counts` selects; entries.end(): none. A client that begins
/// very many loses its own first. An entry has `address` and `expires`, which is later for a later one.
template <typename Entries, typename Predicate>
typename Entries::iterator oldestOfBusiest(Entries& entries, Predicate counts) {
  std::map<std::string_view, int> numbers;
  for (const auto& item : entries)
    if (counts(item.second)) ++numbers[item.second.address];
  auto found = entries.end();
  for (auto item = entries.begin(); item != entries.end(); ++item) {
    if (!counts(item->second)) continue;
    const bool is_first = found == entries.end();
    const int more = is_first ? 1 : numbers[item->second.address] - numbers[found->second.address];
    if (more > 0 || (more == 0 && item->second.expires < found->second.expires)) found = item;
  }
  return found;
}

}  // namespace swarm

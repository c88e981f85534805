// Compares ids and names.
#include "cli/verbs/snapshots/find_snapshot.h"

#include <algorithm>
#include <functional>

#include "base/text/format.h"

namespace swarm::cli {

std::optional<Snapshot> findSnapshot(Context& context, const std::string& wanted, const std::string& instance) {
  std::vector<Snapshot> found;
  for (const Snapshot& snapshot : context.client().listSnapshots())
    if (snapshot.id == wanted || snapshot.name == wanted || snapshot.instanceName + "/" + snapshot.name == wanted)
      found.push_back(snapshot);
  const auto is_own = [&](const Snapshot& snapshot) { return snapshot.instanceName == instance || snapshot.instanceId.str() == instance; };
  if (std::ranges::any_of(found, is_own)) std::erase_if(found, std::not_fn(is_own));
  if (found.empty()) return std::nullopt;
  if (found.size() > 1)
    throw Error(ErrorCode::InvalidArgument,
                format("{} snapshots have the name \"{}\". Use WORKSPACE/NAME or the id.", found.size(), wanted));
  return found.front();
}

}  // namespace swarm::cli

#include "provider/flyio/app/regions.h"

#include <algorithm>

#include "base/text/format.h"

namespace swarm::flyio {

awaitable<void> Regions::refresh(Deadline deadline) { known_ = co_await client_.regions(deadline); }

awaitable<void> Regions::choose(InstancePlan& plan, Deadline deadline) {
  if (known_.regions.empty()) {
    auto guard = co_await lock_.acquire("", deadline);  // concurrent creates share one request
    if (known_.regions.empty()) co_await refresh(deadline);
  }
  const RegionList known = known_;
  if (plan.regions.empty() && !known.nearest.empty()) plan.regions = {known.nearest};
  if (plan.regions.empty()) {
    throw Error(ErrorCode::Unprocessable, "No region is known for the Machine: set regions or defaultRegion of [flyio].")
        .withField("/network/regions", "is needed");
  }
  for (std::size_t i = 0; i < plan.regions.size() && !known.regions.empty(); ++i) {
    const std::string& code = plan.regions[i];
    auto row = std::ranges::find(known.regions, code, &Region::code);
    if (row != known.regions.end() && !row->deprecated) continue;
    throw Error(ErrorCode::Unprocessable, format("Fly has no region \"{}\" for new Machines.", code))
        .withField(format("/network/regions/{}", i), "is not a region of Fly");
  }
}

}  // namespace swarm::flyio

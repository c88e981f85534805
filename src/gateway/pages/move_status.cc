// Conversion of a move's progress to text and JSON.
#include "gateway/pages/move_status.h"

#include <algorithm>

#include "base/text/duration_text.h"
#include "model/steps.h"

namespace swarm::gateway {

std::string aboutTime(std::int64_t seconds) {
  if (seconds < 0) return {};
  if (seconds >= 10 && seconds < 100) seconds = (seconds + 4) / 5 * 5;  // an estimate
  return "about " + durationText(std::max<std::int64_t>(seconds, 1));
}

int percentOf(const MoveProgress& moving) { return std::clamp(moving.percent, 0, 100); }

boost::json::value movingJson(const MoveProgress* moving) {
  if (!moving) return nullptr;
  return boost::json::object{{"to", moving->to},
                             {"step", moving->step},
                             {"stepText", wordsOfStep(moving->step)},
                             {"percent", percentOf(*moving)},
                             {"paused", moving->paused},
                             {"secondsLeft", moving->secondsLeft}};
}

}  // namespace swarm::gateway

// See moving.h.
#include "gateway/moving.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/duration_text.h"

namespace swarm::gateway {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kWords{{
    {"validate", "getting ready"},
    {"plan", "getting ready"},
    {"create target", "making the new place"},
    {"copy", "copying the files"},
    {"copy changes", "copying what changed meanwhile"},
    {"verify what was copied", "comparing what was copied"},
    {"pause", "stopping VS Code at the old place"},
    {"final changes", "copying the last changes"},
    {"verify", "comparing every file"},
    {"switch", "switching to the new place"},
    {"start", "starting VS Code at the new place"},
    {"retire source", "tidying up the old place"},
    {"go back", "going back to the old place"},
}};

}  // namespace

std::string wordsOfStep(std::string_view step) {
  const auto* found = std::ranges::find(kWords, step, &std::pair<std::string_view, std::string_view>::first);
  return std::string(found == kWords.end() ? step : found->second);
}

std::string aboutTime(std::int64_t seconds) {
  if (seconds < 0) return {};
  if (seconds >= 10 && seconds < 100) seconds = (seconds + 4) / 5 * 5;  // it is an estimate
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

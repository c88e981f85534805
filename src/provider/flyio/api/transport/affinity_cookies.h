// The affinity cookies that Fly's API sets: they route a read after a write to the server that has the write
// (docs/reference/fly-machines.md §1).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace swarm::flyio {

/// Keeps `fly_flaps_affinity` per path and ignores other cookies. For one loop.
class AffinityCookies {
 public:
  /// The value of a Set-Cookie header in the response to `target` (path and query).
  void keep(std::string_view set_cookie, std::string_view target, SteadyTime now);
  /// The Cookie header for a request to `target`: the one with the longest path that fits; empty without one.
  std::string headerFor(std::string_view target, SteadyTime now) const;
  std::size_t size() const { return cookies_.size(); }

 private:
  struct Cookie {
    std::string value;
    SteadyTime expires;
  };
  std::map<std::string, Cookie, std::less<>> cookies_;  ///< by path
};

}  // namespace swarm::flyio

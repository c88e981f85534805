// Fly's regions, and the question which of them has room for a Machine.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace swarm::flyio {

namespace json = boost::json;

struct Region {
  std::string code;
  std::string name;
  bool deprecated = false;
  bool requiresPaidPlan = false;
};
struct RegionList {
  std::vector<Region> regions;
  std::string nearest;
};

/// A Machine of this size, with a volume if its size is above 0.
struct CapacityQuery {
  std::vector<std::string> regions;
  json::object guest;
  std::string volumeName;
  std::int64_t volumeGb = 0;
};

}  // namespace swarm::flyio

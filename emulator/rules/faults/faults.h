// FaultPlan: what fails, when, and how often; README.md describes the JSON of POST /emulator/faults.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/api/response.h"

namespace swarm::emulator {

/// Whether the request is performed although its response is replaced.
enum class Commit { No, Yes };
/// A request that is performed twice, as by a proxy's retry: which response is returned.
enum class Twice { No, FirstResponse, LastResponse };

struct FaultEffect {
  std::chrono::milliseconds latency{0};
  std::optional<Response> response;  ///< instead of the request's own
  Commit commit = Commit::No;        ///< with `response`: before or after the work
  Twice twice = Twice::No;
  bool emptyList = false;                                ///< a list response has no entry, and no cursor
  std::vector<std::string> errorRegions;                 ///< an organization-wide list lacks these regions and reports it
  std::optional<std::chrono::milliseconds> propagation;  ///< objects created by the request are not found for this time
  std::optional<std::chrono::milliseconds> settle;       ///< after this stop, start returns E12 for this time
  std::map<std::string, std::chrono::milliseconds>
      transitions;     ///< "launch", "start" …: for this request's Machine, instead of the configured times
  bool stuck = false;  ///< the Machine stays in the state of the request's response (created: pitfall 5)
};

struct Fault {
  std::string id;
  std::string method;      ///< empty: any
  std::string path;        ///< pattern; * stands for one or more characters but "/", ** for any; empty: any
  std::string action;      ///< of the route table; empty: any
  std::int64_t skip = 0;   ///< matching requests to let pass first
  std::int64_t count = 1;  ///< then this many are hit; -1: all
  std::int64_t hits = 0;
  FaultEffect effect;
};

/// One loop.
class FaultPlan {
 public:
  /// Throws Error(InvalidArgument) with the reason. Returns the fault's id.
  std::string add(const boost::json::object& fault);
  void clear() { faults_.clear(); }
  /// The first fault that matches this request, decremented; later faults are not considered.
  std::optional<FaultEffect> take(std::string_view method, std::string_view path, std::string_view action);
  boost::json::array describe() const;

 private:
  std::vector<Fault> faults_;
  std::int64_t last_id_ = 0;
};

bool matchesPattern(std::string_view pattern, std::string_view text);

}  // namespace swarm::emulator

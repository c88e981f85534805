// FaultPlan: what goes wrong, when, and how often; README.md tells the JSON of POST /emulator/faults.
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

#include "emulator/api/answer.h"

namespace swarm::emulator {

/// Whether the request's work is done although the answer is another.
enum class Commit { No, Yes };
/// A request that is performed twice, as a proxy's retry does: whose answer arrives.
enum class Twice { No, FirstAnswers, LastAnswers };

struct FaultEffect {
  std::chrono::milliseconds latency{0};
  std::optional<Answer> answer;  ///< instead of the request's own
  Commit commit = Commit::No;    ///< with `answer` or `cut`: before or after the work
  bool cut = false;              ///< the connection is closed without an answer
  Twice twice = Twice::No;
  bool emptyList = false;                                        ///< a list answers with no entry, and no cursor
  std::vector<std::string> errorRegions;                         ///< an org-wide list lacks these regions and says so
  std::optional<std::chrono::milliseconds> propagation;          ///< what the request creates is not found for so long
  std::optional<std::chrono::milliseconds> settle;               ///< after this stop, start answers E12 for so long
  std::map<std::string, std::chrono::milliseconds> transitions;  ///< "launch", "start" …: of this request's Machine, instead of times
  bool stuck = false;  ///< the Machine stays in the state that the request's answer tells (created: pitfall 5)
};

struct Fault {
  std::string id;
  std::string method;      ///< empty: any
  std::string path;        ///< pattern; * stands for one or more characters but "/", ** for any; empty: any
  std::string action;      ///< of the route table; empty: any
  std::int64_t skip = 0;   ///< matching requests that pass first
  std::int64_t count = 1;  ///< then so many are hit; -1: all
  std::int64_t hits = 0;
  FaultEffect effect;
};

/// One loop.
class FaultPlan {
 public:
  /// Throws Error(InvalidArgument) that says what is wrong. Gives the fault's id.
  std::string add(const boost::json::object& fault);
  void clear() { faults_.clear(); }
  /// The first fault that this request meets, counted down; later faults do not see it.
  std::optional<FaultEffect> take(std::string_view method, std::string_view path, std::string_view action);
  boost::json::array describe() const;

 private:
  std::vector<Fault> faults_;
  std::int64_t last_id_ = 0;
};

bool matchesPattern(std::string_view pattern, std::string_view text);

}  // namespace swarm::emulator

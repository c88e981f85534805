// `fields=id,status,config.name`: the members of an instance that the client selects.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "api/http/call.h"

namespace swarm::api {

class FieldSelection {
 public:
  explicit FieldSelection(std::vector<std::vector<std::string>> paths) : paths_(std::move(paths)) {}
  bool isWhole() const { return paths_.empty(); }
  boost::json::value apply(boost::json::value whole) const;  ///< the whole when nothing was selected

 private:
  std::vector<std::vector<std::string>> paths_;
};

/// Throws Error(InvalidArgument) for a field that an instance does not have.
FieldSelection readFields(const Call& call);

}  // namespace swarm::api

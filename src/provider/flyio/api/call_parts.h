// What the files of MachinesClient share.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text/format.h"
#include "base/text/json_access.h"

namespace swarm::flyio {

namespace json = boost::json;

inline std::string inApp(std::string_view app, std::string_view rest) { return format("/v1/apps/{}{}", app, rest); }

/// The elements of a list, each as read by `read`; an absent list has none.
template <typename Read>
auto readList(const std::optional<json::value>& document, std::string_view doing, Read read) {
  std::vector<decltype(read(*document))> found;
  if (!document || document->is_null()) return found;  // null is how Go writes an empty list
  if (!document->is_array()) throw Error(ErrorCode::UpstreamFailed, format("Fly's response to the request to {} is not a list.", doing));
  for (const json::value& item : document->as_array()) found.push_back(read(item));
  return found;
}

}  // namespace swarm::flyio

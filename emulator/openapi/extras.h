// What Fly accepts although its OpenAPI document does not mention it: one table, each line with its source.
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string_view>

namespace swarm::emulator::openapi {

/// One addition to the document's tree.
struct Extra {
  std::string_view source;  ///< where it is documented: a section of docs/reference/fly-machines.md
  /// The place: steps separated by " > ". In an array, "+" appends and another word selects the member whose "name" it is. The last step is
  /// set; missing objects and arrays before it are created, except for the first two steps and the operation, which must exist.
  std::string_view place;
  std::string_view value;  ///< JSON
};

/// The whole table. In addition to OpenAPI 3.0, its values use "x-also" (a list of schemas of which one must match) and "x-list" (a query
/// parameter whose value is a comma-separated list and that may be repeated).
std::span<const Extra> extras();

/// Adds one line to the tree; ends the process when its place is not in the document: the table is code.
void apply(const Extra& extra, boost::json::object& tree);

}  // namespace swarm::emulator::openapi

// What Fly's command line needs beyond the Machines API: the few GraphQL queries and web routes that it sends before and after it.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::emulator {

/// One field of the outermost selection of a GraphQL document: "appbasic: app(name: $name)" has the name "app" and the key "appbasic".
struct GraphSelection {
  std::string key;
  std::string name;
};
/// Empty for what is no document. Arguments and inner selections are skipped: answers hold every field there is.
std::vector<GraphSelection> outermostSelections(std::string_view document);

}  // namespace swarm::emulator

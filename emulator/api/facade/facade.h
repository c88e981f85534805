// The requests of Fly's command line beyond the Machines API: GraphQL, as far as its verbs for apps, Machines, volumes, addresses and
// secrets use it.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/api/call.h"
#include "emulator/rules/core.h"

namespace swarm::emulator {

/// One field of the outermost selection of a GraphQL document: "appbasic: app(name: $name)" has the name "app" and the key "appbasic".
struct GraphSelection {
  std::string key;
  std::string name;
};
/// Empty for an invalid document. Arguments and inner selections are skipped: responses contain all fields.
std::vector<GraphSelection> outermostSelections(std::string_view document);

/// Errors have status 200, too. An empty `key`: the whole document failed.
Answer graphErrorAnswer(std::string_view key, std::string_view message, std::string_view code);

/// Empty for a mutation that the emulator does not support; throws Refusal (facade_mutations.cc).
awaitable<std::optional<json::value>> mutateGraph(Core& core, const Call& call, std::string name);

}  // namespace swarm::emulator

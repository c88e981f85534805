// The requests of Fly's command line beyond the Machines API: GraphQL, as far as its verbs for apps, Machines, volumes, addresses and
// secrets use it.
#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
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

awaitable<Response> queryGraph(Core& core, Call& call);
/// Errors have status 200, too. An empty `key`: the whole document failed.
Response graphErrorResponse(std::string_view key, std::string_view message, std::string_view code);

/// Empty for a mutation that the emulator does not support; throws Refusal (facade_mutations.cc).
awaitable<std::optional<json::value>> mutateGraph(Core& core, const Call& call, std::string name);

/// The first of these variables of the document that is a string; empty if none is.
std::string variableText(const Call& call, std::initializer_list<std::string_view> names);

/// The app, if it exists and belongs to the token's organization; else null.
AppPtr findSeenApp(const Core& core, const Call& call, const std::string& name);

// The nodes of the schema that clients read. A node has all fields, whatever a query selects: clients skip the others.
json::object organizationNode(const std::string& slug);
/// The node of an ingress address; egress addresses have a different node.
json::object addressNode(const IpAssignment& ip);
json::object machineNode(const Core& core, const Machine& machine, const App& app);
json::object appNode(const Core& core, const Call& call, const App& app);
json::object regionNode(const RegionFacts& region);

}  // namespace swarm::emulator

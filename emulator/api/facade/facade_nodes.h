// The nodes of Fly's GraphQL schema that its clients read. A node has all fields, whatever a query selects: clients skip the others.
#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

#include "emulator/api/call.h"
#include "emulator/rules/core.h"

namespace swarm::emulator {

/// A string member of `object`; empty when it is missing or not a string.
std::string memberText(const json::object* object, std::string_view name);
/// The first of these variables of the document that is a string; empty if none is.
std::string variableText(const Call& call, std::initializer_list<std::string_view> names);

/// The app, if it exists and belongs to the token's organization; else null.
AppPtr findSeenApp(const Core& core, const Call& call, const std::string& name);

json::object organizationNode(const std::string& slug);
/// The node of an ingress address; egress addresses have a different node.
json::object addressNode(const IpAssignment& ip);
json::object machineNode(const Core& core, const Machine& machine, const App& app);
json::object appNode(const Core& core, const Call& call, const App& app);
json::object regionNode(const RegionFacts& region);

}  // namespace swarm::emulator

// The nodes of Fly's GraphQL schema that its clients read. A node holds all fields, whatever a query selects: clients skip the others.
#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

#include "emulator/api/call.h"
#include "emulator/rules/core.h"

namespace swarm::emulator {

/// A member of `object` that is a text; empty when it is missing or something else.
std::string memberText(const json::object* object, std::string_view name);
/// The first of these variables of the document that is a text; empty when none is.
std::string variableText(const Call& call, std::initializer_list<std::string_view> names);

/// The app, when it exists and the token's organization has it; else null.
AppPtr findSeenApp(const Core& core, const Call& call, const std::string& name);

json::object organizationNode(const std::string& slug);
/// Of an address that traffic comes in by; egress addresses have a node of their own.
json::object addressNode(const IpAssignment& ip);
json::object machineNode(const Core& core, const Machine& machine, const App& app);
json::object appNode(const Core& core, const Call& call, const App& app);
json::object regionNode(const RegionFacts& region);

}  // namespace swarm::emulator

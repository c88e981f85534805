// Descriptions of the types whose JSON is not simply their members, and the names that differ in JSON.
#pragma once

#include <boost/describe.hpp>
#include <string_view>

#include "model/queries.h"
#include "model/requests.h"
#include "model/types/accounts/role.h"
#include "model/types/accounts/session_kind.h"
#include "model/types/instance.h"
#include "model/types/operation.h"
#include "model/types/sharing.h"
#include "model/types/usage.h"

namespace swarm {

BOOST_DESCRIBE_STRUCT(CommandResult, (), (exitCode, stdoutText, stderrText, truncated))
BOOST_DESCRIBE_STRUCT(Instance, (),
                      (id, owner, provider, region, status, statusReason, desired, createdAt, lastActive, config, resources, network, url,
                       version, stale, observedAt, operationId, keptSource, imageOutdated))
BOOST_DESCRIBE_STRUCT(OperationStep, (),
                      (name, status, startedAt, endedAt, detail, bytesDone, bytesTotal, filesDone, filesTotal, bytesPerSecond))
BOOST_DESCRIBE_STRUCT(Operation, (),
                      (id, kind, instanceId, instanceName, owner, actor, status, createdAt, updatedAt, endedAt, steps, error))

namespace codec {

/// The JSON name of a struct's member.
template <typename T>
constexpr std::string_view jsonName(std::string_view member) {
  return member;
}
template <>
constexpr std::string_view jsonName<ExecuteCommandRequest>(std::string_view member) {
  return member == "stdinText" ? "stdin" : member;
}
template <>
constexpr std::string_view jsonName<ListInstancesQuery>(std::string_view member) {
  return member == "labels" ? "label" : member;
}
template <>
constexpr std::string_view jsonName<CommandResult>(std::string_view member) {
  if (member == "stdoutText") return "stdout";
  if (member == "stderrText") return "stderr";
  return member;
}

/// The JSON name of an enumerator: `delete` is a word of C++.
template <typename T>
constexpr std::string_view jsonEnumName(std::string_view name) {
  return name;
}
template <>
constexpr std::string_view jsonEnumName<OperationKind>(std::string_view name) {
  return name == "remove" ? "delete" : name;
}

template <>
constexpr std::string_view jsonEnumName<Role>(std::string_view name) {
  return name == "operator_" ? "operator" : name;
}

template <>
constexpr std::string_view jsonEnumName<SessionKind>(std::string_view name) {
  return name == "passwordAndCode" ? "password and code" : name == "invitationAndCode" ? "invitation and code" : name;
}

template <>
constexpr std::string_view jsonEnumName<PortLevel>(std::string_view name) {
  return name == "signedIn" ? "signed-in" : name == "everyone" ? "public" : name;
}

template <>
constexpr std::string_view jsonEnumName<EgressPolicy>(std::string_view name) {
  return name == "standard" ? "default" : name;
}

/// Members that are written but derived from others: accepted and skipped when read.
template <typename T>
constexpr bool isDerived(std::string_view) {
  return false;
}
template <>
constexpr bool isDerived<Instance>(std::string_view name) {
  return name == "metadata";
}
template <>
constexpr bool isDerived<OperationStep>(std::string_view name) {
  return name == "percent";
}

/// Whether null is a fault in an optional member: a patch leaves alone what is absent, and null may be meant to remove.
template <typename T>
inline constexpr bool refusesNull = false;
template <template <Form> typename Members>
inline constexpr bool refusesNull<Members<Form::Patch>> = true;

}  // namespace codec
}  // namespace swarm

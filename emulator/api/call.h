// Call: one request as its handler sees it, with the objects that the route found; and its body, parsed with Go's JSON rules.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/api/response.h"
#include "emulator/rules/core.h"

namespace swarm::emulator {

/// Members with Go's rules (§1): unknown ones are skipped, null is the zero value, a wrong type is a 400 that contains the Go type.
class Body {
 public:
  Body(const json::object& object, std::string_view go_type) : object_(object), go_type_(go_type) {}
  bool has(std::string_view name) const;  ///< present, and not null
  std::string text(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  std::optional<bool> flag(std::string_view name) const;
  const json::object* object(std::string_view name) const;
  const json::array* list(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  const json::object& raw() const { return object_; }

 private:
  const json::value* find(std::string_view name, json::kind kind, std::string_view go_type) const;
  [[noreturn]] void wrongType(std::string_view name, const json::value& value, std::string_view wanted) const;

  const json::object& object_;
  std::string_view go_type_;
};

struct Call {
  std::string method;
  std::string path;
  std::string query;
  std::string contentType;
  std::string leaseNonce;
  bool affinity = false;  ///< carries the cookie of an earlier response: reads its own writes
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<std::string> arguments;  ///< path parameters, decoded, in order
  std::string body;
  json::object document;  ///< the body's; empty without a body
  std::string_view goType;
  const ApiToken* token = nullptr;  ///< null for a deploy token
  std::string owner;                ///< owner of new leases
  AppPtr app;
  MachinePtr machine;
  VolumePtr volume;
  FaultEffect fault;

  std::optional<std::string> parameter(std::string_view name) const;
  /// All values of a parameter that may be repeated or comma-separated.
  std::vector<std::string> parameterList(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// Throws Refusal(400) when it is not a number or out of range.
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t minimum, std::int64_t maximum) const;
  Body fields() const { return {document, goType}; }
};

/// Parses the body as a JSON object; throws Refusal(400) with Go's error text.
json::object parseBody(std::string_view text, std::string_view go_type);

}  // namespace swarm::emulator

// Parses and matches faults.
#include "emulator/rules/faults/faults.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "base/text/format.h"
#include "emulator/rules/config/config_view.h"

namespace swarm::emulator {

namespace json = boost::json;

namespace {

[[noreturn]] void wrong(std::string_view what) { throw Error(ErrorCode::InvalidArgument, format("The fault {}.", what)); }

std::string text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (!value) return "";
  if (!value->is_string()) wrong(format("has a member {} that is not a string", name));
  return std::string(value->get_string());
}

std::optional<std::int64_t> integer(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (!value) return std::nullopt;
  if (!value->is_number()) wrong(format("has a member {} that is not a number", name));
  return value->to_number<std::int64_t>();
}

std::optional<std::chrono::milliseconds> duration(const json::object& object, std::string_view name) {
  auto value = integer(object, name);
  return value ? std::optional(std::chrono::milliseconds(*value)) : std::nullopt;
}

json::object child(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (!value) return {};
  if (!value->is_object()) wrong(format("has a member {} that is not an object", name));
  return value->get_object();
}

std::string textOrJson(const json::value& value) { return value.is_string() ? std::string(value.get_string()) : json::serialize(value); }

Response customResponse(const json::object& effect) {
  Response response;
  response.status = static_cast<int>(integer(effect, "status").value_or(500));
  if (const json::value* body = effect.if_contains("body")) response.body = textOrJson(*body);
  if (std::string type = text(effect, "content_type"); !type.empty()) response.contentType = type;
  return response;
}

/// "error" selects a row; "capacity" is a shorthand for three of them; "status" defines a custom response.
std::optional<Response> readResponse(const json::object& effect) {
  std::optional<Response> response;
  if (std::string row = text(effect, "error"); !row.empty()) {
    RowValues values;
    for (const auto& [name, value] : child(effect, "values")) values.emplace(name, textOrJson(value));
    response = catalogueResponse(row, values);
  } else if (std::string scope = text(effect, "capacity"); !scope.empty()) {
    std::string_view row_of_scope = scope == "host" ? "E19" : scope == "region" ? "E22" : scope == "volume" ? "E23" : "";
    if (row_of_scope.empty()) wrong("has a capacity other than host, region or volume");
    response = catalogueResponse(row_of_scope);
  } else if (effect.contains("status")) {
    response = customResponse(effect);
  }
  if (response) {
    for (const auto& [name, value] : child(effect, "headers")) response->headers.push_back({std::string(name), textOrJson(value)});
  }
  return response;
}

FaultEffect readEffect(const json::object& effect) {
  static constexpr std::string_view kMembers[] = {"latency_ms",     "error",     "values",        "capacity", "status",     "body",
                                                  "content_type",   "headers",   "commit",        "cut",      "empty_list", "error_regions",
                                                  "propagation_ms", "settle_ms", "transition_ms", "stuck",    "twice"};
  for (const auto& [name, value] : effect) {
    if (std::ranges::find(kMembers, std::string_view(name)) == std::end(kMembers))
      wrong(format("has an unknown effect {}", std::string(name)));
  }
  FaultEffect result;
  result.latency = duration(effect, "latency_ms").value_or(std::chrono::milliseconds(0));
  result.response = readResponse(effect);
  if (flagOf(effect, "commit")) result.commit = Commit::Yes;
  if (std::string cut = text(effect, "cut"); !cut.empty()) {
    if (cut != "before" && cut != "after") wrong("has a cut other than before or after");
    if (!result.response) result.response.emplace();
    result.response->cut = true;
    result.commit = cut == "after" ? Commit::Yes : Commit::No;
  }
  if (std::string twice = text(effect, "twice"); !twice.empty()) {
    if (twice != "first" && twice != "last") wrong("has a twice other than first or last");
    result.twice = twice == "first" ? Twice::FirstResponse : Twice::LastResponse;
  }
  result.emptyList = flagOf(effect, "empty_list");
  result.stuck = flagOf(effect, "stuck");
  if (const json::value* regions = effect.if_contains("error_regions")) {
    if (!regions->is_array()) wrong("has error_regions that are not a list");
    for (const json::value& region : regions->get_array()) {
      if (!region.is_string()) wrong("has error_regions that are not strings");
      result.errorRegions.emplace_back(region.get_string());
    }
  }
  result.propagation = duration(effect, "propagation_ms");
  result.settle = duration(effect, "settle_ms");
  json::object transitions = child(effect, "transition_ms");
  for (const auto& [name, value] : transitions) result.transitions[std::string(name)] = *duration(transitions, name);
  return result;
}

}  // namespace

bool matchesPattern(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.starts_with("**")) {
    for (std::size_t taken = 0; taken <= text.size(); ++taken) {
      if (matchesPattern(pattern.substr(2), text.substr(taken))) return true;
    }
    return false;
  }
  if (pattern.front() == '*') {
    for (std::size_t taken = 1; taken <= text.size() && text[taken - 1] != '/'; ++taken) {
      if (matchesPattern(pattern.substr(1), text.substr(taken))) return true;
    }
    return false;
  }
  return !text.empty() && pattern.front() == text.front() && matchesPattern(pattern.substr(1), text.substr(1));
}

std::string FaultPlan::add(const json::object& description) {
  for (const auto& [name, value] : description) {
    if (name != "match" && name != "count" && name != "skip" && name != "effect")
      wrong(format("has an unknown member {}", std::string(name)));
  }
  json::object match = child(description, "match");
  for (const auto& [name, value] : match) {
    if (name != "method" && name != "path" && name != "action") wrong(format("matches by an unknown {}", std::string(name)));
  }
  Fault fault;
  fault.method = text(match, "method");
  fault.path = text(match, "path");
  fault.action = text(match, "action");
  fault.count = integer(description, "count").value_or(1);
  fault.skip = integer(description, "skip").value_or(0);
  if (!description.contains("effect")) wrong("has no effect");
  fault.effect = readEffect(child(description, "effect"));
  fault.id = format("fault-{}", ++last_id_);
  faults_.push_back(fault);
  return fault.id;
}

std::optional<FaultEffect> FaultPlan::take(std::string_view method, std::string_view path, std::string_view action) {
  for (Fault& fault : faults_) {
    if (fault.count == 0) continue;
    if (!fault.method.empty() && fault.method != method) continue;
    if (!fault.action.empty() && fault.action != action) continue;
    if (!fault.path.empty() && !matchesPattern(fault.path, path)) continue;
    if (fault.skip > 0) {
      --fault.skip;
      continue;
    }
    if (fault.count > 0) --fault.count;
    ++fault.hits;
    return fault.effect;
  }
  return std::nullopt;
}

json::array FaultPlan::describe() const {
  json::array list;
  for (const Fault& fault : faults_) {
    list.push_back(json::object{{"id", fault.id},
                                {"method", fault.method},
                                {"path", fault.path},
                                {"action", fault.action},
                                {"left", fault.count},
                                {"hits", fault.hits}});
  }
  return list;
}

}  // namespace swarm::emulator

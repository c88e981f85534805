// The request's path, query, content type and body, each against the operation that it belongs to.
#include "emulator/openapi/checker.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/error.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "emulator/openapi/document.h"
#include "emulator/openapi/schema_check.h"
#include "net/http/http.h"

namespace swarm::emulator::openapi {
namespace {

namespace json = boost::json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string_view text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}

bool isTrue(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_bool() && value->as_bool();
}

/// "metadata.{key}" is one parameter whose name has a variable suffix.
bool isNamed(const json::object& parameter, std::string_view name) {
  const std::string_view known = text(parameter, "name");
  const auto brace = known.find('{');
  if (brace == std::string_view::npos) return known == name;
  return name.size() > brace && name.starts_with(known.substr(0, brace));
}

const json::object* findQueryParameter(const json::object& operation, std::string_view name) {
  const json::value* parameters = operation.if_contains("parameters");
  if (!parameters) return nullptr;
  for (const json::value& one : parameters->as_array()) {
    const json::object& parameter = one.as_object();
    if (text(parameter, "in") == "query" && isNamed(parameter, name)) return &parameter;
  }
  return nullptr;
}

class QueryCheck {
 public:
  QueryCheck(const json::object& operation, std::vector<Finding>& findings) : operation_(operation), findings_(findings) {}

  void check(std::string_view query) {
    Pairs pairs;
    try {
      pairs = net::parseQuery(query);
    } catch (const Error& error) {
      findings_.push_back({Location::Query, "", format("Cannot parse the query: {}", error.message())});
      return;
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto& [name, value] = pairs[i];
      const json::object* parameter = findQueryParameter(operation_, name);
      if (!parameter) {
        add(name, "is not a parameter of this operation in Fly's document");
        continue;
      }
      const bool again =
          std::any_of(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(i), [&](const auto& p) { return p.first == name; });
      if (again && !isTrue(*parameter, "x-list")) add(name, "is repeated");
      checkParameter(*parameter, name, value);
    }
    checkRequired(pairs);
  }

 private:
  void add(std::string_view name, std::string_view what) {
    findings_.push_back({Location::Query, format("/{}", name), format("The query's /{} {}.", name, what)});
  }

  void checkParameter(const json::object& parameter, std::string_view name, std::string_view value) {
    const json::object& schema = resolve(parameter.at("schema").as_object());
    if (!isTrue(parameter, "x-list")) return checkText(schema, name, value);
    while (true) {
      const auto comma = value.find(',');
      checkText(schema, name, value.substr(0, comma));
      if (comma == std::string_view::npos) return;
      value.remove_prefix(comma + 1);
    }
  }

  void checkText(const json::object& schema, std::string_view name, std::string_view value) {
    const std::string_view type = text(schema, "type");
    if (type == "integer") {
      if (!parseNumber<long long>(value)) add(name, format("must be an integer, and is \"{}\"", value));
    } else if (type == "boolean") {
      if (value != "true" && value != "false") add(name, format("must be true or false, and is \"{}\"", value));
    }
    const json::value* allowed = schema.if_contains("enum");
    if (!allowed) return;
    const bool known = std::ranges::any_of(allowed->as_array(), [&](const json::value& one) { return one.as_string() == value; });
    if (!known) add(name, format("must be one of {}, and is \"{}\"", json::serialize(*allowed), value));
  }

  void checkRequired(const Pairs& pairs) {
    const json::value* parameters = operation_.if_contains("parameters");
    if (!parameters) return;
    for (const json::value& one : parameters->as_array()) {
      const json::object& parameter = one.as_object();
      if (text(parameter, "in") != "query" || !isTrue(parameter, "required")) continue;
      const bool given = std::ranges::any_of(pairs, [&](const auto& pair) { return isNamed(parameter, pair.first); });
      if (!given) add(text(parameter, "name"), "is required and missing");
    }
  }

  const json::object& operation_;
  std::vector<Finding>& findings_;
};

std::string_view mediaType(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return content_type;
}

void checkBody(const json::object& operation, const RequestFacts& request, std::vector<Finding>& findings) {
  const json::value* body = operation.if_contains("requestBody");
  if (request.body.empty()) {
    if (body && isTrue(body->as_object(), "required")) findings.push_back({Location::Body, "", "The body is required and missing."});
    return;
  }
  if (!body) {
    findings.push_back({Location::Body, "", "The body is not allowed: Fly's document has none for this operation."});
    return;
  }
  constexpr std::string_view kJson = "application/json";
  if (!net::equalsIgnoreCase(mediaType(request.contentType), kJson)) {
    findings.push_back({Location::ContentType, "", format("The content type must be {}, and is \"{}\".", kJson, request.contentType)});
  }
  boost::system::error_code error;
  const json::value value = json::parse(request.body, error);
  if (error) {
    findings.push_back({Location::Body, "", format("The body is not JSON: {}.", error.message())});
    return;
  }
  checkValue(value, body->as_object().at("content").at(kJson).at("schema").as_object(), Reading::Closed, "", findings);
}

}  // namespace

std::vector<Finding> check(const RequestFacts& request) {
  const PathItem* item = findPath(request.path);
  if (!item) return {{Location::Path, "", format("The path {} is not in Fly's document.", request.path)}};
  const json::object* operation = findOperation(*item, request.method);
  if (!operation) {
    return {{Location::Path, "",
             format("The method {} is not in Fly's document for {}, which has {}.", request.method, item->path, methodsOf(*item))}};
  }
  std::vector<Finding> findings;
  QueryCheck(*operation, findings).check(request.query);
  checkBody(*operation, request, findings);
  if (findings.size() > kMaxFindings) findings.resize(kMaxFindings);
  return findings;
}

std::string describe(const std::vector<Finding>& findings) {
  std::string all;
  for (const Finding& finding : findings) {
    if (!all.empty()) all += ' ';
    all += finding.message;
  }
  return all;
}

std::optional<std::string> findViolation(std::string_view method, std::string_view path, std::string_view query,
                                         std::string_view content_type, std::string_view body) {
  const std::vector<Finding> findings = check({method, path, query, content_type, body});
  if (findings.empty()) return std::nullopt;
  return describe(findings);
}

}  // namespace swarm::emulator::openapi

#include "model/queries.h"

#include "base/diagnostics/check.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "model/codec/codec_detail.h"
#include "model/codec/type_names.h"
#include "model/rules/field_rules.h"

namespace swarm {
namespace {

constexpr std::size_t kLongestFilter = 256;

/// Calls `visit` with each parameter's name and the part of the query that it sets.
template <typename Query, typename Visit>
void forEachPart(Query& query, Visit visit) {
  boost::mp11::mp_for_each<codec::Members<std::remove_const_t<Query>>>(
      [&](auto member) { visit(codec::jsonName<std::remove_const_t<Query>>(member.name), query.*member.pointer); });
}

template <typename Enum>
std::vector<std::string_view> namesOf(const std::optional<Enum>&) {
  std::vector<std::string_view> names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>(
      [&](auto one) { names.push_back(codec::jsonEnumName<Enum>(one.name)); });
  return names;
}

}  // namespace

template <typename Query>
std::vector<QueryParameter> queryParameters() {
  std::vector<QueryParameter> parameters;
  const Query query;
  forEachPart(query, [&]<typename Part>(std::string_view name, const Part& part) {
    const FieldRule* rule = findFieldRule(kSchemaName<Query>, name);
    if constexpr (std::derived_from<Query, AuditQuery>)
      if (rule == nullptr) rule = findFieldRule(kSchemaName<AuditQuery>, name);
    SWARM_CHECK(rule != nullptr);
    QueryParameter one{
        .name = name, .description = rule->description, .maximum = static_cast<std::int64_t>(rule->maxLength.value_or(kLongestFilter))};
    if constexpr (codec::IsOptional<Part>::value) {
      one.kind = QueryParameter::Kind::Choice;
      one.choices = namesOf(part);
    } else if constexpr (codec::IsMap<Part>::value) {
      one.kind = QueryParameter::Kind::Labels;
    } else if constexpr (std::same_as<Part, std::int64_t>) {
      one.kind = QueryParameter::Kind::Integer;
      one.minimum = static_cast<std::int64_t>(rule->minimum.value());
      one.maximum = static_cast<std::int64_t>(rule->maximum.value());
    }
    parameters.push_back(std::move(one));
  });
  return parameters;
}

template <typename Query>
Query readQuery(const std::map<std::string, std::string, std::less<>>& values) {
  Query query;
  forEachPart(query, [&]<typename Part>(std::string_view name, Part& part) {
    if constexpr (codec::IsMap<Part>::value) {
      const std::string prefix = std::string(name) + ".";
      for (auto at = values.lower_bound(prefix); at != values.end() && at->first.starts_with(prefix); ++at)
        part[at->first.substr(prefix.size())] = at->second;
      return;
    }
    const auto found = values.find(name);
    if (found == values.end()) return;
    const std::string& text = found->second;
    if constexpr (codec::IsOptional<Part>::value) {
      part = codec::enumOfName<typename Part::value_type>(text);
    } else if constexpr (std::same_as<Part, std::int64_t>) {
      part = parseNumber<std::int64_t>(text).value_or(part);
    } else if constexpr (std::same_as<Part, std::string>) {
      part = text;
    }
  });
  return query;
}

template <typename Query>
QueryValues writeQuery(const Query& query) {
  QueryValues values;
  forEachPart(query, [&]<typename Part>(std::string_view name, const Part& part) {
    if constexpr (codec::IsMap<Part>::value) {
      for (const auto& [key, value] : part) values.emplace_back(format("{}.{}", name, key), value);
    } else if constexpr (codec::IsOptional<Part>::value) {
      if (part) values.emplace_back(name, codec::nameOfEnum(*part));
    } else if constexpr (std::same_as<Part, std::int64_t>) {
      values.emplace_back(name, std::to_string(part));
    } else {
      if (!part.empty()) values.emplace_back(name, part);
    }
  });
  return values;
}

#define SWARM_QUERY(Query)                                                                 \
  template std::vector<QueryParameter> queryParameters<Query>();                           \
  template Query readQuery<Query>(const std::map<std::string, std::string, std::less<>>&); \
  template QueryValues writeQuery<Query>(const Query&);
SWARM_QUERY(AuditQuery)
SWARM_QUERY(ListAuditQuery)
SWARM_QUERY(ListInstancesQuery)
SWARM_QUERY(ListOperationsQuery)
SWARM_QUERY(ListUsageQuery)
SWARM_QUERY(UsageQuery)

}  // namespace swarm

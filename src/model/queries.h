// The queries of lists, described once: the API reads them, its OpenAPI document prints their parameters, and the client writes them. What
// the parameters mean, and their ranges: field_rules.h.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/types/audit/audit_record.h"
#include "model/types/instance.h"
#include "model/types/operation.h"
#include "model/types/provider_type.h"

namespace swarm {

/// An absent or empty member leaves nothing out.
struct ListInstancesQuery {
  std::optional<InstanceStatus> status{};
  std::optional<ProviderType> provider{};
  std::string owner{};
  std::string name{};
  std::map<std::string, std::string> labels{};  ///< label[KEY]=VALUE
  std::int64_t limit = 100;                     ///< of items in a page
  std::string cursor{};                         ///< nextCursor of the previous page
};
BOOST_DESCRIBE_STRUCT(ListInstancesQuery, (), (status, provider, owner, name, labels, limit, cursor))

struct ListOperationsQuery {
  std::string instance{};  ///< id or name
  std::optional<OperationStatus> status{};
  std::int64_t limit = 100;
  std::string cursor{};
};
BOOST_DESCRIBE_STRUCT(ListOperationsQuery, (), (instance, status, limit, cursor))

struct AuditQuery {
  std::string user{};
  std::string action{};
  std::string object{};  ///< name or id
  std::optional<AuditResult> result{};
  std::string since{};  ///< RFC 3339
  std::string until{};
};
BOOST_DESCRIBE_STRUCT(AuditQuery, (), (user, action, object, result, since, until))

struct ListAuditQuery : AuditQuery {
  std::int64_t limit = 100;
  std::string cursor{};
};
BOOST_DESCRIBE_STRUCT(ListAuditQuery, (AuditQuery), (limit, cursor))

/// Times: RFC 3339. Without any of them, the usage at this moment.
struct UsageQuery {
  std::string from{};
  std::string to{};
  std::int64_t step = 0;  ///< seconds of a point; 0: so that there are at most 300 points
};
BOOST_DESCRIBE_STRUCT(UsageQuery, (), (from, to, step))

struct ListUsageQuery {
  std::int64_t limit = 100;
  std::string cursor{};
};
BOOST_DESCRIBE_STRUCT(ListUsageQuery, (), (limit, cursor))

/// One parameter of a query, as far as its type and its rule describe it.
struct QueryParameter {
  enum class Kind { Text, Integer, Choice, Labels };
  Kind kind = Kind::Text;
  std::string_view name = {};
  std::string_view description = {};
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;                 ///< of an integer; of a text, its length
  std::vector<std::string_view> choices{};  ///< of Choice
};

using QueryValues = std::vector<std::pair<std::string, std::string>>;

/// Instantiated for the queries of this header.
template <typename Query>
std::vector<QueryParameter> queryParameters();
/// From values that were checked against the parameters; others are ignored. Labels are "label.KEY".
template <typename Query>
Query readQuery(const std::map<std::string, std::string, std::less<>>& values);
/// Without filters that leave nothing out.
template <typename Query>
QueryValues writeQuery(const Query& query);

}  // namespace swarm

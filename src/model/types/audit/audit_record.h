// AuditRecord: one record of the audit log (docs/audit.md).
#pragma once

#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace swarm {

/// begun: the intent of a change, which a later record completes. unknown: the server ended in between.
enum class AuditResult { begun, done, refused, failed, unknown };
BOOST_DESCRIBE_ENUM(AuditResult, begun, done, refused, failed, unknown)

struct AuditRecord {
  std::int64_t sequence = 0;
  SystemTime time{};
  std::string action{};  ///< the operationId of a route, "signIn", "openVscode", …
  AuditResult result = AuditResult::done;
  std::string user{};  ///< empty: not signed in, or the server itself
  std::string role{};
  std::string session{};  ///< empty: none, or an access token
  std::string token{};    ///< id of the access token with which the request came
  std::string address{};
  std::string client{};  ///< what the client says that it is (User-Agent)
  std::string kind{};    ///< of the object: "instance", "user", …
  std::string object{};
  std::string objectId{};
  std::string owner{};      ///< of the object
  std::int64_t status = 0;  ///< of the response
  std::string detail{};
  boost::json::object before{};
  boost::json::object after{};
  std::string requestId{};
  std::int64_t completes = 0;  ///< sequence of the record that has begun this change
};
BOOST_DESCRIBE_STRUCT(AuditRecord, (),
                      (sequence, time, action, result, user, role, session, token, address, client, kind, object, objectId, owner, status,
                       detail, before, after, requestId, completes))

}  // namespace swarm

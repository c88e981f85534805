#include "api/http/recording.h"

#include "async/attempt.h"
#include "audit/audit.h"
#include "audit/visible.h"
#include "auth/accounts/accounts.h"
#include "auth/entry.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxReadReply = 64 * 1024;
constexpr std::string_view kInstances = "/api/instances/{id}";
constexpr std::string_view kUsers = "/api/users/{name}";

/// Segments of a pattern: "/api/auth/keys" has "api", "auth", "keys".
std::vector<std::string_view> segmentsOf(std::string_view pattern) {
  std::vector<std::string_view> segments;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    segments.push_back(pattern.substr(0, pattern.find('/')));
    pattern.remove_prefix(segments.back().size());
  }
  return segments;
}

/// "instance" for "/api/instances/{id}/start", "session" for "/api/auth/logout".
std::string kindOf(std::string_view pattern) {
  const auto segments = segmentsOf(pattern);
  if (segments.size() < 2) return "server";
  std::string_view plural = segments[1];
  if (plural == "auth") plural = segments.size() > 2 && segments[2].ends_with('s') ? segments[2] : "sessions";
  if (plural.ends_with('s')) plural.remove_suffix(1);
  return std::string(plural);
}

AuditRecord recordOf(const Call& call, const Endpoint& route) {
  AuditRecord record = recordBy(call.principal(), call.origin());
  record.action = route.operationId;
  record.kind = kindOf(route.pattern);
  record.requestId = call.requestId();
  std::size_t index = 0;
  for (std::string_view segment : segmentsOf(route.pattern)) {
    if (!segment.starts_with('{') || index >= call.arguments().size()) continue;
    const std::string value = printable(call.argument(index), 128);
    if (index++ == 0)
      record.object = value;
    else
      record.after[segment.substr(1, segment.size() - 2)] = value;
  }
  if (record.object.empty() && route.pattern.starts_with("/api/users/me")) record.object = call.principal().user;
  return record;
}

void setInstance(AuditRecord& record, const Instance& instance) {
  record.object = instance.config.name;
  record.objectId = instance.id.str();
  record.owner = instance.owner;
}

/// Those of the members that the instance's configuration has, too.
json::object valuesBefore(const Instance& instance, const json::object& changed) {
  const json::value config = toJson(instance.config);
  json::object before;
  for (const auto& [name, value] : changed)
    if (const json::value* member = config.as_object().if_contains(name)) before[name] = *member;
  return visibleParts(before);
}

awaitable<AuditRecord> changeOf(Services& services, Call& call) {
  const Endpoint& route = call.route();
  AuditRecord record = recordOf(call, route);
  for (const Parameter& parameter : route.parameters) {
    if (parameter.place != Parameter::Place::Query || parameter.kind == Parameter::Kind::Labels) continue;
    if (const auto value = call.text(parameter.name))
      record.after[parameter.name] = isVisible(parameter.name) ? printable(*value, 128) : std::string("***");
  }
  json::object body = visibleParts(call.body());
  if (route.pattern.starts_with(kInstances)) {
    // What cannot be read has no state before the change; the handler reports why.
    const auto instance = co_await async::attempt(services.controller.getInstance(call.argument()));
    if (instance && *instance) {
      setInstance(record, **instance);
      record.before = valuesBefore(**instance, body);
    }
  }
  if (route.pattern.starts_with(kUsers)) {
    if (record.object == "me") record.object = call.principal().user;
    const auto user = co_await async::attempt(services.auth.accounts().find(record.object));
    if (user && *user) record.before = {{"role", (*user)->role}, {"disabled", (*user)->disabled}};
  }
  for (auto& [name, value] : body) record.after[name] = std::move(value);
  co_return record;
}

/// What only the response says: the name and the id of a new object, and the operation.
void addResult(AuditRecord& record, const Reply& reply) {
  record.status = reply.status;
  if (reply.contentType != kJsonType || reply.body.empty() || reply.body.size() > kMaxReadReply) return;
  const json::value body = parseOrNull(reply.body);
  if (!body.is_object()) return;
  if (record.objectId.empty()) record.objectId = stringAt(body, "id");
  if (record.object.empty()) record.object = stringAt(body, "name");
  if (record.object.empty()) record.object = stringAt(body, "config.name");
  if (record.owner.empty()) record.owner = stringAt(body, "owner");
  if (std::string operation = stringAt(body, "operationId"); !operation.empty()) record.after["operationId"] = std::move(operation);
}

}  // namespace

awaitable<Reply> handleRecorded(Services& services, Call& call) {
  const Endpoint& route = call.route();
  Audit* audit = services.options.audit;
  const Recorded recorded = recordedOf(route);
  if (audit == nullptr || recorded == Recorded::Nothing || recorded == Recorded::Entry) co_return co_await route.handler(services, call);
  AuditRecord record = co_await changeOf(services, call);
  const auto unrecorded = recorded == Recorded::Revocation ? Audit::Unrecorded::Allow : Audit::Unrecorded::Refuse;
  const std::int64_t begun = co_await audit->begin(record, unrecorded);
  call.setRecorded();
  std::optional<Error> failure;
  Reply reply;
  try {
    reply = co_await route.handler(services, call);
    addResult(record, reply);
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (failure) {
    record.result = auditResultOf(*failure);
    record.status = httpStatus(failure->code());
    record.detail = failure->message();
  }
  co_await audit->complete(std::move(record), begun);
  if (failure) throw *failure;
  co_return reply;
}

awaitable<void> recordEntry(Services& services, Call& call, const Instance& instance) {
  Audit* audit = services.options.audit;
  if (audit == nullptr || recordedOf(call.route()) != Recorded::Entry) co_return;
  AuditRecord record = recordOf(call, call.route());
  setInstance(record, instance);
  record.requestId.clear();  // one of several requests
  co_await audit->enter(std::move(record));
}

awaitable<void> recordRefusal(Services& services, Call& call, const Endpoint* route, const Error& error) {
  Audit* audit = services.options.audit;
  if (audit == nullptr) co_return;
  const bool has_bad_token = error.code() == ErrorCode::Unauthenticated && call.sentToken();
  if (error.code() != ErrorCode::PermissionDenied && !has_bad_token) co_return;
  AuditRecord record = route != nullptr ? recordOf(call, *route) : recordBy(call.principal(), call.origin());
  if (has_bad_token) record.action = "useToken";
  if (record.action.empty()) record.action = "unknownPath";
  record.objectId = error.instance();
  record.status = httpStatus(error.code());
  record.detail = error.message();
  co_await audit->refuse(std::move(record));
}

}  // namespace swarm::api

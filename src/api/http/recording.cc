#include "api/http/recording.h"

#include "async/attempt.h"
#include "audit/audit.h"
#include "audit/visible.h"
#include "auth/accounts/accounts.h"
#include "auth/accounts/ssh_keys.h"
#include "auth/entry.h"
#include "auth/session/access_tokens.h"
#include "auth/sharing/sharing.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxReadReply = 64 * 1024;
constexpr std::string_view kInstances = "/api/instances/{id}";
constexpr std::string_view kUseToken = "useToken";
constexpr std::string_view kUnknownPath = "unknownPath";
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

/// `arguments`: those of the path.
AuditRecord recordOf(const Call& call, const Endpoint& route, const std::vector<std::string>& arguments) {
  AuditRecord record = recordBy(call.principal(), call.origin());
  record.action = route.operationId;
  record.kind = kindOf(route.pattern);
  record.requestId = call.requestId();
  std::size_t index = 0;
  for (std::string_view segment : segmentsOf(route.pattern)) {
    if (!segment.starts_with('{') || index >= arguments.size()) continue;
    const std::string value = printable(arguments[index], 128);
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

/// Those of the members that the instance has, too.
json::object valuesBefore(const Instance& instance, const json::object& changed) {
  json::value values = toJson(instance.config);
  values.as_object()["owner"] = instance.owner;
  json::object before;
  for (const auto& [name, value] : changed)
    if (const json::value* member = values.as_object().if_contains(name)) before[name] = *member;
  return visibleParts(before);
}

json::object shareBefore(Services& services, const InstanceId& instance, const Grantee& grantee) {
  for (const ShareRecord& share : services.auth.sharing().sharesOf(instance)) {
    if (share.grantee != grantee) continue;
    json::object before{{"access", enumName(share.access)}};
    if (share.expiresAt) before["expiresAt"] = formatTime(*share.expiresAt);
    return before;
  }
  return {};
}

/// The object of a change, and its state before. What cannot be read has none; the handler reports why.
awaitable<void> addObject(Services& services, const Call& call, AuditRecord& record, const json::object& changed) {
  const std::string_view pattern = call.route().pattern;
  if (pattern.starts_with(kInstances)) {
    const auto instance = co_await async::attempt(services.controller.getInstance(call.argument()));
    if (!instance || !*instance) co_return;
    setInstance(record, **instance);
    if (pattern.ends_with("/shares/{user}"))
      record.before = shareBefore(services, (*instance)->id, Grantee::ofUser(call.argument(1)));
    else if (pattern.ends_with("/shares/groups/{group}"))
      record.before = shareBefore(services, (*instance)->id, Grantee::ofGroup(call.argument(1)));
    else
      record.before = valuesBefore(**instance, changed);
  } else if (pattern.starts_with(kUsers)) {
    if (record.object == "me") record.object = call.principal().user;
    const auto user = co_await async::attempt(services.auth.accounts().find(record.object));
    if (user && *user) record.before = {{"role", nameOf((*user)->role)}, {"disabled", (*user)->disabled}};
  } else if (pattern == "/api/quotas/{kind}/{name}") {
    record.object = printable(call.argument(1), 128);
    record.after = {{"kind", printable(call.argument(), 128)}};
    const auto quotas = co_await async::attempt(services.controller.listQuotas({}));
    if (!quotas) co_return;
    for (const QuotaResponse& one : *quotas)
      if (one.quota && enumName(one.scope) == call.argument() && one.name == call.argument(1))
        record.before = {{"limits", toJson(*one.quota)}};
  } else if (pattern == "/api/operations/{id}") {
    const auto operation = co_await async::attempt(services.controller.getOperation(call.argument()));
    record.objectId = std::exchange(record.object, {});
    if (!operation || !*operation) co_return;
    record.object = (*operation)->instanceName;
    record.owner = (*operation)->owner;
  } else if (pattern == "/api/tokens/{token}") {
    record.objectId = std::exchange(record.object, {});
    for (const AccessToken& token : services.auth.accessTokens().list()) {
      if (token.id != call.argument()) continue;
      record.object = token.name;
      record.owner = token.owner;
    }
  } else if (pattern == "/api/keys/{key}") {
    record.objectId = std::exchange(record.object, {});
    for (const SshKey& key : services.auth.sshKeys().list()) {
      if (key.id != call.argument()) continue;
      record.object = key.name;
      record.owner = key.owner;
    }
  } else if (pattern == "/api/providers/{type}/token") {
    const auto providers = co_await async::attempt(services.controller.listProviders());
    if (!providers) co_return;
    for (const ProviderResponse& provider : *providers)
      if (provider.token && enumName(provider.type) == record.object) record.before = {{"source", enumName(provider.token->source)}};
  } else if (pattern == "/api/auth/sessions/{session}") {
    record.objectId = std::exchange(record.object, {});
    for (const SessionRecord& session : services.auth.listSessions(""))
      if (session.id == call.argument()) record.owner = session.user;
  }
}

awaitable<AuditRecord> changeOf(Services& services, Call& call) {
  const Endpoint& route = call.route();
  AuditRecord record = recordOf(call, route, call.arguments());
  for (const Parameter& parameter : route.parameters) {
    if (parameter.location != Parameter::Location::Query || parameter.kind == Parameter::Kind::Labels) continue;
    if (const auto value = call.text(parameter.name))
      record.after[parameter.name] = isVisible(parameter.name) ? printable(*value, 128) : std::string("***");
  }
  json::object body = visibleParts(call.body());
  if (record.object.empty() && call.arguments().empty()) record.object = stringAt(call.body(), "name");  // of a new object
  co_await addObject(services, call, record, body);
  for (auto& [name, value] : body) record.after.emplace(name, std::move(value));  // what the path says stays
  co_return record;
}

/// What only the response says: the name and the id of a new object, and the operation.
void addResult(AuditRecord& record, const Reply& reply) {
  record.status = reply.status;
  if (reply.status >= 400) record.result = AuditResult::failed;
  if (reply.contentType != kJsonType || reply.body.empty() || reply.body.size() > kMaxReadReply) return;
  const json::value body = parseOrNull(reply.body);
  if (!body.is_object()) return;
  if (record.objectId.empty()) record.objectId = stringAt(body, "id");
  if (record.object.empty()) record.object = stringAt(body, "name");
  if (record.object.empty()) record.object = stringAt(body, "config.name");
  if (record.owner.empty()) record.owner = stringAt(body, "owner");
  if (std::string fingerprint = stringAt(body, "fingerprint"); !fingerprint.empty()) record.after["fingerprint"] = fingerprint;
  if (std::string operation = stringAt(body, "operationId"); !operation.empty()) record.after["operationId"] = operation;
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
  AuditRecord record = recordOf(call, call.route(), call.arguments());
  setInstance(record, instance);
  record.requestId.clear();  // one of several requests
  co_await audit->enter(std::move(record));
}

awaitable<void> recordTokenUse(Services& services, const Call& call) {
  const auto& token = call.principal().token;
  if (services.options.audit == nullptr || !token) co_return;
  AuditRecord record = recordBy(call.principal(), call.origin());
  record.action = kUseToken;
  record.kind = "token";
  record.object = token->name;
  record.objectId = token->id;
  record.owner = token->owner;
  co_await services.options.audit->use(std::move(record));
}

awaitable<void> recordRefusal(Services& services, Call& call, const Endpoint* route, const Error& error) {
  Audit* audit = services.options.audit;
  if (audit == nullptr) co_return;
  const bool has_bad_token = error.code() == ErrorCode::Unauthenticated && call.sentToken();
  const bool is_entry = route != nullptr && recordedOf(*route) == Recorded::Entry;
  // A workspace that a user may not see looks missing: both are recorded, so that the time of the response shows no difference.
  const bool is_unseen = is_entry && error.code() == ErrorCode::NotFound;
  if (error.code() != ErrorCode::PermissionDenied && !has_bad_token && !is_unseen) co_return;
  AuditRecord record = recordBy(call.principal(), call.origin());
  record.action = has_bad_token ? kUseToken : kUnknownPath;
  if (route != nullptr && !has_bad_token) {
    // A refusal by role comes before bind().
    const auto arguments = findRoute(services.table, call.method(), call.path()).arguments;
    record = recordOf(call, *route, arguments);
    if (is_entry && !arguments.empty()) {
      const auto instance = co_await async::attempt(services.controller.getInstance(arguments.front()));
      if (instance && *instance) setInstance(record, **instance);
    }
  }
  if (record.objectId.empty()) record.objectId = error.instance();
  record.status = httpStatus(error.code());
  record.detail = error.message();
  co_await audit->refuse(std::move(record));
}

}  // namespace swarm::api

// Limits and quotas: what may be held, and what is.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "auth/accounts/accounts.h"
#include "auth/sharing/groups.h"
#include "base/not_found.h"
#include "base/text/format.h"

namespace swarm::api {
namespace {

/// All users see totals; a user, group or role is seen by those who belong to it, and by administrators and auditors.
bool maySee(Services& services, const Call& call, LimitScope scope, const std::string& name) {
  const Principal& caller = call.principal();
  const auto sees = [&](bool belongs) { return isAllowed(caller, Permission::ReadUsers, belongs ? Relation::Own : Relation::Other); };
  switch (scope) {
    case LimitScope::user:
      return sees(name == caller.user);
    case LimitScope::group:
    case LimitScope::member:
      return sees(services.auth.groups().isMember(name, caller.user));
    case LimitScope::role:
      return sees(name == nameOf(caller.role));
    case LimitScope::swarm:
    case LimitScope::provider:
    case LimitScope::region:
    case LimitScope::instance:
      break;
  }
  return true;
}

awaitable<Reply> listQuotas(Services& services, Call& call) {
  std::vector<QuotaResponse> items = co_await services.controller.listQuotas({call.principal().user});
  std::erase_if(items, [&](const QuotaResponse& one) { return !maySee(services, call, one.scope, one.name); });
  co_return replyWithItems(items);
}

LimitScope scopeOf(const QuotaSubject& subject) { return *enumFromName<LimitScope>(enumName(subject.kind)); }

/// The subject that the path names, if it exists and the caller may see it. Throws Error(NotFound) for unseen ones, as for missing ones.
awaitable<QuotaSubject> requireSubject(Services& services, Call& call) {
  const auto kind = enumFromName<QuotaKind>(call.argument());
  if (!kind)
    throw Error(ErrorCode::InvalidArgument, format("There are no quotas of a \"{}\".", call.argument()))
        .withField("/kind", format("must be one of {}", enumNames<QuotaKind>()));
  QuotaSubject subject{*kind, call.argument(1)};
  bool exists = maySee(services, call, scopeOf(subject), subject.name);
  if (exists && subject.kind == QuotaKind::user) exists = (co_await services.auth.accounts().find(subject.name)).has_value();
  if (exists && subject.kind == QuotaKind::role) exists = roleFromName(subject.name).has_value();
  if (exists && (subject.kind == QuotaKind::group || subject.kind == QuotaKind::member))
    exists = services.auth.groups().find(subject.name).has_value();
  if (!exists) throw notFound(subject.kind == QuotaKind::member ? "group" : enumName(subject.kind), subject.name);
  requireAllowed(call, call.route().permission, subject.kind == QuotaKind::user ? subject.name : "");
  co_return subject;
}

/// The rows of one subject; a user has one for each provider that bounds them, too.
awaitable<Reply> replyWithQuotas(Services& services, QuotaSubject subject) {
  const LimitScope scope = scopeOf(subject);
  const bool is_user = subject.kind == QuotaKind::user;
  std::vector<QuotaResponse> items =
      co_await services.controller.listQuotas(is_user ? std::vector{subject.name} : std::vector<std::string>());
  std::erase_if(items, [&](const QuotaResponse& one) { return one.scope != scope || one.name != subject.name; });
  if (items.empty()) items.push_back({.scope = scope, .name = subject.name});
  co_return replyWithItems(items);
}

awaitable<Reply> getQuota(Services& services, Call& call) {
  co_return co_await replyWithQuotas(services, co_await requireSubject(services, call));
}

awaitable<Reply> setQuota(Services& services, Call& call) {
  const QuotaSubject subject = co_await requireSubject(services, call);
  const ResourceLimits limits = readBody<SetQuotaRequest>(call).limits;
  if (limits == ResourceLimits())
    throw Error(ErrorCode::InvalidArgument, "The quota names no limit. To remove it, use DELETE.").withField("/limits", "is empty");
  co_await services.controller.setQuota(subject, limits);
  co_return co_await replyWithQuotas(services, subject);
}

awaitable<Reply> removeQuota(Services& services, Call& call) {
  co_await services.controller.removeQuota(co_await requireSubject(services, call));
  co_return Reply{.status = 204};
}

Parameter kindOfQuota() {
  return choice<QuotaKind>(
      "kind", "user: a user. group: the members of a group together. member: each member of a group. role: each user of a role");
}
Parameter nameOfSubject() { return path("name", "The name of the user, group or role"); }
Parameter kindInPath() {
  Parameter kind = kindOfQuota();
  kind.location = Parameter::Location::Path;
  return kind;
}

}  // namespace

std::vector<Endpoint> quotaRoutes() {
  return {

      at("GET", "/api/quotas", Permission::ReadUsers, "listQuotas", listQuotas,
         {.summary = "List limits and quotas, with what is held",
          .description =
              "Of the server, its providers and regions; of users, groups and roles those that the caller may see: their own, or "
              "for administrators and auditors all.",
          .responses = {ok("Limits", listOf<QuotaResponse>())}}),
      at("GET", "/api/quotas/{kind}/{name}", Permission::ReadUsers, "getQuota", getQuota,
         {.summary = "Show the limits of a user, group or role",
          .description = "A user has an item for each provider that bounds them, too.",
          .responses = {ok("Limits", listOf<QuotaResponse>())},
          .problems = {404},
          .parameters = {kindInPath(), nameOfSubject()}}),
      at("PUT", "/api/quotas/{kind}/{name}", Permission::ManageUsers, "setQuota", setQuota,
         {.summary = "Set the quota of a user, group or role",
          .description =
              "Replaces the former one. For a user, the first of these that names a limit decides: the user's quota, the largest of "
              "the members of their groups, that of their role, [limits.user] of the configuration. What exists is not stopped.",
          .responses = {ok("Limits", listOf<QuotaResponse>())},
          .problems = {404},
          .parameters = {kindInPath(), nameOfSubject()},
          .body = jsonBody<SetQuotaRequest>()}),
      at("DELETE", "/api/quotas/{kind}/{name}", Permission::ManageUsers, "removeQuota", removeQuota,
         {.summary = "Remove the quota of a user, group or role",
          .description = "Then the next source decides.",
          .responses = {noContent("Removed")},
          .problems = {404},
          .parameters = {kindInPath(), nameOfSubject()}}),
  };
}

}  // namespace swarm::api

#include "gateway/pages/landing.h"

#include "async/attempt.h"
#include "audit/audit.h"
#include "base/text/format.h"
#include "gateway/pages/move_status.h"
#include "gateway/pages/responses.h"
#include "gateway/recording.h"
#include "model/titles.h"

namespace swarm::gateway {
namespace {

constexpr std::string_view kActionsPath = "/workspaces/";  ///< + create, start or stop
constexpr std::size_t kMaxActionForm = 4 * 1024;

bool offers(const WorkspaceActions& actions, InstanceStatus status) {
  const bool is_down = status == InstanceStatus::stopped || status == InstanceStatus::failed;
  return is_down ? static_cast<bool>(actions.start) : status == InstanceStatus::running && actions.stop;
}

}  // namespace

bool Landing::takes(std::string_view path) { return path.starts_with(kActionsPath); }

std::vector<LandingRow> Landing::rowsFor(const Principal& principal, const net::RequestHead& head) {
  std::vector<LandingRow> rows;
  for (const auto& [name, route] : targets_.routes()) {
    if (!canSee(principal, route->owner, route->instanceId) || route->status == InstanceStatus::deleted) continue;
    const bool may_change = isAllowed(principal, Permission::Manage, route->owner, route->instanceId) && offers(actions_, route->status);
    const bool loses_files = may_change && route->status == InstanceStatus::running && !route->keepsFilesAtStop;
    const bool busy = route->status != InstanceStatus::running || !route->ready;
    rows.push_back({.name = name,
                    .owner = route->owner,
                    .url = isAllowed(principal, Permission::Inside, route->owner, route->instanceId)
                               ? address_.originOf(address_.hosts().hostOf(name, 0), head) + "/"
                               : "",
                    .status = route->status,
                    .ready = route->ready,
                    .mayChange = may_change,
                    .note = route->status == InstanceStatus::failed ? route->reason
                            : route->moving ? format("moving to {}, {} %", route->moving->to, percentOf(*route->moving))
                            : busy          ? route->step
                                            : "",
                    .imageOutdated = route->imageOutdated,
                    .looseStorage = route->enforcesStorage ? "" : placeTitle(route->provider),
                    .losingStop = loses_files ? placeTitle(route->provider) : ""});
  }
  return rows;
}

async::awaitable<void> Landing::show(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto principal = browser_.find(head);
  if (!principal) co_return co_await respondRedirect(exchange, 302, "/login", browser_.repair(head));
  const LandingOffers offers{.create = actions_.create && isAllowed(*principal, Permission::Create, Relation::Own),
                             .identities = identities_.isFor(*principal)};
  co_await respondPage(exchange, 200, landingPage(*principal, rowsFor(*principal, head), offers));
}

async::awaitable<void> Landing::perform(net::Exchange& exchange, Principal principal) {
  const auto form = co_await net::readAll(exchange.body(), kMaxActionForm);
  const std::string action(exchange.head().path().substr(kActionsPath.size()));
  if (action != "create" && action != "start" && action != "stop") throw Error(ErrorCode::NotFound, "This address does not exist.");
  auto name = formField(form, "name").value_or("");
  const auto found = action == "create" ? targets_.routes().end() : targets_.routes().find(name);
  AuditRecord record = recordAbout(found == targets_.routes().end() ? nullptr : found->second.get(), principal, browser_.originOf(exchange),
                                   action + "Instance");
  record.object = name;
  if (action == "create") record.owner = principal.user;
  co_await recordChange(audit_, std::move(record), perform(std::move(principal), action, std::move(name)));
}

async::awaitable<void> Landing::perform(Principal principal, std::string action, std::string name) {
  if (action == "create") {
    if (!actions_.create || !isAllowed(principal, Permission::Create, Relation::Own))
      throw Error(ErrorCode::PermissionDenied, "Your role does not allow creating workspaces.");
    co_await actions_.create(principal, std::move(name));
    co_return;
  }
  const auto found = targets_.routes().find(name);
  if (found == targets_.routes().end() || !canSee(principal, found->second->owner, found->second->instanceId))
    throw Error(ErrorCode::NotFound, format("The workspace {} does not exist.", name));
  const auto route = found->second;
  if (!isAllowed(principal, Permission::Manage, route->owner, route->instanceId))
    throw Error(ErrorCode::PermissionDenied, format("Your role does not allow changing {}.", route->name));
  if (action == "start" && actions_.start)
    co_await actions_.start(principal, route->instanceId);
  else if (action == "stop" && actions_.stop)
    co_await actions_.stop(principal, route->instanceId);
  else
    throw Error(ErrorCode::NotFound, "This address does not exist.");
}

async::awaitable<void> Landing::act(net::Exchange& exchange) {
  const auto& head = exchange.head();
  if (head.method != "POST") co_return co_await respondRedirect(exchange, 303, "/");
  if (!isSameOrigin(head))
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "The form was not sent by a page of this server.");
  auto principal = browser_.find(head);
  if (!principal) co_return co_await respondRedirect(exchange, 303, "/login", browser_.repair(head));
  const auto performed = co_await async::attempt(perform(exchange, std::move(*principal)));
  if (performed)
    co_await respondRedirect(exchange, 303, "/");
  else
    co_await respondMessage(
        exchange, httpStatus(performed.error().code()), performed.error().code(),
        {.title = "The request failed", .text = performed.error().message(), .linkText = "Your workspaces", .link = "/"});
}

}  // namespace swarm::gateway

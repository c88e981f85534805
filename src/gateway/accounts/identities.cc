#include "gateway/accounts/identities.h"

#include "audit/audit.h"
#include "auth/accounts/accounts.h"
#include "auth/entry.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "gateway/pages/pages.h"
#include "gateway/pages/responses.h"

namespace swarm::gateway {
namespace {

constexpr std::size_t kMaxUsers = 200;
constexpr std::size_t kMaxTyped = 64;

}  // namespace

bool IdentitiesPages::isFor(const Principal& principal) const {
  return providers_ != nullptr && isAllowed(principal, Permission::ManageUsers, Relation::Other);
}

async::awaitable<void> IdentitiesPages::show(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto principal = browser_.find(head);
  if (!principal)
    co_return co_await respondRedirect(exchange, 302, format("/login?next={}", net::percentEncode(head.target)), browser_.repair(head));
  const std::string user = printable(formField(head.query(), "user").value_or(""), kMaxTyped);
  if (!isFor(*principal)) {
    AuditRecord record = recordBy(*principal, browser_.originOf(exchange));
    record.action = "listIdentities";
    record.kind = "user";
    record.status = 403;
    if (audit_ != nullptr) co_await audit_->refuse(std::move(record));
    co_return co_await respondMessage(
        exchange, 403, ErrorCode::PermissionDenied,
        {.title = "Not allowed", .text = "Only administrators see the claims of sign-ins.", .linkText = "Your workspaces", .link = "/"});
  }
  IdentitiesPage page{.user = user};
  if (!user.empty()) page.found = co_await providers_->identitiesOf(user);
  if (!user.empty() && page.found.empty()) page.problem = format("{} has not signed in by an identity provider.", user);
  for (const UserRecord& record : co_await auth_.accounts().list())
    if (record.kind == UserKind::person && page.users.size() < kMaxUsers) page.users.push_back(record.name);
  co_await respondPage(exchange, 200, identitiesPage(page));
}

}  // namespace swarm::gateway

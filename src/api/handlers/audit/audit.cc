// The audit log: listed, exported and verified. What is recorded: api/http/recording.h.
#include "audit/audit.h"

#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "api/watch.h"
#include "base/text/format.h"
#include "base/text/number.h"

namespace swarm::api {
namespace {

constexpr std::size_t kExportedAtOnce = 200;
constexpr std::string_view kNdjsonType = "application/x-ndjson";

Audit& requireAudit(Services& services) {
  if (services.options.audit == nullptr) throw Error(ErrorCode::Unsupported, "This server keeps no audit log.");
  return *services.options.audit;
}

SystemTime timeOf(std::string_view name, const std::string& text) {
  if (text.empty()) return {};
  try {
    return parseTime(text);
  } catch (const Error&) {
    throw Error(ErrorCode::InvalidArgument, format("{} must be a time in RFC 3339, like 2026-11-23T19:04:36Z.", name))
        .withField(format("?{}", name), "must be a time in RFC 3339, like 2026-11-23T19:04:36Z");
  }
}

AuditFilter filterOf(const AuditQuery& query) {
  return {.user = query.user,
          .action = query.action,
          .object = query.object,
          .result = query.result,
          .since = timeOf("since", query.since),
          .until = timeOf("until", query.until)};
}

awaitable<Reply> listAudit(Services& services, Call& call) {
  const auto query = call.query<ListAuditQuery>();
  AuditFilter filter = filterOf(query);
  filter.withBegun = false;
  const std::string cursor = readCursor(call);
  const auto before = cursor.empty() ? std::optional<std::int64_t>(0) : parseNumber<std::int64_t>(cursor);
  if (!before || *before < 0)
    throw Error(ErrorCode::InvalidArgument, "The cursor is invalid. Use nextCursor of the previous page.")
        .withField("?cursor", "is invalid");
  const AuditPage page = co_await requireAudit(services).list(std::move(filter), *before, static_cast<std::size_t>(query.limit));
  std::string body = R"({"items":[)";
  for (const AuditRow& row : page.rows) {
    if (&row != &page.rows.front()) body += ',';
    body += auditLine(row);
  }
  body += ']';
  if (page.next > 0) body += format(R"(,"nextCursor":"{}")", makeCursor(std::to_string(page.next)));
  body += '}';
  co_return Reply{.status = 200, .body = std::move(body)};
}

awaitable<void> copyRecords(Audit& audit, AuditFilter filter, net::Exchange& exchange) {
  for (std::int64_t after = 0;;) {
    const AuditPage page = co_await audit.readAfter(filter, after, kExportedAtOnce);
    std::string lines;
    for (const AuditRow& row : page.rows) lines += auditLine(row) + '\n';
    if (!lines.empty() && !co_await exchange.write(lines)) throw Error(ErrorCode::Cancelled, "The client closed the connection.");
    if (page.next == 0) co_return;
    after = page.next;
  }
}

awaitable<Reply> exportAudit(Services& services, Call& call) {
  Audit& audit = requireAudit(services);
  AuditFilter filter = filterOf(call.query<AuditQuery>());
  if (call.isHead()) co_return Reply{.status = 200, .body = {}, .contentType = kNdjsonType};
  auto place = services.open.take(call.principal().user);
  net::Exchange& exchange = call.exchange();
  co_await call.begin(kNdjsonType, {{"Content-Disposition", "attachment; filename=\"audit.ndjson\""}});
  if (co_await runWhileWanted(services, call, copyRecords(audit, std::move(filter), exchange)))
    co_await exchange.finish();
  else
    call.cut();
  co_return sentReply(200);
}

awaitable<Reply> verifyAudit(Services& services, Call& call) {
  const auto sequence = call.integer("sequence");
  const auto hash = call.text("hash");
  if (sequence.has_value() != hash.has_value()) throw Error(ErrorCode::InvalidArgument, "sequence and hash of a record belong together.");
  std::optional<AuditHead> kept;
  if (sequence) kept = AuditHead{*sequence, *hash};
  const AuditVerification result = co_await requireAudit(services).verify(std::move(kept));
  co_return reply(AuditVerificationResponse{.intact = result.fault.empty(),
                                            .fault = result.fault,
                                            .first = result.first,
                                            .sequence = result.last.sequence,
                                            .hash = result.last.hash});
}

}  // namespace

std::vector<Endpoint> auditRoutes() {
  return {

      at("GET", "/api/audit", Permission::ReadAudit, "listAudit", listAudit,
         {.summary = "List the audit log, newest first",
          .description = "Changes, sign-ins, entries into workspaces, and refusals. A change is listed with its result; its intent "
                         "(`begun`), which was recorded before it, only with `result=begun`.",
          .responses = {ok("A page", "AuditEntryList")},
          .parameters = listParameters<ListAuditQuery>()}),
      at("GET", "/api/audit/export", Permission::ReadAudit, "exportAudit", exportAudit,
         {.summary = "Export the audit log, oldest first",
          .description = "One AuditEntry per line, with the intents of changes. Without a filter, the lines form an unbroken chain: "
                         "docs/audit.md says how to verify it.",
          .responses = {{.status = 200,
                         .description = "The records",
                         .schema = "AuditEntry",
                         .contentType = kNdjsonType,
                         .headers = {"Content-Disposition"}}},
          .parameters = listParameters<AuditQuery>(),
          .kind = RouteKind::Stream}),
      at("GET", "/api/audit/verification", Permission::ReadAudit, "verifyAudit", verifyAudit,
         {.summary = "Verify the chain of the audit log",
          .description = "Finds the first record that was changed or is missing. Records that were removed at the end are found with "
                         "`sequence` and `hash` of a record that was kept elsewhere.",
          .responses = {ok<AuditVerificationResponse>("The result")},
          .parameters = {integer("sequence", "Of a record that was kept elsewhere", 1, INT64_MAX),
                         text("hash", "Of the same record", 64)}}),
  };
}

}  // namespace swarm::api

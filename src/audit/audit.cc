#include "audit/audit.h"

#include <boost/json/serialize.hpp>

#include "async/attempt.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "model/codec/codec.h"
#include "net/ip_address.h"

namespace swarm {
namespace {

constexpr std::int64_t kWindow = 20'000;  // records that one query of a filtered list looks at: the store serves others in between
constexpr std::size_t kVerifiedAtOnce = 1000;

constexpr std::string_view kPrune = "pruneAudit";
constexpr std::string_view kNotChanged = "Nothing was changed, because the change cannot be recorded in the audit log.";
constexpr std::string_view kNotRecorded = "This was not allowed, because it cannot be recorded in the audit log.";

void cut(std::string& text, std::size_t max_bytes) { text = printable(text, max_bytes); }

void clean(AuditRecord& record) {
  cut(record.action, 64);
  cut(record.user, 64);
  cut(record.role, 32);
  cut(record.session, 64);
  cut(record.token, 64);
  cut(record.address, 64);
  cut(record.client, 200);
  cut(record.kind, 32);
  cut(record.object, 128);
  cut(record.objectId, 128);
  cut(record.owner, 64);
  cut(record.detail, 512);
  cut(record.requestId, 64);
  for (boost::json::object* part : {&record.before, &record.after})
    if (boost::json::serialize(*part).size() > Audit::kMaxBody / 4) *part = {{"truncated", true}};
}

std::string keyOf(const AuditRecord& record) {
  return format("{}\n{}\n{}\n{}\n{}\n{}\n{}", record.user, record.session, record.token, record.address, record.action,
                record.objectId.empty() ? record.object : record.objectId, boost::json::serialize(record.after));
}

/// Whether the record says that the server removed all records up to `anchor`.
bool isRemovalUpTo(const AuditHead& anchor, const AuditRow& row) {
  if (row.body.find(kPrune) == std::string::npos) return false;
  const boost::json::value record = parseOrNull(row.body);
  return stringAt(record, "action") == kPrune && integerAt(record, "after.through") == anchor.sequence &&
         stringAt(record, "after.hash") == anchor.hash;
}

/// Of the store's codes, only those about its disk mean the same to the caller.
Error notRecorded(std::string_view consequence, const Error& error) {
  const bool is_of_disk = error.code() == ErrorCode::OutOfResources || error.code() == ErrorCode::Unavailable;
  return Error(is_of_disk ? error.code() : ErrorCode::Internal, format("{} {}", consequence, error.message())).withCause(error.cause());
}

}  // namespace

AuditResult auditResultOf(const Error& error) {
  switch (error.code()) {
    case ErrorCode::PermissionDenied:
    case ErrorCode::Unauthenticated:
    case ErrorCode::NotFound:
    case ErrorCode::TooManyRequests:
      return AuditResult::refused;
    default:
      return AuditResult::failed;
  }
}

Audit::Audit(AuditStore& store, const Clock& clock, AuditRules rules) : store_(store), clock_(clock), rules_(rules) {}

awaitable<void> Audit::open() {
  for (AuditRecord& record : co_await store_.openRecords()) {
    record.completes = record.sequence;
    record.result = AuditResult::unknown;
    record.detail = "the server ended before the result was recorded";
    co_await append(std::move(record), kNotChanged);
  }
}

awaitable<AuditChain> Audit::append(AuditRecord record, std::string_view consequence) {
  clean(record);
  record.time = clock_.now();
  const auto chain = co_await async::attempt(store_.append(std::move(record)));
  if (!chain) throw notRecorded(consequence, chain.error());
  // Some room, so that not each record removes another.
  if (chain->bytes > rules_.maxBytes) co_await pruneTo({.before = {}, .maxBytes = rules_.maxBytes - rules_.maxBytes / 20});
  co_return *chain;
}

awaitable<std::int64_t> Audit::begin(AuditRecord record, Unrecorded unrecorded) {
  record.result = AuditResult::begun;
  const auto chain = co_await async::attempt(append(std::move(record), kNotChanged));
  if (chain) {
    faultPoint("audit.begun");
    co_return chain->head.sequence;
  }
  if (unrecorded == Unrecorded::Refuse) throw chain.error();
  log::error("failed to record a change in the audit log", {{"error", chain.error().message()}, {"cause", chain.error().cause()}});
  co_return 0;
}

awaitable<void> Audit::complete(AuditRecord record, std::int64_t begun) {
  faultPoint("audit.changed");
  record.completes = begun;
  const std::string action = record.action;
  const auto appended = co_await async::attempt(append(std::move(record), kNotRecorded));
  if (!appended)
    log::error("failed to record the result of a change in the audit log",
               {{"begun", begun}, {"action", action}, {"error", appended.error().message()}, {"cause", appended.error().cause()}});
}

awaitable<void> Audit::change(AuditRecord record, awaitable<void> work, Unrecorded unrecorded) {
  const std::int64_t begun = co_await begin(record, unrecorded);
  const auto changed = co_await async::attempt(std::move(work));
  if (!changed) {
    record.result = auditResultOf(changed.error());
    record.detail = changed.error().message();
  }
  co_await complete(std::move(record), begun);
  if (!changed) throw changed.error();
}

awaitable<void> recordChange(Audit* audit, AuditRecord record, awaitable<void> work, Audit::Unrecorded unrecorded) {
  return audit != nullptr ? audit->change(std::move(record), std::move(work), unrecorded) : std::move(work);
}

awaitable<void> Audit::record(AuditRecord record) { co_await append(std::move(record), kNotRecorded); }

awaitable<SteadyTime> Audit::enter(AuditRecord record) {
  const std::string key = keyOf(record);
  const SteadyTime now = clock_.steadyNow();
  if (const auto until = entries_.find(key, now, rules_.entryInterval)) co_return *until;
  const auto appended = co_await async::attempt(append(std::move(record), kNotRecorded));
  if (!appended) {
    entries_.drop(key);
    throw appended.error();
  }
  entries_.keep(key, now + rules_.entryInterval);
  co_return now + rules_.entryInterval;
}

awaitable<void> Audit::refuse(AuditRecord record) {
  record.result = AuditResult::refused;
  return recordOnce(std::move(record));
}

awaitable<void> Audit::use(AuditRecord record) { return recordOnce(std::move(record)); }

awaitable<void> Audit::recordOnce(AuditRecord record) {
  const std::string key = keyOf(record);
  const SteadyTime now = clock_.steadyNow();
  if (others_.find(key, now, rules_.entryInterval)) co_return;
  const bool is_anonymous = record.user.empty();
  const auto left_out = is_anonymous ? anonymous_.take(net::addressGroup(record.address), now) : signed_in_.take(record.user, now);
  if (!left_out) co_return;
  if (*left_out > 0) record.detail += format(" ({} like this before it were left out)", *left_out);
  others_.keep(key, now + rules_.entryInterval);
  const auto appended = co_await async::attempt(append(std::move(record), kNotRecorded));
  if (!appended) log::error("failed to record a refusal in the audit log", {{"error", appended.error().message()}});
}

awaitable<AuditPage> Audit::list(AuditFilter filter, std::int64_t before, std::size_t limit) {
  const AuditChain chain = co_await store_.chain();
  AuditPage page;
  std::int64_t last = before > 0 ? std::min(before - 1, chain.head.sequence) : chain.head.sequence;
  for (std::int64_t first = 0; last > chain.anchor.sequence && page.rows.size() < limit; last = first - 1) {
    first = std::max(chain.anchor.sequence + 1, last - kWindow + 1);
    auto rows = co_await store_.read(filter, {first, last, AuditRange::Order::NewestFirst}, limit - page.rows.size());
    std::ranges::move(rows, std::back_inserter(page.rows));
  }
  if (page.rows.size() == limit && page.rows.back().sequence > chain.anchor.sequence + 1) page.next = page.rows.back().sequence;
  co_return page;
}

awaitable<AuditPage> Audit::readAfter(AuditFilter filter, std::int64_t after, std::size_t limit) {
  const AuditChain chain = co_await store_.chain();
  if (after > 0 && after < chain.anchor.sequence)
    throw Error(ErrorCode::Conflict, "Old records were removed while the audit log was read. Begin again.");
  AuditPage page;
  std::int64_t first = std::max(after, chain.anchor.sequence) + 1;
  while (first <= chain.head.sequence && page.rows.empty()) {
    const std::int64_t last = std::min(chain.head.sequence, first + kWindow - 1);
    page.rows = co_await store_.read(filter, {first, last}, limit);
    first = page.rows.size() == limit ? page.rows.back().sequence + 1 : last + 1;
  }
  if (first <= chain.head.sequence) page.next = first - 1;
  co_return page;
}

awaitable<AuditVerification> Audit::verify(std::optional<AuditHead> kept) {
  AuditChain chain = co_await store_.chain();
  AuditHead end = chain.head;
  AuditVerification result{.first = chain.anchor.sequence + 1, .last = chain.anchor};
  AuditChainCheck check(chain.anchor);
  bool explains_anchor = chain.anchor.sequence == 0;
  if (kept && kept->sequence > end.sequence) result.fault = format("records {} to {} are missing", end.sequence + 1, kept->sequence);
  if (kept && kept->sequence < chain.anchor.sequence)
    result.fault = format("record {} was removed by its age or the size of the log, and cannot be compared", kept->sequence);
  if (kept && kept->sequence == chain.anchor.sequence && kept->hash != chain.anchor.hash)
    result.fault = format("record {} is another one than the given one", kept->sequence);
  while (result.fault.empty() && check.last().sequence < end.sequence) {
    const std::int64_t next = check.last().sequence + 1;
    const auto rows = co_await store_.read({}, {next, end.sequence}, kVerifiedAtOnce);
    if (rows.empty() || rows.front().sequence != next) {
      chain = co_await store_.chain();
      if (chain.anchor.sequence >= next) {  // records were removed by their age in the meantime
        check = AuditChainCheck(chain.anchor);
        end = chain.head;  // with the record that says so
        explains_anchor = false;
        result.first = chain.anchor.sequence + 1;
        continue;
      }
    }
    if (rows.empty()) result.fault = format("records {} to {} are missing", next, end.sequence);
    for (const AuditRow& row : rows) {
      result.fault = check.add(row);
      if (result.fault.empty() && kept && row.sequence == kept->sequence && row.hash != kept->hash)
        result.fault = format("record {} is another one than the given one", row.sequence);
      if (!result.fault.empty()) break;
      explains_anchor = explains_anchor || isRemovalUpTo(chain.anchor, row);
    }
  }
  result.last = check.last();
  if (result.fault.empty() && result.last.sequence == end.sequence && result.last.hash != end.hash)
    result.fault = format("record {} was replaced", end.sequence);
  // Without its record, it was not the server that removed them.
  if (result.fault.empty() && !explains_anchor) result.fault = format("records 1 to {} are missing", chain.anchor.sequence);
  co_return result;
}

awaitable<void> Audit::pruneTo(AuditLimits limits) {
  for (;;) {
    AuditRecord note{.time = clock_.now(), .action = std::string(kPrune), .kind = "audit"};
    if (!co_await store_.prune(limits, std::move(note))) co_return;
  }
}

awaitable<void> Audit::prune() {
  co_await pruneTo({.before = clock_.now() - std::chrono::hours(24) * rules_.keepDays, .maxBytes = rules_.maxBytes});
}

}  // namespace swarm

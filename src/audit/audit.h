// Audit: records changes, sign-ins, entries and refusals in the audit log, and reads it (docs/audit.md).
#pragma once

#include "audit/audit_store.h"
#include "audit/record_limits.h"
#include "base/error.h"

namespace swarm {

/// `[audit]` of the configuration.
struct AuditRules {
  int keepDays = 365;
  std::int64_t maxBytes = std::int64_t{1024} * 1024 * 1024;
  std::chrono::minutes entryInterval{15};  ///< entries of one session into one workspace by one way are recorded once in this time
};

struct AuditPage {
  std::vector<AuditRow> rows;
  std::int64_t next = 0;  ///< where the next page begins; 0: there is none
};

struct AuditVerification {
  std::string fault{};     ///< empty: intact
  std::int64_t first = 0;  ///< sequence of the oldest record
  AuditHead last{};        ///< the last record that was verified
};

/// Thread-safe. The store and the clock must outlive it. Every call makes its record's texts printable and cuts them, and sets its time.
class Audit {
 public:
  static constexpr std::size_t kMaxBody = 8 * 1024;  ///< bytes of a record

  Audit(AuditStore& store, const Clock& clock, AuditRules rules = {});

  /// Completes the changes that were interrupted by the end of an earlier server. Call it once, before the first record.
  awaitable<void> open();

  /// What happens to a change that cannot be recorded. Allow: for one that takes access away, like the end of a session.
  enum class Unrecorded { Refuse, Allow };
  /// The intent of a change, durable before its effect. Returns its sequence. Throws Error when it cannot be recorded: the caller must not
  /// make the change. With Allow, it returns 0 instead.
  awaitable<std::int64_t> begin(AuditRecord record, Unrecorded unrecorded = Unrecorded::Refuse);
  /// The result of the change that begin() returned. Does not throw: without it, the next start records the result as unknown.
  awaitable<void> complete(AuditRecord record, std::int64_t begun);
  /// begin(), `work`, complete(); passes on what `work` throws.
  awaitable<void> change(AuditRecord record, awaitable<void> work, Unrecorded unrecorded = Unrecorded::Refuse);
  /// What is about to happen, where one record is enough: a sign-in. Throws as begin().
  awaitable<void> record(AuditRecord record);
  /// An entry into a workspace, once per interval. Throws as begin(). Returns until when such an entry needs no call.
  awaitable<SteadyTime> enter(AuditRecord record);
  /// A refusal, once per interval and within a rate, so that attackers cannot fill the log. Does not throw.
  awaitable<void> refuse(AuditRecord record);
  /// The use of an access token, as refuse().
  awaitable<void> use(AuditRecord record);

  /// Newest first, from `before` (0: the end).
  awaitable<AuditPage> list(AuditFilter filter, std::int64_t before, std::size_t limit);
  /// The next records after `after`, oldest first. `next` is 0 at the end.
  awaitable<AuditPage> readAfter(AuditFilter filter, std::int64_t after, std::size_t limit);
  /// Follows the chain to the present end; with `kept`, also to that place.
  awaitable<AuditVerification> verify(std::optional<AuditHead> kept);
  /// Removes records beyond the limits of the configuration. Call it from time to time.
  awaitable<void> prune();

 private:
  awaitable<AuditChain> append(AuditRecord record, std::string_view consequence);
  awaitable<void> recordOnce(AuditRecord record);
  awaitable<void> pruneTo(AuditLimits limits);

  AuditStore& store_;
  const Clock& clock_;
  AuditRules rules_;
  RecentRecords entries_;
  RecentRecords others_;  ///< refusals and uses
  RecordRate anonymous_;  ///< apart from users, whose refusals a flood of sign-ins must not hide
  RecordRate signed_in_;
};

/// audit->change(), or `work` alone without a log.
awaitable<void> recordChange(Audit* audit, AuditRecord record, awaitable<void> work,
                             Audit::Unrecorded unrecorded = Audit::Unrecorded::Refuse);

/// The result that an error means.
AuditResult auditResultOf(const Error& error);

}  // namespace swarm

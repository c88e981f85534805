// The chain of the audit log: the hash of a record covers its text and the hash of the record before it (docs/audit.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarm {

/// A stored record. `body` is the JSON of its AuditRecord, byte by byte as it was hashed.
struct AuditRow {
  std::int64_t sequence = 0;
  std::string previous{};  ///< hash of the record before it
  std::string hash{};
  std::string body{};
  bool isIndexed = true;  ///< whether filters find what the body contains
};

/// The place of a record in the chain. A user who keeps it elsewhere can prove later that no record up to it was changed or removed.
struct AuditHead {
  std::int64_t sequence = 0;
  std::string hash{};
};

/// Before the first record: 64 zeros.
const std::string& noAuditHash();
/// SHA-256 of `previous`, a line break and `body`, in hexadecimal.
std::string auditHash(std::string_view previous, std::string_view body);

/// A record as the API sends it: the members of its body, "previous" and "hash".
std::string auditLine(const AuditRow& row);
/// The inverse; nothing for a text that is not such a line.
std::optional<AuditRow> parseAuditLine(std::string_view line);

/// Follows the chain from a known place.
class AuditChainCheck {
 public:
  explicit AuditChainCheck(AuditHead before) : last_(std::move(before)) {}
  /// The fault of the next record; empty: none, and it is the last one now.
  std::string add(const AuditRow& row);
  const AuditHead& last() const { return last_; }

 private:
  AuditHead last_;
};

}  // namespace swarm

#include "audit/chain.h"

#include <algorithm>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/number.h"

namespace swarm {
namespace {

constexpr std::size_t kHashDigits = 64;
constexpr std::string_view kStart = R"({"sequence":)";
constexpr std::string_view kPrevious = R"(,"previous":")";
constexpr std::string_view kHash = R"(","hash":")";
constexpr std::string_view kEnd = R"("})";

bool isHash(std::string_view text) {
  return text.size() == kHashDigits && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Removes `what` from the end of `text`.
bool takeEnd(std::string_view& text, std::string_view what) {
  if (!text.ends_with(what)) return false;
  text.remove_suffix(what.size());
  return true;
}

std::string_view takeHash(std::string_view& text) {
  if (text.size() < kHashDigits) return {};
  const std::string_view hash = text.substr(text.size() - kHashDigits);
  text.remove_suffix(kHashDigits);
  return isHash(hash) ? hash : std::string_view();
}

/// The number that the body begins with; 0: none.
std::int64_t sequenceOf(std::string_view body) {
  if (!body.starts_with(kStart)) return 0;
  body.remove_prefix(kStart.size());
  return parseNumber<std::int64_t>(body.substr(0, body.find_first_of(",}"))).value_or(0);
}

}  // namespace

const std::string& noAuditHash() {
  static const std::string zeros(kHashDigits, '0');
  return zeros;
}

std::string auditHash(std::string_view previous, std::string_view body) { return toHex(sha256(format("{}\n{}", previous, body))); }

std::string auditLine(const AuditRow& row) {
  std::string_view open = row.body;
  if (open.ends_with('}')) open.remove_suffix(1);
  return format("{}{}{}{}{}{}", open, kPrevious, row.previous, kHash, row.hash, kEnd);
}

std::optional<AuditRow> parseAuditLine(std::string_view line) {
  if (!takeEnd(line, kEnd)) return std::nullopt;
  AuditRow row;
  row.hash = takeHash(line);
  if (row.hash.empty() || !takeEnd(line, kHash)) return std::nullopt;
  row.previous = takeHash(line);
  if (row.previous.empty() || !takeEnd(line, kPrevious)) return std::nullopt;
  row.body = std::string(line) + "}";
  row.sequence = sequenceOf(row.body);
  if (row.sequence <= 0) return std::nullopt;
  return row;
}

std::string AuditChainCheck::add(const AuditRow& row) {
  const std::int64_t expected = last_.sequence + 1;
  if (row.sequence != expected)
    return row.sequence > expected ? format("records {} to {} are missing", expected, row.sequence - 1)
                                   : format("record {} follows record {}", row.sequence, last_.sequence);
  if (row.previous != last_.hash) return format("record {} does not follow record {}, which was replaced", row.sequence, last_.sequence);
  if (sequenceOf(row.body) != row.sequence || auditHash(row.previous, row.body) != row.hash)
    return format("record {} was changed", row.sequence);
  if (!row.isIndexed) return format("record {} is hidden from filters", row.sequence);
  last_ = {row.sequence, row.hash};
  return {};
}

}  // namespace swarm

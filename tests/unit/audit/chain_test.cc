// The chain, record by record, and its lines.
#include "audit/chain.h"

#include "base/id.h"
#include "gmock/gmock.h"

namespace swarm {
namespace {

using testing::HasSubstr;

AuditRow rowAfter(const AuditHead& last, const std::string& rest) {
  AuditRow row{.sequence = last.sequence + 1, .previous = last.hash};
  row.body = "{\"sequence\":" + std::to_string(row.sequence) + ",\"user\":\"" + rest + "\"}";
  row.hash = auditHash(row.previous, row.body);
  return row;
}

TEST(AuditChain, hashIsWhatTheDocumentationSays) {
  // printf '%064d\n{"sequence":1}' 0 | sha256sum
  EXPECT_EQ(auditHash(noAuditHash(), "{\"sequence\":1}"), toHex(sha256(std::string(64, '0') + "\n{\"sequence\":1}")));
}

TEST(AuditChain, followsRecordsAndFindsEachKindOfFault) {
  AuditChainCheck check({0, noAuditHash()});
  const AuditRow first = rowAfter({0, noAuditHash()}, "ann");
  const AuditRow second = rowAfter({1, first.hash}, "ben");
  const AuditRow third = rowAfter({2, second.hash}, "cay");
  EXPECT_EQ(check.add(first), "");
  EXPECT_THAT(check.add(third), HasSubstr("records 2 to 2 are missing"));
  AuditRow changed = second;
  changed.body[changed.body.size() - 3] = 'x';
  EXPECT_EQ(check.add(changed), "record 2 was changed");
  AuditRow renumbered = rowAfter({4, first.hash}, "ben");
  renumbered.sequence = 2;
  EXPECT_EQ(check.add(renumbered), "record 2 was changed") << "its text has another number";
  AuditRow hidden = second;
  hidden.isIndexed = false;
  EXPECT_EQ(check.add(hidden), "record 2 is hidden from filters");
  EXPECT_EQ(check.add(rowAfter({1, noAuditHash()}, "ben")), "record 2 does not follow record 1, which was replaced");
  EXPECT_EQ(check.add(second), "");
  EXPECT_THAT(check.add(second), HasSubstr("record 2 follows record 2"));
  EXPECT_EQ(check.add(third), "");
  EXPECT_EQ(check.last().sequence, 3);
  EXPECT_EQ(check.last().hash, third.hash);
}

TEST(AuditChain, readsTheLinesThatItWrites) {
  const AuditRow row = rowAfter({6, noAuditHash()}, R"(","previous":"\"})");
  const auto read = parseAuditLine(auditLine(row));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sequence, 7);
  EXPECT_EQ(read->body, row.body);
  EXPECT_EQ(read->previous, row.previous);
  EXPECT_EQ(read->hash, row.hash);
}

TEST(AuditChain, refusesOtherTexts) {
  const std::string line = auditLine(rowAfter({0, noAuditHash()}, "ann"));
  for (std::size_t length = 0; length < line.size(); ++length) EXPECT_FALSE(parseAuditLine(line.substr(0, length))) << length;
  for (const std::string& text : {std::string("{}"), line + " ", "x" + line, std::string(153, '"'), std::string(1000, '0')})
    EXPECT_FALSE(parseAuditLine(text)) << text;
}

}  // namespace
}  // namespace swarm

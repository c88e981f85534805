// `swarm audit`: the table, hostile texts, verification with and without the server.
#include <fstream>

#include "audit/chain.h"
#include "gmock/gmock.h"
#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string record(int sequence, const std::string& object, const std::string& result = "done") {
  return R"({"sequence":)" + std::to_string(sequence) + R"(,"time":"2026-12-02T06:49:01.123Z","action":"stopInstance","result":")" +
         result + R"(","user":"ann","object":")" + object + R"(","objectId":"i-1","address":"192.0.2.7","detail":"because"})";
}

/// An export with `count` records.
std::vector<std::string> exported(int count) {
  std::vector<std::string> lines;
  AuditHead last{0, noAuditHash()};
  for (int i = 1; i <= count; ++i) {
    AuditRow row{.sequence = i, .previous = last.hash, .hash = {}, .body = record(i, "web1")};
    row.hash = auditHash(row.previous, row.body);
    last = {i, row.hash};
    lines.push_back(auditLine(row));
  }
  return lines;
}

class AuditCommand : public ::testing::Test {
 protected:
  Ran run(std::vector<std::string> words) {
    words.insert(words.begin(), "audit");
    return runCommand(api_, std::move(words));
  }
  std::string write(const std::vector<std::string>& lines) {
    const auto path = (dir_ / "audit.ndjson").string();
    std::ofstream file(path);
    for (const std::string& line : lines) file << line << "\n";
    return path;
  }
  ApiDouble api_;
  test::TempDir dir_;
};

TEST_F(AuditCommand, listsPagesUpToTheLimit) {
  api_.on("GET /api/audit?limit=50", 200, {R"({"items":[)" + record(9, "web1") + R"(],"nextCursor":"OQ"})"});
  api_.on("GET /api/audit?limit=49&cursor=OQ", 200, {R"({"items":[)" + record(8, "web2", "refused") + "]}"});
  const Ran ran = run({});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("2026-12-02 06:49:01"));
  EXPECT_LT(ran.out.find("web1"), ran.out.find("web2"));
  EXPECT_THAT(ran.out, HasSubstr("refused"));
  EXPECT_EQ(run({"list", "-o", "name"}).out, "9\n8\n");
}

TEST_F(AuditCommand, passesFiltersOn) {
  api_.on("GET /api/audit?user=ann&action=signIn&object=web1&result=refused&since=2026-12-01T00%3A00%3A00Z&limit=5", 200,
          {R"({"items":[]})"});
  const Ran ran = run({"--user", "ann", "--action", "signIn", "--object", "web1", "--result", "refused", "--since", "2026-12-01T00:00:00Z",
                       "--limit", "5"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(run({"--result", "good"}).code, kWrongUse);
  EXPECT_EQ(run({"--since", "yesterday"}).code, kWrongUse);
}

TEST_F(AuditCommand, doesNotLetRecordsControlTheTerminal) {
  api_.on("GET /api/audit?limit=50", 200, {R"({"items":[)" + record(9, "\\u001b]0;owned\\u0007") + "]}"});
  EXPECT_THAT(run({}).out, Not(HasSubstr("\x1b")));
}

TEST_F(AuditCommand, printsTheHeadOfAnIntactLogAndFailsForABrokenOne) {
  const std::string hash(64, 'a');
  api_.on("GET /api/audit/verification", 200, {R"({"intact":true,"fault":"","first":3,"sequence":9,"hash":")" + hash + "\"}"});
  const Ran intact = run({"verify"});
  EXPECT_EQ(intact.code, kDone);
  EXPECT_THAT(intact.out, HasSubstr("records 3 to 9"));
  EXPECT_THAT(intact.out, HasSubstr("9:" + hash));
  api_.on("GET /api/audit/verification?sequence=9&hash=" + hash, 200,
          {R"({"intact":false,"fault":"records 7 to 9 are missing","first":3,"sequence":6,"hash":")" + hash + "\"}"});
  const Ran broken = run({"verify", "--head", "9:" + hash});
  EXPECT_EQ(broken.code, kFailed);
  EXPECT_THAT(broken.out, HasSubstr("records 7 to 9 are missing"));
  for (const char* head : {"9", "9:abc", "x:y", "0:0"}) EXPECT_EQ(run({"verify", "--head", head}).code, kWrongUse) << head;
}

TEST_F(AuditCommand, verifiesAnExportWithoutTheServer) {
  auto lines = exported(4);
  const AuditHead third{3, parseAuditLine(lines[2])->hash};
  const std::string head = "3:" + third.hash;
  EXPECT_EQ(run({"verify", "--file", write(lines), "--head", head}).code, kDone);
  EXPECT_EQ(run({"verify", "--file", write({lines[1], lines[2]})}).code, kDone) << "a part of the log";
  EXPECT_THAT(run({"verify", "--file", write({lines[0], lines[1]}), "--head", head}).out, HasSubstr("does not contain record 3"));
  EXPECT_THAT(run({"verify", "--file", write({lines[0], lines[2]})}).out, HasSubstr("records 2 to 2 are missing"));
  lines[1].replace(lines[1].find("web1"), 4, "web2");
  EXPECT_THAT(run({"verify", "--file", write(lines)}).out, HasSubstr("record 2 was changed"));
  EXPECT_THAT(run({"verify", "--file", write({"text"})}).out, HasSubstr("line 1 is not a record"));
  EXPECT_EQ(run({"verify", "--file", write({})}).code, kFailed);
  EXPECT_EQ(run({"verify", "--file", "/nonexistent"}).code, kNotFound);
  EXPECT_TRUE(api_.received().empty());
}

TEST_F(AuditCommand, exportsTheLinesAsTheyAre) {
  const auto lines = exported(2);
  api_.on("GET /api/audit/export?user=ann", 200, {lines[0] + "\n" + lines[1] + "\n"});
  EXPECT_EQ(run({"export", "--user", "ann"}).out, lines[0] + "\n" + lines[1] + "\n");
}

}  // namespace
}  // namespace swarm::cli::testing

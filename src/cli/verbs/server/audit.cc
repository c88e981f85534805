// `swarm audit` and its parts
#include <fstream>
#include <iostream>

#include "audit/chain.h"
#include "base/text/number.h"
#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

/// --user, --action, --object, --result, --since, --until.
struct AuditFlags {
  AuditQuery query;
  std::string result;

  void declare(Arguments& arguments) {
    arguments.option("--user", query.user, "Only of this user");
    arguments.option("--action", query.action, "Only this action, like deleteInstance, signIn or openVscode");
    arguments.option("--object", query.object, "Only about the workspace, user, … with this name or id");
    arguments.option("--result", result, "Only with this result, like refused or failed").suggest(enumValues<AuditResult>());
    arguments.option("--since", query.since, "Not older: an age like 5m, 2h or 1d, or a time (RFC 3339)");
    arguments.option("--until", query.until, "Older: an age or a time");
  }
  AuditQuery read() const {
    AuditQuery out = query;
    out.result = parseEnum<AuditResult>(result, "--result");
    const SystemTime now = RealClock().now();
    out.since = sinceTime(query.since, now);
    out.until = sinceTime(query.until, now);
    return out;
  }
};

/// "2026-12-02 06:49:01", in UTC.
std::string shortTime(std::string text) {
  if (text.size() < 19) return text;
  text[10] = ' ';
  return text.substr(0, 19);
}

Cell resultCell(const std::string& result) {
  return {result, result == "done" ? "" : result == "refused" || result == "failed" ? "31" : "33"};
}

std::string objectOf(const boost::json::value& record) {
  const std::string name = memberText(record, "object");
  return name.empty() ? memberText(record, "objectId") : name;
}

class AuditList final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    flags_.declare(arguments);
    arguments.option("--limit", limit_, "At most so many records (default 50)").range(1, 100'000);
  }

  int run(Context& context) override {
    ListAuditQuery query;
    static_cast<AuditQuery&>(query) = flags_.read();
    boost::json::array records;
    do {
      query.limit = std::min<std::int64_t>(limit_ - static_cast<std::int64_t>(records.size()), 500);
      boost::json::object page = context.client().listAudit(query);
      for (boost::json::value& record : page.at("items").as_array()) records.push_back(std::move(record));
      query.cursor = memberText(page, "nextCursor");
    } while (!query.cursor.empty() && static_cast<std::int64_t>(records.size()) < limit_);
    std::vector<Listed> rows;
    for (const auto& record : records) {
      const std::string sequence = memberText(record, "sequence");
      const std::string user = memberText(record, "user");
      rows.push_back({sequence,
                      {sequence, shortTime(memberText(record, "time")), user.empty() ? "-" : user, memberText(record, "action"),
                       objectOf(record), resultCell(memberText(record, "result")), memberText(record, "address"),
                       memberText(record, "token"), memberText(record, "detail")}});
    }
    printList(
        context, records,
        {copied("RECORD"), copied("TIME (UTC)"), "USER", "ACTION", "OBJECT", "RESULT", extra("FROM"), extra("TOKEN"), extra("DETAIL")},
        rows);
    return kDone;
  }

 private:
  AuditFlags flags_;
  std::int64_t limit_ = 50;
};

class AuditExport final : public Verb {
 public:
  void declare(Arguments& arguments) override { flags_.declare(arguments); }

  int run(Context& context) override {
    context.client().exportAudit(flags_.read(), [](std::string_view piece) { print(piece); });
    return kDone;
  }

 private:
  AuditFlags flags_;
};

/// "SEQUENCE:HASH". Throws WrongUse.
AuditHead parseHead(const std::string& text) {
  const auto colon = text.find(':');
  const auto sequence = parseNumber<std::int64_t>(std::string_view(text).substr(0, colon));
  if (colon == std::string::npos || !sequence || *sequence < 1 || text.size() - colon - 1 != noAuditHash().size())
    throw WrongUse("--head takes SEQUENCE:HASH, as `swarm audit verify` prints it.");
  return {*sequence, text.substr(colon + 1)};
}

/// Of an export. Without a server.
boost::json::object verifyFile(const std::string& path, const std::optional<AuditHead>& kept) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::NotFound, format("{} could not be read.", path));
  std::optional<AuditChainCheck> check;
  std::string fault;
  std::int64_t first = 0, number = 0;
  bool saw_kept = !kept;
  for (std::string line; fault.empty() && std::getline(file, line);) {
    ++number;
    const auto row = parseAuditLine(line);
    if (!row) {
      fault = format("line {} is not a record", number);
      break;
    }
    if (!check) check.emplace(AuditHead{row->sequence - 1, row->previous});
    if (first == 0) first = row->sequence;
    fault = check->add(*row);
    if (kept && row->sequence == kept->sequence) {
      saw_kept = true;
      if (fault.empty() && row->hash != kept->hash) fault = format("record {} is another one than the given one", row->sequence);
    }
  }
  if (fault.empty() && !check) fault = "the file has no records";
  if (fault.empty() && !saw_kept) fault = format("the file does not contain record {}", kept->sequence);
  const AuditHead last = check ? check->last() : AuditHead{};
  return {{"intact", fault.empty()}, {"fault", fault}, {"first", first}, {"sequence", last.sequence}, {"hash", last.hash}};
}

class AuditVerify final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.option("--head", head_, "SEQUENCE:HASH of a record that was kept elsewhere: it and all before it must be there");
    arguments.option("--file", file_, "Verify this file from `swarm audit export` instead, without the server").suggest(fileNames());
  }

  int run(Context& context) override {
    std::optional<AuditHead> kept;
    if (!head_.empty()) kept = parseHead(head_);
    const boost::json::object result = !file_.empty() ? verifyFile(file_, kept)
                                       : kept         ? context.client().verifyAudit(kept->sequence, kept->hash)
                                                      : context.client().verifyAudit();
    const bool intact = memberText(result, "intact") == "true";
    const std::string sequence = memberText(result, "sequence"), hash = memberText(result, "hash");
    if (printStructured(context, result)) return intact ? kDone : kFailed;
    if (intact) {
      print(format("Intact: records {} to {}.\nHead: {}:{}\n", memberText(result, "first"), sequence, sequence, hash));
      report("Keep the head elsewhere: --head proves later that nothing up to it was changed or removed.\n");
      return kDone;
    }
    print(format("Broken: {}. The records before it are intact, up to {}:{}.\n", memberText(result, "fault"), sequence, hash));
    return kFailed;
  }

 private:
  std::string head_, file_;
};

}  // namespace

void addAudit(const AddVerb& add) {
  const std::string notes = "For administrators and auditors. docs/audit.md says what is recorded.";
  add({.name = "audit",
       .summary = "List the audit log: changes, sign-ins, entries, refusals; verify, export",
       .examples = {"swarm audit --since 1d", "swarm audit --user ann --result refused", "swarm audit --object web1"},
       .notes = notes},
      std::make_unique<AuditList>());
  add({.name = "audit list", .summary = "List the audit log, newest first", .examples = {"swarm audit list --action signIn --limit 200"}},
      std::make_unique<AuditList>());
  add({.name = "audit verify",
       .summary = "Verify that no record was changed or removed",
       .examples = {"swarm audit verify", "swarm audit verify --head 512:9f86d081…", "swarm audit verify --file audit.ndjson"}},
      std::make_unique<AuditVerify>());
  add({.name = "audit export",
       .summary = "Print the audit log as lines of JSON, oldest first",
       .examples = {"swarm audit export > audit.ndjson", "swarm audit export --since 30d --user ann"}},
      std::make_unique<AuditExport>());
}

}  // namespace swarm::cli

// `swarm ports`
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

const std::vector<std::string> kLevelNames{"owner", "shared", "signed-in", "public"};

std::string_view describe(const std::string& level) {
  if (level == "public") return "without a sign-in";
  if (level == "signed-in") return "to every user of the server";
  return level == "shared" ? "to those who may open the workspace" : "to its owner only";
}

int listPorts(Context& context, const std::string& workspace) {
  const boost::json::array ports = context.client().listPorts(workspace);
  if (ports.empty() && context.output() == OutputFormat::Table) {
    report(
        format("The ports of {} open to its owner only. Open one to others with: swarm ports {} PORT --to shared\n", workspace, workspace));
    return kDone;
  }
  std::vector<Listed> rows;
  for (const auto& port : ports) {
    const std::string number = memberText(port, "port");
    rows.push_back({number, {number, memberText(port, "level"), momentText(port, "expiresAt"), memberText(port, "url")}});
  }
  printList(context, ports, {copied("PORT"), "OPENS FOR", "ENDS", "URL"}, rows);
  return kDone;
}

class Ports final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("workspace", workspace_, "Name or id").suggest(workspaceNames());
    arguments.word("port", port_, "Port to open or close; without it, the open ones are listed").range(1, 65'535).optional();
    arguments
        .option("--to", level_,
                "owner: only the owner opens it; shared: who may open the workspace; signed-in: every user of the server; public: "
                "without a sign-in, requires --for")
        .oneOf(kLevelNames)
        .sets("/level");
    arguments.option("--for", span_, "Close it to others after a time like 30m, 8h or 7d").sets("/expiresAt");
  }

  int run(Context& context) override {
    if (!port_ && (!level_.empty() || !span_.empty())) throw WrongUse("Name the port: swarm ports WORKSPACE PORT --to LEVEL.");
    if (!port_) return listPorts(context, workspace_);
    if (level_.empty()) throw WrongUse("Name whom it opens for: --to owner, shared, signed-in or public.");
    if (level_ == "public" && span_.empty()) throw WrongUse("A public port needs an end, like --for 8h.");
    const auto port = static_cast<std::uint16_t>(*port_);
    if (level_ == "owner") {
      context.client().closePort(workspace_, port);
      report(format("Port {} of {} opens to its owner only.\n", port, workspace_));
      return kDone;
    }
    PortLevelRequest request{.level = *enumFromName<PortLevel>(level_)};
    if (!span_.empty()) request.expiresAt = RealClock().now() + parseSpan(span_, "--for");
    const boost::json::object opened = context.client().setPort(workspace_, port, request);
    const std::string end = momentText(opened, "expiresAt");
    report(format("Port {} of {} opens {}{}.\n", port, workspace_, describe(level_), end.empty() ? "" : ", ends " + end));
    if (!printStructured(context, opened)) printLine(memberText(opened, "url"));
    return kDone;
  }

 private:
  std::string workspace_, level_, span_;
  std::optional<std::int64_t> port_;
};

}  // namespace

void addPorts(const AddVerb& add) {
  add({.name = "ports",
       .summary = "Show and set who may open a workspace's ports in a browser",
       .examples = {"swarm ports web1", "swarm ports web1 3000 --to shared", "swarm ports web1 3000 --to public --for 8h",
                    "swarm ports web1 3000 --to owner"},
       .notes = "Those who may open the workspace reach every port from inside in any case (terminal, swarm forward, ssh -L), and may set "
                "shared; signed-in and public are for its owner and administrators."},
      std::make_unique<Ports>());
}

}  // namespace swarm::cli

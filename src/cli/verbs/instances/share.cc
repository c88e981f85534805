// `swarm share`
#include <map>

#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

/// "editor, ends in 8 h"
std::string accessOf(const boost::json::value& share) {
  const std::string end = momentText(share, "expiresAt");
  return memberText(share, "access") + (end.empty() ? "" : ", ends " + end);
}

std::string textOf(const Grantee& grantee) { return (grantee.kind == GranteeKind::group ? "group " : "") + grantee.name; }

Grantee granteeOf(const boost::json::value& share) {
  const std::string group = memberText(share, "group");
  return group.empty() ? Grantee::ofUser(memberText(share, "user")) : Grantee::ofGroup(group);
}

int listShares(Context& context, const std::string& workspace) {
  const boost::json::array shares = context.client().listShares(workspace);
  if (shares.empty() && context.output() == OutputFormat::Table) {
    report(format("{} is not shared. Share it with: swarm share {} USER\n", workspace, workspace));
    return kDone;
  }
  std::vector<Listed> rows;
  for (const auto& share : shares) {
    const Grantee grantee = granteeOf(share);
    rows.push_back({grantee.name,
                    {textOf(grantee), memberText(share, "access"), momentText(share, "expiresAt"), memberText(share, "grantedBy"),
                     momentText(share, "createdAt")}});
  }
  printList(context, shares, {copied("WITH"), "ACCESS", "ENDS", extra("BY"), extra("SINCE")}, rows);
  return kDone;
}

class Share final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("workspace", workspace_, "Name or id").suggest(workspaceNames());
    arguments.word("users", users_, "Users to share it with; without users and --group, the shares are listed")
        .suggest(userNames())
        .optional();
    Argument& groups =
        arguments.option("--group", groups_, "Share it with the members of a group; repeat it for several").suggest(groupNames());
    Argument& access = arguments.option(
        "--as", access_, "viewer (default): see the workspace, its state and its log; editor: open VS Code, terminals, ports, too");
    access.oneOf(enumValues<ShareAccess>().words).sets("/access");
    Argument& span = arguments.option("--for", span_, "End the share after a time like 30m, 8h or 7d");
    span.sets("/expiresAt");
    Argument& end = arguments.flag("--end", ends_, "End the shares with these users and groups");
    end.excludes(access).excludes(span);
    arguments.option("--owner", owner_, "Give the workspace to this user, with its files and snapshots")
        .excludes(groups)
        .excludes(access)
        .excludes(span)
        .excludes(end)
        .sets("/owner");
    arguments.flag("-y,--yes", yes_, "Do not ask for confirmation of --owner");
  }

  int run(Context& context) override {
    if (!owner_.empty()) return handOver(context);
    const std::vector<Grantee> grantees = namedGrantees();
    if (grantees.empty()) {
      if (ends_ || !access_.empty() || !span_.empty())
        throw WrongUse("Name the users or groups: swarm share NAME USER, swarm share NAME --group GROUP.");
      return listShares(context, workspace_);
    }
    if (ends_) return end(context, grantees);
    ShareRequest request;
    if (!access_.empty()) request.access = *parseEnum<ShareAccess>(access_, "--as");
    if (!span_.empty()) request.expiresAt = RealClock().now() + parseSpan(span_, "--for");
    std::map<Grantee, std::string> former;  // the access of each
    for (const auto& share : context.client().listShares(workspace_)) former[granteeOf(share)] = memberText(share, "access");
    boost::json::array shares;
    for (const Grantee& grantee : grantees) {
      shares.push_back(context.client().share(workspace_, grantee, request));
      const auto before = former.find(grantee);
      const bool differs = before != former.end() && before->second != memberText(shares.back(), "access");
      report(format("{} is shared with {} as {}{}.\n", workspace_, textOf(grantee), differs ? before->second + " → " : "",
                    accessOf(shares.back())));
    }
    printStructured(context, shares.size() == 1 ? shares.front() : boost::json::value(shares));
    return kDone;
  }

 private:
  int handOver(Context& context) const {
    if (!users_.empty()) throw WrongUse("--owner takes no other users: swarm share NAME --owner USER.");
    SwarmClient& client = context.client();
    const std::string giver = requireInstance(context, workspace_).owner;
    const std::string whose = giver == client.authStatus().user ? "your" : giver + "'s";
    report(format("{} and its files will belong to {}; {} access to it ends.\n", workspace_, owner_, whose));
    if (!yes_ && !confirmed()) return kFailed;
    const boost::json::array shares = client.listShares(workspace_);
    const Instance instance = client.handOver(workspace_, owner_);
    const std::string& name = instance.config.name;
    if (!printStructured(context, toJson(instance))) report(format("{} belongs to {}.\n", name, instance.owner));
    for (const auto& share : shares) {
      const Grantee grantee = granteeOf(share);
      const bool is_group = grantee.kind == GranteeKind::group;
      if (!is_group && grantee.name == instance.owner) continue;
      report(format("It stays shared with {} ({}). {} can end that: swarm share {} {}{} --end\n", textOf(grantee), accessOf(share),
                    instance.owner, name, is_group ? "--group " : "", grantee.name));
    }
    if (networkPerOwner(context, instance.provider))
      report(format("Its container stays in {} network until an update replaces it: swarm update {} --refresh-image\n", whose, name));
    return kDone;
  }

  std::vector<Grantee> namedGrantees() const {
    std::vector<Grantee> grantees;
    for (const std::string& user : users_) grantees.push_back(Grantee::ofUser(user));
    for (const std::string& group : groups_) grantees.push_back(Grantee::ofGroup(group));
    return grantees;
  }

  int end(Context& context, const std::vector<Grantee>& grantees) const {
    for (const Grantee& grantee : grantees) {
      context.client().endShare(workspace_, grantee);
      report(format("{} is not shared with {} any more.\n", workspace_, textOf(grantee)));
    }
    return kDone;
  }

  std::string workspace_, access_, span_, owner_;
  std::vector<std::string> users_, groups_;
  bool ends_ = false;
  bool yes_ = false;
};

}  // namespace

void addShare(const AddVerb& add) {
  add({.name = "share",
       .summary = "Share a workspace with users and groups, or list its shares",
       .examples = {"swarm share web1", "swarm share web1 ada", "swarm share web1 ada ben --as editor --for 8h",
                    "swarm share web1 --group devs --as editor", "swarm share web1 ada --end", "swarm share web1 --owner ada"},
       .notes = "A user with whom a workspace is shared cannot share, start, stop, change or delete it."},
      std::make_unique<Share>());
}

}  // namespace swarm::cli

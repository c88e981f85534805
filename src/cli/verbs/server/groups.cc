// `swarm groups` and its parts
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

std::string membersText(const boost::json::value& group) {
  std::string text;
  for (const auto& member : group.at("members").as_array())
    text += (text.empty() ? "" : ", ") + std::string(std::string_view(member.as_string()));
  return text;
}

int listGroups(Context& context) {
  const boost::json::array groups = context.client().listGroups();
  std::vector<Listed> rows;
  for (const auto& group : groups) {
    const std::string name = memberText(group, "name");
    rows.push_back({name, {name, membersText(group), memberText(group, "managedBy"), momentText(group, "createdAt")}});
  }
  printList(context, groups, {copied("GROUP"), "MEMBERS", "MANAGED BY", extra("SINCE")}, rows);
  return kDone;
}

int createGroup(Context& context, const std::string& name) {
  const boost::json::object group = context.client().createGroup(name);
  if (!printStructured(context, group)) printLine(name);
  report(format("Add users to it with: swarm groups add {} USER\n", name));
  return kDone;
}

/// Adds or removes users.
class GroupsMembers final : public Verb {
 public:
  using Act = void (*)(Context& context, const std::string& group, const std::string& user);
  explicit GroupsMembers(Act act) : act_(act) {}

  void declare(Arguments& arguments) override {
    arguments.word("group", group_, "Group name").suggest(groupNames());
    arguments.word("users", users_, "User names").suggest(userNames());
  }

  int run(Context& context) override {
    for (const std::string& user : users_) act_(context, group_, user);
    return kDone;
  }

 private:
  Act act_;
  std::string group_;
  std::vector<std::string> users_;
};

void addMember(Context& context, const std::string& group, const std::string& user) {
  context.client().addGroupMember(group, user);
  report(format("{} is a member of {}.\n", user, group));
}

void removeMember(Context& context, const std::string& group, const std::string& user) {
  context.client().removeGroupMember(group, user);
  report(format("{} is not a member of {} any more.\n", user, group));
}

class GroupsDelete final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Group name").suggest(groupNames());
    arguments.flag("-y,--yes", yes_, "Do not ask");
  }

  int run(Context& context) override {
    if (!yes_) {
      report(format("{} is deleted, and what is shared with it is not shared with its members any more.\n", name_));
      if (!confirmed()) return kFailed;
    }
    context.client().deleteGroup(name_);
    report(format("{} was deleted.\n", name_));
    return kDone;
  }

 private:
  std::string name_;
  bool yes_ = false;
};

}  // namespace

void addGroups(const AddVerb& add) {
  addListVerb(add,
              {.name = "groups",
               .summary = "List groups of users with which workspaces are shared; create, delete, add, remove",
               .examples = {"swarm groups", "swarm groups create devs", "swarm share web1 --group devs"}},
              listGroups);
  add({.name = "groups create", .summary = "Create a group", .examples = {"swarm groups create devs"}},
      wordVerb({"name", "Group name", {}}, createGroup));
  add({.name = "groups add", .summary = "Add users to a group", .examples = {"swarm groups add devs ada ben"}},
      std::make_unique<GroupsMembers>(addMember));
  add({.name = "groups remove",
       .summary = "Remove users from a group; what only it gave them ends",
       .examples = {"swarm groups remove devs ben"}},
      std::make_unique<GroupsMembers>(removeMember));
  add({.name = "groups delete", .summary = "Delete a group and the shares with it", .examples = {"swarm groups delete devs"}},
      std::make_unique<GroupsDelete>());
}

}  // namespace swarm::cli

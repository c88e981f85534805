// `swarm users` and its parts
#include "cli/output/prompt.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

const std::vector<std::string> kRoleNames{"user", "operator", "auditor", "admin"};

std::string stateOf(const boost::json::value& user) {
  if (memberText(user, "disabled") == "true") return "disabled";
  if (!memberText(user, "invitedUntil").empty()) return format("invited (ends {})", momentText(user, "invitedUntil"));
  if (memberText(user, "kind") == "service") return "service";
  return memberText(user, "hasPassword") == "true" ? "active" : "without password";
}

int listUsers(Context& context) {
  const boost::json::array users = context.client().listUsers();
  std::vector<Listed> rows;
  for (const auto& user : users) {
    const std::string name = memberText(user, "name");
    rows.push_back({name, {name, memberText(user, "role"), stateOf(user), momentText(user, "createdAt")}});
  }
  printList(context, users, {copied("USER"), "ROLE", "STATE", extra("SINCE")}, rows);
  return kDone;
}

int invite(Context& context, const std::string& name) {
  const std::string url = context.client().inviteUser(name);
  if (!printStructured(context, boost::json::object{{"user", name}, {"url", url}})) printLine(url);
  report(format("Send the link to {}: it lets them set a password, once, within 72 hours.\n", name));
  return kDone;
}

class UsersCreate final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "User name; it is never changed").sets("/name");
    arguments.option("--role", role_, "user, operator, auditor or admin (default user)").oneOf(kRoleNames).sets("/role");
    Argument& password = arguments.flag("--password-stdin", from_stdin_, "Read a password from standard input instead of inviting the user")
                             .sets("/password");
    arguments.flag("--service", is_service_, "A service account: it cannot sign in, and has access tokens")
        .sets("/kind")
        .excludes(password);
  }

  int run(Context& context) override {
    CreateUserRequest request{.name = name_, .role = role_};
    if (is_service_) request.kind = UserKind::service;
    if (from_stdin_) request.password = readSecret("Password", from_stdin_).reveal();
    const boost::json::object user = context.client().createUser(request);
    report(format("{} was created ({}).\n", name_, role_));
    if (is_service_) report(format("Create an access token for it with: swarm tokens create NAME --owner {}\n", name_));
    if (!from_stdin_ && !is_service_) return invite(context, name_);
    if (!printStructured(context, user)) printLine(name_);
    return kDone;
  }

 private:
  std::string name_, role_ = "user";
  bool from_stdin_ = false, is_service_ = false;
};

class UsersRole final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "User name").suggest(userNames());
    arguments.word("role", role_, "user, operator, auditor or admin").oneOf(kRoleNames).sets("/role");
  }

  int run(Context& context) override {
    context.client().setUserRole(name_, role_);
    report(format("{} is {} {} now, and signs in again.\n", name_, role_ == "user" ? "a" : "an", role_));
    return kDone;
  }

 private:
  std::string name_, role_;
};

class UsersReset final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "User name").suggest(userNames());
    arguments.flag("--password-stdin", from_stdin_, "Read the new password from standard input");
  }

  int run(Context& context) override {
    context.client().setPassword(name_, readNewPassword(format("New password of {}", name_), from_stdin_));
    report(format("{} has a new password. They are signed out everywhere, and their access tokens and SSH keys are revoked.\n", name_));
    return kDone;
  }

 private:
  std::string name_;
  bool from_stdin_ = false;
};

class UsersDelete final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "User name").suggest(userNames());
    arguments.option("--hand-over-to", successor_, "User who gets their workspaces, snapshots, volumes and reserved names")
        .suggest(userNames())
        .sets("/handOverTo");
    arguments.flag("-y,--yes", yes_, "Do not ask");
  }

  int run(Context& context) override {
    if (!yes_) {
      report(format("{} will be deleted, and their sessions end. The name is not used again. {}\n", name_,
                    successor_.empty() ? "If they have workspaces or snapshots, name the user who gets them: --hand-over-to USER."
                                       : format("{} will get what belongs to them.", successor_)));
      if (!confirmed()) return kFailed;
    }
    context.client().deleteUser(name_, successor_);
    report(format("{} was deleted.\n", name_));
    return kDone;
  }

 private:
  std::string name_, successor_;
  bool yes_ = false;
};

void disable(Context& context, const std::string& name) {
  context.client().disableUser(name);
  report(format("{} is disabled, and signed out everywhere.\n", name));
  std::vector<std::string> running;
  for (const Instance& instance : context.client().listInstances({.status = InstanceStatus::running, .owner = name}))
    running.push_back(instance.config.name);
  if (!running.empty()) report(format("Their workspaces keep running. To stop them: swarm stop {}\n", joined(running, " ")));
}

void enable(Context& context, const std::string& name) {
  context.client().enableUser(name);
  report(format("{} is enabled.\n", name));
}

}  // namespace

void addUsers(const AddVerb& add) {
  addListVerb(add,
              {.name = "users",
               .summary = "List users; create, invite, role, disable, enable, reset, delete",
               .examples = {"swarm users", "swarm users create ben"}},
              listUsers);
  add({.name = "users create",
       .summary = "Create a user, and print a link with which they set their password",
       .examples = {"swarm users create ben", "swarm users create olaf --role operator", "swarm users create build-bot --service"}},
      std::make_unique<UsersCreate>());
  add({.name = "users invite",
       .summary = "Print another such link, also for a person who forgot their password",
       .examples = {"swarm users invite ben"}},
      wordVerb({"name", "User name", userNames()}, invite));
  add({.name = "users role", .summary = "Change a user's role; their sessions end", .examples = {"swarm users role ben auditor"}},
      std::make_unique<UsersRole>());
  add({.name = "users disable",
       .summary = "Keep users from signing in, and end their sessions, terminals and tunnels",
       .examples = {"swarm users disable ben"}},
      eachVerb({"names", "User names", userNames()}, disable));
  add({.name = "users enable", .summary = "Let disabled users sign in again", .examples = {"swarm users enable ben"}},
      eachVerb({"names", "User names", userNames()}, enable));
  add({.name = "users reset",
       .summary = "Set a user's password; their sessions, access tokens and SSH keys end",
       .examples = {"swarm users reset ben"}},
      std::make_unique<UsersReset>());
  add({.name = "users delete",
       .summary = "Delete a user, and hand over what belongs to them",
       .examples = {"swarm users delete ben --hand-over-to ada"}},
      std::make_unique<UsersDelete>());
}

}  // namespace swarm::cli

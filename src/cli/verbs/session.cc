// `swarm login`, `logout`, `whoami`, `git-identity`, `login-link`, `password`, `sessions` and `signing-keys` with their parts
#include <algorithm>
#include <filesystem>

#include "base/text/untrusted_text.h"
#include "cli/login/browser_login.h"
#include "cli/output/prompt.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

/// The user who signed in to this server last on this machine.
std::string lastUser(const Context& context) {
  const auto stored = readCredentials(credentialsPath());
  return stored && stored->url == context.url() && !stored->user.empty() ? stored->user : "admin";
}

class Login final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("url", url_, "Address of the server; the sign-in is confirmed in a browser, unless --user is given").optional();
    Argument& user = arguments.option("--user", user_,
                                      "User name, for a sign-in with a password (default: who signed in to this server last, or admin)");
    Argument& input = arguments.flag("--password-stdin", from_stdin_,
                                     "Read the password from standard input, and a code, if one is required, from the next line");
    arguments.flag("--code", by_code_, "Print a code to type into a browser on another machine").excludes(user).excludes(input);
  }

  int run(Context& context) override {
    if (!url_.empty()) context.useServer(url_);
    const bool has_password = !user_.empty() || from_stdin_ || (url_.empty() && !by_code_);
    const SwarmClient::Login login = has_password ? byPassword(context) : byBrowser(context);
    const std::string ca_file = context.caFile().empty() ? std::string() : std::filesystem::absolute(context.caFile()).string();
    writeCredentials(credentialsPath(), {context.url(), login.token, login.user, {}, ca_file});
    report(format("Signed in to {} as {} ({}).\n", context.url(), login.user, login.role));
    return kDone;
  }

 private:
  SwarmClient::Login byPassword(Context& context) const {
    SwarmClient& client = context.client();
    const std::string user = user_.empty() ? lastUser(context) : user_;
    const Secret password = readSecret(format("Password of {}", user), from_stdin_);
    try {
      return client.login(user, password);
    } catch (const Error& error) {
      if (std::ranges::find(error.fields(), "/code", &FieldError::pointer) == error.fields().end()) throw;
    }
    return client.login(user, password, readSecret("Code of your app, or a recovery code", from_stdin_).reveal());
  }

  SwarmClient::Login byBrowser(Context& context) const {
    SwarmClient& client = context.client();
    std::optional<SwarmClient::Login> login;
    if (!by_code_) login = loginByBrowser(client, context.url());
    return login ? std::move(*login) : loginByCode(client);
  }

  std::string url_;
  std::string user_;
  bool from_stdin_ = false;
  bool by_code_ = false;
};

int logOut(Context& context) {
  context.client().logout();
  removeCredentials(credentialsPath());
  report("Signed out.\n");
  return kDone;
}

int showUser(Context& context) {
  const SwarmClient::Login login = context.client().authStatus();
  const boost::json::object object{
      {"user", login.user}, {"role", login.role}, {"server", context.url()}, {"expiresAt", formatTime(login.expiresAt)}};
  if (printStructured(context, object)) return kDone;
  printLine(context.output() == OutputFormat::Name ? login.user : format("{} ({}) at {}", login.user, login.role, context.url()));
  return kDone;
}

class GitIdentityVerb final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    Argument& name = arguments.word("name", name_, "Author name; without it, the current identity is shown").optional();
    arguments.word("email", email_, "E-mail address").optional().sets("/email");
    arguments.flag("--clear", clear_, "Remove the identity").excludes(name);
  }

  int run(Context& context) override {
    if (!name_.empty() && email_.empty())
      throw WrongUse("Give a name and an e-mail address: swarm git-identity \"Ada Lovelace\" ada@example.com.");
    const bool changes = clear_ || !name_.empty();
    const GitIdentity git = changes ? context.client().setGitIdentity({name_, email_}) : context.client().gitIdentity();
    if (printStructured(context, toJson(git))) return kDone;
    print(git.name.empty() ? "No git identity is set. Set one with: swarm git-identity \"NAME\" EMAIL\n"
                           : format("{} <{}>\n", printable(git.name), printable(git.email)));
    if (changes && !clear_) report("New workspaces get it as ~/.gitconfig, unless they already have one.\n");
    return kDone;
  }

 private:
  std::string name_, email_;
  bool clear_ = false;
};

int printLoginLink(Context& context, const std::string& workspace) {
  const std::string url = context.client().createLoginLink(workspace);
  if (!printStructured(context, boost::json::object{{"url", url}})) printLine(url);
  return kDone;
}

int listSessions(Context& context) {
  const boost::json::array sessions = context.client().listSessions();
  std::vector<Listed> rows;
  for (const auto& session : sessions) {
    const std::string id = memberText(session, "id");
    rows.push_back({id,
                    {id, memberText(session, "user"), memberText(session, "kind"), momentText(session, "createdAt"),
                     momentText(session, "expiresAt"), memberText(session, "current") == "true" ? "this one" : ""}});
  }
  printList(context, sessions, {copied("SESSION"), "USER", "BY", extra("SINCE"), "ENDS", extra("")}, rows);
  return kDone;
}

class SessionsEnd final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    Argument& ids = arguments.word("ids", ids_, "Ids of sessions").optional().suggest({.command = "swarm sessions -o name"});
    arguments.flag("--all", all_, "All of your sessions, this one included").excludes(ids);
    arguments.option("--user", user_, "All sessions of this user").suggest(userNames()).excludes(ids);
  }

  int run(Context& context) override {
    if (ids_.empty() && !all_ && user_.empty()) throw WrongUse("Give the ids of sessions, --all, or --user NAME.");
    for (const std::string& id : ids_) {
      context.client().endSession(id);
      report(format("{} has ended.\n", id));
    }
    if (!ids_.empty()) return kDone;
    context.client().endSessions(user_.empty() ? "me" : user_);
    report(user_.empty() ? "You are signed out everywhere. Your access tokens remain valid: swarm tokens\n"
                         : format("{} is signed out everywhere. Their access tokens remain valid: swarm tokens\n", user_));
    return kDone;
  }

 private:
  std::vector<std::string> ids_;
  std::string user_;
  bool all_ = false;
};

class Password final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.flag("--password-stdin", from_stdin_, "Read the present and the new password from standard input, one line each");
  }

  int run(Context& context) override {
    Secret present = readSecret("Present password", from_stdin_);
    Secret chosen = readNewPassword("New password", from_stdin_);
    context.client().setPassword("me", std::move(chosen), std::move(present));
    report("The password is changed. Your other sessions have ended; your access tokens remain valid: swarm tokens\n");
    return kDone;
  }

 private:
  bool from_stdin_ = false;
};

int listSigningKeys(Context& context) {
  const boost::json::array keys = context.client().listSigningKeys();
  std::vector<Listed> rows;
  for (const auto& key : keys) {
    const std::string id = memberText(key, "id"), end = momentText(key, "expiresAt");
    rows.push_back({id, {id, momentText(key, "createdAt"), end.empty() ? "signs" : format("verifies (ends {})", end)}});
  }
  printList(context, keys, {copied("KEY"), extra("SINCE"), "USE"}, rows);
  return kDone;
}

int rotateSigningKey(Context& context) {
  const std::string id = context.client().rotateSigningKey();
  if (printStructured(context, boost::json::object{{"id", id}})) return kDone;
  printLine(context.output() == OutputFormat::Name ? id : format("{} signs API tokens from now on.", id));
  return kDone;
}

}  // namespace

void addSession(const AddVerb& add) {
  add({.name = "login",
       .summary = "Sign in and store the token for later commands",
       .examples = {"swarm login https://swarm.example.com", "swarm login https://swarm.example.com --code",
                    "swarm login https://swarm.example.com --user admin"}},
      std::make_unique<Login>());
  add({.name = "logout", .summary = "Revoke the token and remove it from this machine", .examples = {"swarm logout"}}, plainVerb(logOut));
  add({.name = "whoami", .summary = "Show the signed-in user", .examples = {"swarm whoami -o json"}}, plainVerb(showUser));
  add({.name = "git-identity",
       .summary = "Show or set the author of your commits in new workspaces",
       .examples = {"swarm git-identity \"Ada Lovelace\" ada@example.com"}},
      std::make_unique<GitIdentityVerb>());
  add({.name = "login-link",
       .summary = "Print a link that signs a browser in, once, within 10 minutes",
       .examples = {"swarm login-link dev"}},
      wordVerb(
          {.name = "name", .help = "Workspace to open (default: the list of workspaces)", .values = workspaceNames(), .optional = true},
          printLoginLink));
  addListVerb(add, {.name = "sessions", .summary = "List live sessions; end", .examples = {"swarm sessions", "swarm sessions end 1.abc"}},
              listSessions);
  add({.name = "sessions end",
       .summary = "End sessions: their tokens and cookies become invalid",
       .examples = {"swarm sessions end 1.abc", "swarm sessions end --all"}},
      std::make_unique<SessionsEnd>());
  addListVerb(add,
              {.name = "signing-keys",
               .summary = "List the keys of API tokens (administrators); rotate",
               .examples = {"swarm signing-keys", "swarm signing-keys rotate"}},
              listSigningKeys);
  add({.name = "signing-keys rotate",
       .summary = "Replace the key that signs API tokens; issued tokens remain valid",
       .examples = {"swarm signing-keys rotate"}},
      plainVerb(rotateSigningKey));
  add({.name = "password", .summary = "Change your password", .examples = {"swarm password"}}, std::make_unique<Password>());
}

}  // namespace swarm::cli

// login, logout, whoami, login-link, git-identity.
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/verbs/verbs.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

/// Reads a line from the terminal without showing it.
Secret askPassword(const std::string& user) {
  std::fputs(format("Password of {}: ", user).c_str(), stderr);
  termios before{};
  bool terminal = ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string line;
  std::getline(std::cin, line);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputs("\n", stderr);
  }
  return Secret(line);
}

}  // namespace

int login(Context& context, const LoginFlags& flags) {
  SwarmClient& client = context.client();
  Secret password;
  if (flags.passwordFromStdin || !::isatty(STDIN_FILENO)) {
    std::string line;
    std::getline(std::cin, line);
    password = Secret(line);
  } else {
    password = askPassword(flags.user);
  }
  SwarmClient::Login login = client.login(flags.user, password);
  writeCredentials(credentialsPath(), {context.url(), login.token, login.user});
  tell(format("Signed in to {} as {} ({}).\n", context.url(), login.user, login.role));
  return kDone;
}

int logout(Context& context) {
  context.client().logout();
  removeCredentials(credentialsPath());
  std::fputs("Signed out.\n", stderr);
  return kDone;
}

int gitIdentity(Context& context, const GitIdentityFlags& flags) {
  if (!flags.name.empty() && flags.email.empty())
    throw Error(ErrorCode::InvalidArgument, "Give a name and an e-mail address: swarm git-identity \"Ada Lovelace\" ada@example.com.");
  bool changes = flags.clear || !flags.name.empty();
  GitIdentity git = changes ? context.client().setGitIdentity({flags.name, flags.email}) : context.client().gitIdentity();
  if (printStructured(context, toJson(git))) return kDone;
  if (git.name.empty())
    print("No git identity is set. Set one with: swarm git-identity \"NAME\" EMAIL\n");
  else
    print(format("{} <{}>\n", printable(git.name), printable(git.email)));
  if (changes && !flags.clear) std::fputs("New workspaces get it as ~/.gitconfig; those that have one keep it.\n", stderr);
  return kDone;
}

int whoami(Context& context) {
  SwarmClient::Login login = context.client().authStatus();
  boost::json::object object{
      {"user", login.user}, {"role", login.role}, {"server", context.url()}, {"expiresAt", formatTime(login.expiresAt)}};
  if (printStructured(context, object)) return kDone;
  print(context.output() == OutputFormat::Name ? login.user + "\n" : format("{} ({}) at {}\n", login.user, login.role, context.url()));
  return kDone;
}

int loginLink(Context& context, const std::string& name) {
  const std::string url = context.client().createLoginLink(name);
  if (!printStructured(context, boost::json::object{{"url", url}})) print(url + "\n");
  return kDone;
}

}  // namespace swarm::cli

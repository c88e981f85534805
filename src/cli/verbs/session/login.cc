// `swarm login`
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

Secret readLine() {
  std::string line;
  std::getline(std::cin, line);
  return Secret(line);
}

/// Reads a line from the terminal without echo.
Secret promptForPassword(const std::string& user) {
  std::fputs(format("Password of {}: ", user).c_str(), stderr);
  termios before{};
  const bool terminal = ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  Secret password = readLine();
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputs("\n", stderr);
  }
  return password;
}

class Login final : public Verb {
 public:
  Login()
      : Verb({.name = "login",
              .summary = "Sign in and store the token for later commands",
              .examples = {"swarm login --url http://swarm.localhost:7420 --user admin"}}) {}

  void declare(Arguments& arguments) override {
    arguments.option("--user", user_, "User name (default admin)");
    arguments.flag("--password-stdin", from_stdin_, "Read the password from standard input");
  }

  int run(Context& context) override {
    SwarmClient& client = context.client();
    const bool prompts = !from_stdin_ && ::isatty(STDIN_FILENO);
    const SwarmClient::Login login = client.login(user_, prompts ? promptForPassword(user_) : readLine());
    writeCredentials(credentialsPath(), {context.url(), login.token, login.user});
    report(format("Signed in to {} as {} ({}).\n", context.url(), login.user, login.role));
    return kDone;
  }

 private:
  std::string user_ = "admin";
  bool from_stdin_ = false;
};

}  // namespace

VerbPtr makeLogin() { return std::make_unique<Login>(); }

}  // namespace swarm::cli

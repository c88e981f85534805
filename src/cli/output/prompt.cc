#include "cli/output/prompt.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::cli {
namespace {

Secret readLine() {
  std::string line;
  std::getline(std::cin, line);
  return Secret(line);
}

}  // namespace

Secret readSecret(const std::string& what, bool from_stdin) {
  if (from_stdin || !::isatty(STDIN_FILENO)) return readLine();
  std::fputs(format("{}: ", what).c_str(), stderr);
  termios before{};
  const bool terminal = ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  Secret secret = readLine();
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputs("\n", stderr);
  }
  return secret;
}

Secret readNewPassword(const std::string& what, bool from_stdin) {
  Secret first = readSecret(what, from_stdin);
  if (from_stdin || !::isatty(STDIN_FILENO)) return first;
  if (readSecret("The same again", from_stdin).reveal() != first.reveal())
    throw Error(ErrorCode::InvalidArgument, "The two passwords differ.");
  return first;
}

}  // namespace swarm::cli

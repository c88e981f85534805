// `swarm exec`
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/verbs/flags.h"
#include "cli/verbs/inside/terminal.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

constexpr int kNotStarted = 127;  // as shells report a command that cannot be started

class Exec final : public Verb {
 public:
  Exec()
      : Verb({.name = "exec",
              .summary = "Run a command inside; stdin, stdout, stderr and the exit code are passed through",
              .examples = {"swarm exec web1 -- git status"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id").suggest(workspaceNames());
    arguments.option("--user", user_, "User inside (default coder)");
    arguments.option("--cwd", cwd_, "Working directory (default: home)");
    arguments.option("-e,--env", env_, "KEY=VALUE; may be repeated");
    arguments.flag("-t,--tty", tty_, "Allocate a terminal");
    arguments.flag("-T,--no-tty", no_tty_, "Do not allocate a terminal");
    arguments.command(command_, Arguments::Dashes::Optional);
  }

  int run(Context& context) override {
    const ExecOptions options = optionsOf();
    ::signal(SIGPIPE, SIG_IGN);
    auto session = context.client().openExec(name_, options);
    RawTerminal raw(options.tty && ::isatty(STDIN_FILENO));
    InputThread input(*session, options.tty);
    for (;;) {
      ExecSession::Output output;
      try {
        output = session->read();
      } catch (const Error& error) {
        if (error.code() != ErrorCode::Unprocessable) throw;
        printError(context, error);
        return kNotStarted;
      }
      if (output.kind == ExecSession::Kind::Exit) return output.exitCode;
      writeAll(output.kind == ExecSession::Kind::Stdout ? STDOUT_FILENO : STDERR_FILENO, output.data);
    }
  }

 private:
  ExecOptions optionsOf() const {
    ExecOptions options;
    options.command = command_;
    options.user = user_;
    options.cwd = cwd_;
    for (const std::string& text : env_) options.env.insert(parseKeyValue(text, "--env"));
    const bool interactive = ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO);
    if (options.command.empty()) {
      if (!interactive && !tty_) throw WrongUse("The command to run is missing. Use: swarm exec NAME -- COMMAND [ARGUMENTS …]");
      options.command = {"bash", "-l"};
    }
    options.tty = tty_ || (interactive && !no_tty_);
    if (winsize size{}; options.tty && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      options.columns = size.ws_col;
      options.rows = size.ws_row;
    }
    if (const char* terminal = std::getenv("TERM"); options.tty && terminal) options.env.emplace("TERM", terminal);
    return options;
  }

  std::string name_, user_, cwd_;
  std::vector<std::string> env_, command_;
  bool tty_ = false;
  bool no_tty_ = false;
};

}  // namespace

VerbPtr makeExec() { return std::make_unique<Exec>(); }

}  // namespace swarm::cli

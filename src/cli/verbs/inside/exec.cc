// `swarm exec`
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

constexpr int kSizePoll = 250;    // milliseconds
constexpr int kNotStarted = 127;  // as shells report a command that cannot be started

/// Puts the terminal into raw mode until destroyed.
class RawTerminal {
 public:
  explicit RawTerminal(bool enabled) : enabled_(enabled && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!enabled_) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  ~RawTerminal() {
    if (enabled_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool enabled_;
};

/// Passes stdin and window sizes to the session on a thread of its own, until destroyed. Polls both, so that no signal handler is needed.
class InputThread {
 public:
  InputThread(ExecSession& session, bool tty) : session_(session), tty_(tty) {
    if (::pipe2(wake_, O_CLOEXEC) != 0) throw Error(ErrorCode::Internal, "A pipe could not be created.");
    if (tty_) {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGWINCH);
      pthread_sigmask(SIG_BLOCK, &set, nullptr);
    }
    thread_ = std::thread([this] { run(); });
  }
  ~InputThread() {
    [[maybe_unused]] ssize_t written = ::write(wake_[1], "x", 1);
    thread_.join();
    ::close(wake_[0]);
    ::close(wake_[1]);
  }
  InputThread(const InputThread&) = delete;
  InputThread& operator=(const InputThread&) = delete;

 private:
  void sendSize() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || (size.ws_col == columns_ && size.ws_row == rows_)) return;
    columns_ = size.ws_col;
    rows_ = size.ws_row;
    session_.resize(columns_, rows_);
  }

  void run() {
    try {
      std::string buffer(32 * 1024, '\0');
      bool open = true;
      for (;;) {
        pollfd files[2] = {{wake_[0], POLLIN, 0}, {open ? STDIN_FILENO : -1, POLLIN, 0}};
        int ready = ::poll(files, 2, tty_ ? kSizePoll : -1);
        if (files[0].revents) return;
        if (tty_) sendSize();
        if (ready <= 0 || !files[1].revents) continue;
        ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count > 0) {
          session_.write(buffer.substr(0, static_cast<std::size_t>(count)));
        } else if (count == 0 || errno != EINTR) {
          session_.closeStdin();
          open = false;
        }
      }
    } catch (const std::exception&) {
      // The reading thread receives the same failure and reports it.
    }
  }

  ExecSession& session_;
  bool tty_;
  int wake_[2] = {-1, -1};
  int columns_ = 0, rows_ = 0;
  std::thread thread_;
};

class Exec final : public Verb {
 public:
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
    announceEntry(context, name_);
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

void addExec(const AddVerb& add) {
  add({.name = "exec",
       .summary = "Run a command inside; stdin, stdout, stderr and the exit code are passed through",
       .examples = {"swarm exec web1 -- git status"}},
      std::make_unique<Exec>());
}

}  // namespace swarm::cli

// open, exec, logs, forward, usage: what happens with and inside one instance.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/text/format.h"
#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/output/quantities.h"
#include "cli/output/terminal_text.h"
#include "cli/verbs/verbs.h"
#include "cli/wrong_use.h"
#include "model/codec/codec.h"

extern char** environ;

namespace swarm::cli {
namespace {

Instance requireInstance(Context& context, const std::string& name) {
  auto instance = context.client().getInstance(name);
  if (!instance) throw Error(ErrorCode::NotFound, format("There is no workspace \"{}\". `swarm list` shows yours.", name));
  return *instance;
}

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

/// Feeds stdin and window sizes to the session on a thread of its own, until stop().
class InputThread {
 public:
  InputThread(ExecSession& session, bool tty) : session_(session), tty_(tty) {
    if (::pipe2(wake_, O_CLOEXEC) != 0) throw Error(ErrorCode::Internal, "No pipe could be made.");
    if (tty_) block();
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
  static void block() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }

  void sendSize() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && (size.ws_col != columns_ || size.ws_row != rows_)) {
      columns_ = size.ws_col;
      rows_ = size.ws_row;
      session_.resize(columns_, rows_);
    }
  }

  void run() {
    try {
      std::string buffer(32 * 1024, '\0');
      bool open = true;
      for (;;) {
        pollfd files[2] = {{wake_[0], POLLIN, 0}, {open ? STDIN_FILENO : -1, POLLIN, 0}};
        // On a terminal the size is looked at a few times a second, so that no signal handler is needed.
        int ready = ::poll(files, 2, tty_ ? 250 : -1);
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
      // The reader sees the cut connection and tells.
    }
  }

  ExecSession& session_;
  bool tty_;
  int wake_[2] = {-1, -1};
  int columns_ = 0, rows_ = 0;
  std::thread thread_;
};

void writeAll(int file, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw Error(ErrorCode::Cancelled, "The output was closed.");
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// Starts the desktop's browser; false where there is none.
bool startBrowser(const std::string& url) {
  if (!std::getenv("DISPLAY") && !std::getenv("WAYLAND_DISPLAY")) return false;
  std::string program = "xdg-open", argument = url;
  char* arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  if (::posix_spawnp(&child, "xdg-open", nullptr, nullptr, arguments, environ) != 0) return false;
  int exit_status = 0;
  ::waitpid(child, &exit_status, 0);
  return WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0;
}

}  // namespace

int open(Context& context, const OpenFlags& flags) {
  Instance instance = requireInstance(context, flags.name);
  if (instance.status != InstanceStatus::running) {
    tell(format("{} is {}. Start it with `swarm start {}`; an open page then continues.\n", instance.config.name, enumName(instance.status),
                instance.config.name));
  }
  const std::string url = flags.signIn ? context.client().createLoginLink(instance.config.name) : instance.url;
  if (flags.printOnly || !startBrowser(url)) print(url + "\n");
  return kDone;
}

int exec(Context& context, const ExecFlags& flags) {
  ExecOptions options;
  options.command = flags.command;
  options.user = flags.user;
  options.cwd = flags.cwd;
  for (const std::string& text : flags.env) options.env.insert(parseKeyValue(text, "--env"));
  bool interactive = ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO);
  if (options.command.empty()) {
    if (!interactive && !flags.tty) throw WrongUse("The command to run is missing. Use: swarm exec NAME -- COMMAND [ARGUMENTS …]");
    options.command = {"bash", "-l"};
  }
  options.tty = flags.tty || (interactive && !flags.noTty);
  if (winsize size{}; options.tty && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    options.columns = size.ws_col;
    options.rows = size.ws_row;
  }
  if (const char* terminal = std::getenv("TERM"); options.tty && terminal) options.env.emplace("TERM", terminal);

  ::signal(SIGPIPE, SIG_IGN);
  auto session = context.client().openExec(flags.name, options);
  RawTerminal raw(options.tty && ::isatty(STDIN_FILENO));
  InputThread input(*session, options.tty);
  for (;;) {
    ExecSession::Output output;
    try {
      output = session->read();
    } catch (const Error& error) {
      // As shells have it: the command itself could not be started.
      if (error.code() != ErrorCode::Unprocessable) throw;
      printError(error);
      return 127;
    }
    if (output.kind == ExecSession::Kind::Exit) return output.exitCode;
    writeAll(output.kind == ExecSession::Kind::Stdout ? STDOUT_FILENO : STDERR_FILENO, output.data);
  }
}

int logs(Context& context, const LogFlags& flags) {
  ::signal(SIGPIPE, SIG_IGN);
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  LogFilter filter;  // what a workspace prints must not give orders to the terminal of whoever reads it
  context.client().readLogs(flags.name, {flags.follow, flags.tail, sinceTime(flags.since, RealClock().now())}, [&](std::string_view piece) {
    if (terminal)
      writeAll(STDOUT_FILENO, filter.feed(piece));
    else
      writeAll(STDOUT_FILENO, piece);
    return true;
  });
  writeAll(STDOUT_FILENO, filter.finish());
  return kDone;
}

int forward(Context& context, const std::string& name, const std::vector<std::string>& ports) {
  std::vector<std::unique_ptr<Forward>> forwards;
  for (const std::string& text : ports) {
    auto number = [&](std::string_view part) {
      std::uint16_t port = 0;
      auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), port);
      if (failure != std::errc() || end != part.data() + part.size() || port == 0) {
        throw WrongUse(format("\"{}\" is not a port; expected PORT or LOCAL:REMOTE, like 8080:3000.", text));
      }
      return port;
    };
    auto colon = text.find(':');
    std::uint16_t local = number(std::string_view(text).substr(0, colon));
    std::uint16_t remote = colon == std::string::npos ? local : number(std::string_view(text).substr(colon + 1));
    requireInstance(context, name);
    forwards.push_back(context.client().forward(name, remote, "127.0.0.1", local));
    tell(format("http://127.0.0.1:{} → port {} of {}\n", forwards.back()->localPort(), remote, name));
  }
  std::fputs("Ctrl-C ends it.\n", stderr);
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  int received = 0;
  sigwait(&set, &received);
  return kDone;
}

int usage(Context& context, const std::string& name) {
  ResourceUsage usage = context.client().getResourceUsage(name);
  if (printStructured(context, toJson(usage))) return kDone;
  Table table({"CPU", "CPU LIMIT", "MEMORY", "MEMORY LIMIT", "STORAGE", "STORAGE LIMIT"});
  table.add({format("{:.1f} %", usage.cpu.usage), format("{} m", usage.cpu.limit), format("{:.0f} MiB", usage.memory.usage),
             format("{:.0f} MiB", usage.memory.limit), format("{:.2f} GiB", usage.storage.usage),
             format("{:.0f} GiB", usage.storage.limit)});
  print(table.render(context.columns(), context.colour()));
  return kDone;
}

}  // namespace swarm::cli

// Polls stdin and the window size, so that no signal handler is needed.
#include "cli/verbs/inside/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace swarm::cli {
namespace {

constexpr int kSizePoll = 250;  // milliseconds

void blockWindowSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGWINCH);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

RawTerminal::RawTerminal(bool enabled) : enabled_(enabled && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
  if (!enabled_) return;
  termios raw = before_;
  ::cfmakeraw(&raw);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

RawTerminal::~RawTerminal() {
  if (enabled_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

InputThread::InputThread(ExecSession& session, bool tty) : session_(session), tty_(tty) {
  if (::pipe2(wake_, O_CLOEXEC) != 0) throw Error(ErrorCode::Internal, "A pipe could not be created.");
  if (tty_) blockWindowSignal();
  thread_ = std::thread([this] { run(); });
}

InputThread::~InputThread() {
  [[maybe_unused]] ssize_t written = ::write(wake_[1], "x", 1);
  thread_.join();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void InputThread::sendSize() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || (size.ws_col == columns_ && size.ws_row == rows_)) return;
  columns_ = size.ws_col;
  rows_ = size.ws_row;
  session_.resize(columns_, rows_);
}

void InputThread::run() {
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

void writeAll(int file, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw Error(ErrorCode::Cancelled, "The output was closed.");
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace swarm::cli

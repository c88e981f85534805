// The terminal of an interactive command: raw mode, input and window sizes.
#pragma once

#include <termios.h>

#include <string_view>
#include <thread>

#include "swarm/client.h"

namespace swarm::cli {

/// Puts the terminal into raw mode until destroyed.
class RawTerminal {
 public:
  explicit RawTerminal(bool enabled);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool enabled_;
};

/// Passes stdin and window sizes to the session on a thread of its own, until destroyed.
class InputThread {
 public:
  InputThread(ExecSession& session, bool tty);
  ~InputThread();
  InputThread(const InputThread&) = delete;
  InputThread& operator=(const InputThread&) = delete;

 private:
  void sendSize();
  void run();

  ExecSession& session_;
  bool tty_;
  int wake_[2] = {-1, -1};
  int columns_ = 0, rows_ = 0;
  std::thread thread_;
};

/// Throws Error(Cancelled) when the reader is gone.
void writeAll(int file, std::string_view text);

}  // namespace swarm::cli

// Detects the end of a command's output: at end of file or, once the command has exited, when a silence shows that only a background
// process still holds the pipe.
#pragma once

#include "agent/exec/exec_process.h"

namespace swarm::agent {

class OutputDrain {
 public:
  explicit OutputDrain(ExecProcess& process) : process_(process), silence_(process.output.get_executor()) {}
  /// As async_read_some; empty at the end. For any number of outputs.
  awaitable<std::size_t> read(asio::posix::stream_descriptor& output, asio::mutable_buffer buffer);
  /// Runs until the command has exited and its outputs are silent or ended; closes them.
  awaitable<void> closeWhenDone();
  void outputEnded() {
    ++ended_;
    silence_.cancel();
  }

 private:
  ExecProcess& process_;
  asio::steady_timer silence_;
  int waiting_ = 0;  // reads that currently wait for bytes
  int ended_ = 0;    // outputs that have ended
  std::uint64_t reads_ = 0;
};

}  // namespace swarm::agent

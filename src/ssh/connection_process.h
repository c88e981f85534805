// The process of one SSH connection: the program swarm-ssh, which parses what strangers send.
#pragma once

#include <sys/types.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <filesystem>

#include "async/awaitable.h"
#include "base/files/descriptor.h"
#include "base/secret.h"
#include "ssh/control/control.h"

namespace swarm::ssh {

/// On one loop. Its destructor ends the process.
class ConnectionProcess {
 public:
  /// Starts it with copies of the connection and of the control socket, and with nothing else of this process: no files, no log, no
  /// environment. Throws Error(Unavailable).
  ConnectionProcess(async::Executor executor, const std::filesystem::path& program, int connection, const Secret& host_key);
  ~ConnectionProcess();
  ConnectionProcess(const ConnectionProcess&) = delete;
  ConnectionProcess& operator=(const ConnectionProcess&) = delete;

  /// Waits until the process has read enough of what was sent before; returns when it has ended, too.
  async::awaitable<void> send(Message message, int attached = -1);
  /// False: it has ended, or what it sent is not a message.
  async::awaitable<bool> receive(Message& message);
  void end();

 private:
  boost::asio::posix::stream_descriptor control_;
  pid_t pid_ = -1;
};

}  // namespace swarm::ssh

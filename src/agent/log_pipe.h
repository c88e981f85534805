// Carries a child's output into the container's log, line by line, each with the name of the child.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <string>

#include "agent/descriptor.h"
#include "net/loop.h"

namespace swarm::agent {

namespace asio = boost::asio;

/// Cuts a byte stream into prefixed lines. A line longer than 8 KiB is broken.
class LinePrefixer {
 public:
  explicit LinePrefixer(std::string name) : prefix_("[" + std::move(name) + "] ") {}
  std::string feed(std::string_view bytes);          ///< the lines that are complete now
  std::string finish();                              ///< what is left, as a line
  const std::string& last() const { return last_; }  ///< line that was not empty, without the name

 private:
  std::string prefix_;
  std::string partial_;
  std::string last_;
};

/// Copies `source` to descriptor `target` until its end; `last` always has the last line that was not empty. A log that nobody reads holds
/// the child back, never the agent.
net::awaitable<void> forwardLines(net::Executor executor, Descriptor source, std::string name, int target, std::string* last);

}  // namespace swarm::agent

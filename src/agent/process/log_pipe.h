// Copies a child's output into the container's log line by line, each prefixed with the child's name.
#pragma once

#include <string>

#include "async/awaitable.h"
#include "base/files/descriptor.h"

namespace swarm::agent {

namespace asio = boost::asio;

/// Splits a byte stream into prefixed lines. Lines longer than 8 KiB are broken.
class LinePrefixer {
 public:
  explicit LinePrefixer(std::string name) : prefix_("[" + std::move(name) + "] ") {}
  std::string feed(std::string_view bytes);          ///< the lines completed by `bytes`
  std::string finish();                              ///< the rest, as a line
  const std::string& last() const { return last_; }  ///< the last line that was not empty, without the prefix

 private:
  std::string prefix_;
  std::string partial_;
  std::string last_;
};

/// Copies `source` to descriptor `target` until its end; keeps the last non-empty line in `last`. If the log's reader stalls, the child
/// blocks, but never the agent.
async::awaitable<void> forwardLines(async::Executor executor, Descriptor source, std::string name, int target, std::string* last);

}  // namespace swarm::agent

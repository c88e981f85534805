// A message for users who press Ctrl-C while a verb waits for an operation that continues at the server.
#pragma once

#include <signal.h>

#include <string>

namespace swarm::cli {

/// During its lifetime, SIGINT prints `text` on stderr and then ends the process, as the signal does by default. At most one exists.
class InterruptNotice {
 public:
  explicit InterruptNotice(std::string text);
  ~InterruptNotice();
  InterruptNotice(const InterruptNotice&) = delete;
  InterruptNotice& operator=(const InterruptNotice&) = delete;

 private:
  std::string text_;
  struct sigaction before_{};
};

}  // namespace swarm::cli

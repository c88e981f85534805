// What a person reads who presses Ctrl-C while a verb waits for something that the server goes on with.
#pragma once

#include <signal.h>

#include <string>

namespace swarm::cli {

/// While it lives, SIGINT prints `text` on stderr and then ends the process, as the signal does without it. One at a time.
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

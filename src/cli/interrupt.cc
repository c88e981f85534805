// The signal handler and its text.
#include "cli/interrupt.h"

#include <unistd.h>

#include <atomic>

namespace swarm::cli {
namespace {

std::atomic<const std::string*> current_text{nullptr};
static_assert(std::atomic<const std::string*>::is_always_lock_free);

/// Calls only functions that are safe in signal handlers. SA_RESETHAND restored the default, so the second signal ends the process.
void onInterrupt(int number) {
  if (const std::string* text = current_text.load()) {
    if (::write(STDERR_FILENO, text->data(), text->size()) < 0) {
      // stderr was closed
    }
  }
  ::raise(number);
}

}  // namespace

InterruptNotice::InterruptNotice(std::string text) : text_(std::move(text)) {
  current_text = &text_;
  struct sigaction action{};
  action.sa_handler = onInterrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, &before_);
  if (before_.sa_handler == SIG_IGN) ::sigaction(SIGINT, &before_, nullptr);  // a background job continues to ignore it
}

InterruptNotice::~InterruptNotice() {
  ::sigaction(SIGINT, &before_, nullptr);
  current_text = nullptr;
}

}  // namespace swarm::cli

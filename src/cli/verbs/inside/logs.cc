// `swarm logs`
#include <signal.h>
#include <unistd.h>

#include "cli/output/quantities.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

class Logs final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id").suggest(workspaceNames());
    arguments.flag("-f,--follow", follow_, "Wait for more");
    arguments.option("--tail", tail_, "Only show this many of the last lines");
    arguments.option("--since", since_, "Only show newer lines: an age like 5m, 2h or 1d, or a time (RFC 3339)");
  }

  int run(Context& context) override {
    ::signal(SIGPIPE, SIG_IGN);
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    bool is_empty = true;
    LogFilter filter;  // the output of a workspace must not control the terminal of its reader
    context.client().readLogs(name_, {follow_, tail_, sinceTime(since_, RealClock().now())}, [&](std::string_view piece) {
      is_empty = is_empty && piece.empty();
      if (terminal)
        writeAll(STDOUT_FILENO, filter.feed(piece));
      else
        writeAll(STDOUT_FILENO, piece);
      return true;
    });
    writeAll(STDOUT_FILENO, filter.finish());
    if (is_empty)
      report(format("{0} has printed nothing{1}. `swarm show {0}` has its state.\n", name_, since_.empty() ? "" : " since then"));
    return kDone;
  }

 private:
  std::string name_, since_;
  bool follow_ = false;
  std::optional<int> tail_;
};

}  // namespace

void addLogs(const AddVerb& add) {
  add({.name = "logs", .summary = "Show the output of a workspace", .examples = {"swarm logs web1 --since 5m --follow"}},
      std::make_unique<Logs>());
}

}  // namespace swarm::cli

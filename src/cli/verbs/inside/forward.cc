// `swarm forward`
#include <signal.h>

#include "base/text/number.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

struct PortPair {
  std::uint16_t local = 0, remote = 0;
};

/// "PORT" or "LOCAL:REMOTE". Throws WrongUse.
PortPair parsePorts(const std::string& text) {
  const auto number = [&](std::string_view part) {
    const auto port = parseNumber<std::uint16_t>(part);
    if (port.value_or(0) == 0) throw WrongUse(format("\"{}\" is not a port; expected PORT or LOCAL:REMOTE, like 8080:3000.", text));
    return *port;
  };
  const auto colon = text.find(':');
  const std::uint16_t local = number(std::string_view(text).substr(0, colon));
  return {local, colon == std::string::npos ? local : number(std::string_view(text).substr(colon + 1))};
}

void waitForSignal() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  int received = 0;
  sigwait(&set, &received);
}

class ForwardVerb final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id").suggest(workspaceNames());
    arguments.word("ports", ports_, "PORT or LOCAL:REMOTE; may be repeated");
  }

  int run(Context& context) override {
    std::vector<PortPair> pairs;
    for (const std::string& text : ports_) pairs.push_back(parsePorts(text));
    requireStarted(requireInstance(context, name_));
    announceEntry(context, name_);
    std::vector<std::unique_ptr<Forward>> forwards;
    for (const PortPair& ports : pairs) {
      forwards.push_back(context.client().forward(name_, ports.remote, "127.0.0.1", ports.local));
      report(format("http://127.0.0.1:{} → port {} of {}\n", forwards.back()->localPort(), ports.remote, name_));
    }
    report("Press Ctrl-C to stop.\n");
    waitForSignal();
    return kDone;
  }

 private:
  std::string name_;
  std::vector<std::string> ports_;
};

}  // namespace

void addForward(const AddVerb& add) {
  add({.name = "forward", .summary = "Make ports inside reachable on this machine", .examples = {"swarm forward web1 8080:3000"}},
      std::make_unique<ForwardVerb>());
}

}  // namespace swarm::cli

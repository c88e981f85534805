// What start, stop and restart share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/verbs/flags.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {

/// A verb that begins one operation for each of several workspaces, and then waits for all of them.
class LifecycleVerb : public Verb {
 public:
  using Verb::Verb;
  void declare(Arguments& arguments) override;
  int run(Context& context) override;

 private:
  virtual StartedOperation begin(SwarmClient& client, const std::string& name) = 0;

  std::vector<std::string> names_;
  WaitFlags wait_;
};

}  // namespace swarm::cli

// Verb: one verb of `swarm`, or a part of one ("snapshot create"): its arguments, its help, and what it does. Each is below cli/verbs/, a
// verb and its parts in one file, listed in table.h. A verb prints its result on stdout and its progress on stderr, and throws Error.
// Includes what nearly every verb uses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/text/format.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/context.h"
#include "cli/output/output.h"

namespace swarm::cli {

class Verb {
 public:
  enum class Kind {
    Server,  ///< calls the server, and takes --url, --ca and --output
    Local,   ///< does not
    Group,   ///< only has parts
  };
  struct About {
    std::string name;     ///< "stop", or "snapshot create", which is listed after "snapshot"
    std::string summary;  ///< imperative
    std::vector<std::string> examples = {};
    std::string notes = {};
    std::vector<std::string> aliases = {};
    Kind kind = Kind::Server;
  };

  explicit Verb(About about) : about_(std::move(about)) {}
  virtual ~Verb() = default;
  Verb(const Verb&) = delete;
  Verb& operator=(const Verb&) = delete;

  const About& about() const { return about_; }
  /// Binds the arguments to members of the verb.
  virtual void declare(Arguments&) {}
  /// Returns the exit code.
  virtual int run(Context& context) = 0;

 private:
  About about_;
};
using VerbPtr = std::unique_ptr<Verb>;

}  // namespace swarm::cli

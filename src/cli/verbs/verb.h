// Verb: one verb of `swarm`, or a part of one ("snapshot create"): its arguments, its help, and what it does. Each is below cli/verbs/, a
// verb and its parts in one file, and listed at the end. A verb prints its result on stdout and its progress on stderr, and throws Error.
// Includes what nearly every verb uses.
#pragma once

#include <functional>
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
    Server,  ///< calls the server, and takes --url, --ca-file and --output
    Local,   ///< does not
  };
  struct About {
    std::string name;     ///< "stop", or "snapshot create", which is listed after "snapshot"
    std::string summary;  ///< imperative
    std::vector<std::string> examples = {};
    std::string notes = {};
    std::vector<std::string> aliases = {};
    Kind kind = Kind::Server;
  };

  Verb() = default;
  virtual ~Verb() = default;
  Verb(const Verb&) = delete;
  Verb& operator=(const Verb&) = delete;

  /// Binds the arguments to members of the verb.
  virtual void declare(Arguments&) {}
  /// Returns the exit code.
  virtual int run(Context& context) = 0;
};
using VerbPtr = std::unique_ptr<Verb>;
/// Adds a verb to the command line. Null: a group, which only has parts.
using AddVerb = std::function<void(const Verb::About&, VerbPtr)>;

/// The only argument of a verb: a word, or several.
struct Word {
  std::string name, help;
  Values values;
  bool optional = false;
};
/// A verb without arguments.
VerbPtr plainVerb(std::function<int(Context&)> run);
VerbPtr wordVerb(Word word, std::function<int(Context&, const std::string& word)> run);
/// A verb that does `act` for each word.
VerbPtr eachVerb(Word words, std::function<void(Context&, const std::string& word)> act);
/// Adds a plainVerb() that lists, and the same as its part "list".
void addListVerb(const AddVerb& add, const Verb::About& about, const std::function<int(Context&)>& list);
/// An eachVerb() that deletes files: it requires a confirmation, or --yes.
VerbPtr deletionVerb(Word words, std::function<void(Context&, const std::string& word)> act);

/// Every verb, in the order of `swarm --help`: add<Name>() is defined in the file of these verbs. A new verb is one class or function, and
/// one line here unless it is a part.
#define SWARM_VERBS(VERBS) \
  VERBS(Create)            \
  VERBS(List)              \
  VERBS(Show)              \
  VERBS(Lifecycle)         \
  VERBS(Update)            \
  VERBS(Delete)            \
  VERBS(Open)              \
  VERBS(Exec)              \
  VERBS(Ssh)               \
  VERBS(ConfigSsh)         \
  VERBS(Logs)              \
  VERBS(Forward)           \
  VERBS(Usage)             \
  VERBS(Migrate)           \
  VERBS(Share)             \
  VERBS(Ports)             \
  VERBS(Snapshot)          \
  VERBS(Archive)           \
  VERBS(Kept)              \
  VERBS(Operations)        \
  VERBS(Providers)         \
  VERBS(Audit)             \
  VERBS(Serve)             \
  VERBS(Doctor)            \
  VERBS(Session)           \
  VERBS(SecondFactor)      \
  VERBS(Users)             \
  VERBS(Groups)            \
  VERBS(Quota)             \
  VERBS(Tokens)            \
  VERBS(Keys)              \
  VERBS(Api)               \
  VERBS(Program)

#define SWARM_DECLARE(Name) void add##Name(const AddVerb& add);
SWARM_VERBS(SWARM_DECLARE)
#undef SWARM_DECLARE

#define SWARM_LIST(Name) add##Name,
inline constexpr void (*kVerbs[])(const AddVerb& add) = {SWARM_VERBS(SWARM_LIST)};
#undef SWARM_LIST

}  // namespace swarm::cli

// `swarm import`
#include "cli/output/quantities.h"
#include "cli/verbs/archive/archive_file.h"
#include "cli/verbs/instances/create_flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Import final : public Verb {
 public:
  Import()
      : Verb({.name = "import",
              .summary = "Create a workspace from an archive of `swarm export`",
              .examples = {"swarm import web1.tar.zst --name web2", "swarm import web1.tar.zst --name web2 --provider flyio --region ams",
                           "swarm export web1 | swarm import - --name web2"},
              .notes = "The workspace needs a storage for each one in the archive (--volume). After a failure, the command reports what is "
                       "left, and how to remove it."}) {}

  void declare(Arguments& arguments) override {
    arguments.word("file", file_, "The archive; - for standard input").suggest(fileNames());
    arguments.option("--name", create_.name, "Name: a DNS label (default: a generated one)").sets("/name");
    create_.declare(arguments);
    arguments.flag("--force", force_, "Import into an existing workspace of that name, and replace the files in its storages");
    arguments.option("--timeout", timeout_, format("Seconds to wait for the creation (default {})", timeout_.count())).range(1, 86400);
  }

  int run(Context& context) override {
    ArchiveSource source(file_);
    std::optional<Instance> instance;
    if (force_ && !create_.name.empty()) instance = context.client().getInstance(create_.name);
    const bool created = !instance;
    if (created) instance = createAndWait(context, create_, timeout_);
    ArchiveReport result;
    try {
      result = send(context, *instance, source);
    } catch (const Error& error) {
      printError(context, error);
      report(nextStep(*instance, created));
      return exitCodeOf(error);
    }
    report(format("{} files, {}, from {}\n", countText(result.files), bytesText(result.bytes), result.workspace));
    if (result.left.count > 0) {
      report("Left out:\n");
      reportNotes(result.left);
    }
    printResult(context, reload(context, *instance));
    return kDone;
  }

 private:
  ArchiveReport send(Context& context, const Instance& instance, ArchiveSource& source) const {
    ByteProgress progress(context, source.size());
    const auto next = [&] {
      std::string piece = source.next();
      progress.add(piece.size());
      return piece;
    };
    return context.client().importInstance(instance.id.str(), next, force_);
  }

  std::string nextStep(const Instance& instance, bool created) const {
    const std::string& name = instance.config.name;
    if (!created) return format("Try again with: swarm import {} --name {} --force\n", file_, name);
    return format("Nothing was imported; {} was created and is empty. To remove it: swarm delete {} --volumes\n", name, name);
  }

  std::string file_;    ///< "-": stdin
  CreateFlags create_;  ///< of the workspace that is created for it
  bool force_ = false;
  std::chrono::seconds timeout_{900};
};

}  // namespace

VerbPtr makeImport() { return std::make_unique<Import>(); }

}  // namespace swarm::cli

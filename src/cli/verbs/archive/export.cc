// `swarm export`
#include <signal.h>

#include "cli/output/quantities.h"
#include "cli/verbs/archive/archive_file.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Export final : public Verb {
 public:
  Export()
      : Verb({.name = "export",
              .summary = "Write a workspace's files as one archive (POSIX tar, Zstandard)",
              .examples = {"swarm export web1 > web1.tar.zst", "swarm export web1 -o web1.tar.zst", "zstd -dc web1.tar.zst | tar -t"},
              .notes =
                  "The archive has the persistent storages, with owners, modes, times, attributes, links and holes. Sockets, and files "
                  "that changed while they were read, are reported.\n"
                  "Exit code 0 means a complete archive; zstd, tar and `swarm import` also detect an incomplete one."}) {}

  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id of a running workspace").suggest(workspaceNames());
    arguments.option("-o,--output", file_, "File to write, which gets its name when it is complete; - for standard output (the default)")
        .suggest(fileNames());
  }

  int run(Context& context) override {
    ::signal(SIGPIPE, SIG_IGN);
    ArchiveTarget target(file_);
    ArchiveReport result;
    {
      ByteProgress progress(context, 0);
      result = context.client().exportInstance(name_, [&](std::string_view piece) {
        target.write(piece);
        progress.add(piece.size());
      });
    }
    target.finish();
    const bool named = !file_.empty() && file_ != "-";
    report(format("{}{}\n", bytesText(result.bytes), named ? " in " + file_ : ""));
    if (result.left.count > 0) {
      report("Left out, or changed while it was read:\n");
      reportNotes(result.left);
    }
    return kDone;
  }

 private:
  std::string name_;
  std::string file_;  ///< empty: stdout
};

}  // namespace

VerbPtr makeExport() { return std::make_unique<Export>(); }

}  // namespace swarm::cli

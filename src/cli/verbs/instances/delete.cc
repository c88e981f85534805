// `swarm delete`
#include <algorithm>

#include "cli/output/progress.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

/// A workspace to delete, the volumes with its files, and its snapshots, which are deleted with the volumes.
struct Condemned {
  Instance instance;
  std::vector<std::string> volumes;
  std::vector<std::string> snapshots;
};

std::vector<Condemned> findCondemned(Context& context, const std::vector<std::string>& names) {
  std::vector<Condemned> all;
  for (const std::string& name : names) all.push_back({requireInstance(context, name), {}, {}});
  for (const auto& value : context.client().listVolumes()) {
    const auto& volume = value.as_object();
    if (const auto* stray = volume.if_contains("stray"); stray && stray->as_bool()) continue;  // it has none of the files, and stays
    for (Condemned& one : all) {
      if (volume.at("instanceId").as_string() != one.instance.id.str()) continue;
      one.volumes.emplace_back(volume.at("name").as_string());
      if (std::string name = memberText(volume, "snapshot"); !name.empty()) one.snapshots.push_back(std::move(name));
    }
  }
  return all;
}

class Delete final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("names", names_, "Names or ids").suggest(workspaceNames());
    arguments.flag("--volumes", volumes_, "Delete their volumes with all files too");
    arguments.flag("-y,--yes", yes_, "Do not ask for confirmation");
    wait_.declare(arguments);
  }

  int run(Context& context) override {
    const std::vector<Condemned> all = findCondemned(context, names_);
    for (const Condemned& one : all) report(warningOf(one));
    if (std::ranges::any_of(all, [this](const Condemned& one) { return interruptsOrDestroys(one); }) && !yes_ && !confirmed())
      return kFailed;
    std::vector<StartedOperation> started;
    for (const Condemned& one : all) started.push_back(context.client().deleteInstance(one.instance.id.str(), volumes_));
    boost::json::array results;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool done = !wait_.noWait || started[i].operationId.empty();
      if (done && !started[i].operationId.empty()) waitWithProgress(context, started[i].operationId, wait_.timeout);
      results.push_back(resultOf(all[i], done));
      reportDeleted(context, all[i], done);
    }
    printStructured(context, results.size() == 1 ? results.front() : boost::json::value(results));
    return kDone;
  }

 private:
  bool interruptsOrDestroys(const Condemned& one) const {
    const bool loses_files = volumes_ || !std::ranges::all_of(one.instance.config.storage, &StorageConfig::persistent);
    return loses_files || one.instance.status != InstanceStatus::stopped;
  }

  std::string warningOf(const Condemned& one) const {
    std::string text = format("Deleting {} ({})", one.instance.config.name, enumName(one.instance.status));
    if (volumes_)
      text +=
          one.volumes.empty() ? " with all its files" : format(" with all its files in {}; they cannot be restored", joined(one.volumes));
    else if (!one.volumes.empty())
      text += format("; its files stay in {}", joined(one.volumes));
    if (volumes_ && !one.snapshots.empty()) text += format("; its snapshots are deleted too: {}", joined(one.snapshots));
    for (const StorageConfig& storage : one.instance.config.storage) {
      if (!volumes_ && !storage.persistent) text += format("; the files in {} are deleted too", storage.mountPath);
    }
    return text + ".\n";
  }

  boost::json::object resultOf(const Condemned& one, bool done) const {
    boost::json::array volumes(one.volumes.begin(), one.volumes.end());
    return {{"id", one.instance.id.str()},
            {"name", one.instance.config.name},
            {"deleted", done},
            {"volumes", std::move(volumes)},
            {"volumesDeleted", volumes_}};
  }

  void reportDeleted(Context& context, const Condemned& one, bool done) const {
    const std::string& name = one.instance.config.name;
    if (context.output() == OutputFormat::Name) printLine(name);
    if (context.output() != OutputFormat::Table || !done) return;
    report(format("{} was deleted.\n", name));
    if (!volumes_ && !one.volumes.empty())
      report(format("Its files are in {}; run `swarm volumes` to list all volumes.\n", joined(one.volumes)));
  }

  std::vector<std::string> names_;
  bool volumes_ = false;
  bool yes_ = false;
  WaitFlags wait_;
};

}  // namespace

void addDelete(const AddVerb& add) {
  add({.name = "delete",
       .summary = "Delete workspaces; their files are kept in volumes",
       .examples = {"swarm delete web1 --volumes"},
       .aliases = {"rm"}},
      std::make_unique<Delete>());
}

}  // namespace swarm::cli

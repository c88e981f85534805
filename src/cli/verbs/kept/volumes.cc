// `swarm volumes` and its part `delete`
#include "cli/verbs/results.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

/// Names of workspaces by their ids; for deleted ones, the last name in their operations.
std::map<std::string, std::string> namesOfWorkspaces(Context& context) {
  std::map<std::string, std::string> names;
  for (const Operation& operation : context.client().listOperations({.limit = 1000}))
    if (!operation.instanceName.empty()) names.try_emplace(operation.instanceId.str(), operation.instanceName + " (deleted)");
  for (const Instance& instance : context.client().listInstances({})) names[instance.id.str()] = instance.config.name;
  return names;
}

class Volumes final : public Verb {
 public:
  Volumes()
      : Verb({.name = "volumes",
              .summary = "List volumes, including those of deleted workspaces; delete",
              .examples = {"swarm volumes", "swarm volumes delete swarm-i-01h…-home"}}) {}

  int run(Context& context) override {
    const boost::json::array volumes = context.client().listVolumes();
    std::map<std::string, std::string> names;
    if (context.output() == OutputFormat::Table) names = namesOfWorkspaces(context);
    std::vector<Listed> rows;
    for (const auto& volume : volumes) {
      const std::string name = memberText(volume, "name");
      const auto instance = names.find(memberText(volume, "instanceId"));
      const bool stray = memberText(volume, "stray") == "true";
      const bool in_use = memberText(volume, "inUse") == "true";
      const std::string snapshot = memberText(volume, "snapshot");
      rows.push_back(
          {name,
           {name, instance == names.end() ? "(deleted)" : instance->second, memberText(volume, "owner"), memberText(volume, "mountPath"),
            stray               ? "stray"
            : !snapshot.empty() ? "by snapshot " + snapshot
            : in_use            ? "yes"
                                : "no"}});
    }
    printList(context, volumes, {copied("VOLUME"), "WORKSPACE", extra("OWNER"), "MOUNTED AT", "IN USE"}, rows);
    return kDone;
  }
};

class VolumesDelete final : public Verb {
 public:
  VolumesDelete()
      : Verb({.name = "volumes delete",
              .summary = "Delete volumes with their files",
              .examples = {"swarm volumes delete swarm-i-01h…-home"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("names", names_, "Names of volumes").suggest({.command = "swarm volumes -o name"});
    arguments.flag("-y,--yes", yes_, "Do not ask for confirmation");
  }

  int run(Context& context) override {
    if (!confirmDeletion(names_, yes_)) return kFailed;
    for (const std::string& name : names_) {
      context.client().deleteVolume(name);
      report(format("{} was deleted.\n", name));
    }
    return kDone;
  }

 private:
  std::vector<std::string> names_;
  bool yes_ = false;
};

}  // namespace

VerbPtr makeVolumes() { return std::make_unique<Volumes>(); }
VerbPtr makeVolumesDelete() { return std::make_unique<VolumesDelete>(); }

}  // namespace swarm::cli

// What deleted workspaces leave: `swarm volumes`, `swarm names` and their parts
#include "cli/verbs/verb.h"

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

int listVolumes(Context& context) {
  const boost::json::array volumes = context.client().listVolumes();
  std::map<std::string, std::string> names;
  if (context.output() == OutputFormat::Table) names = namesOfWorkspaces(context);
  std::vector<Listed> rows;
  for (const auto& volume : volumes) {
    const std::string name = memberText(volume, "name");
    const auto instance = names.find(memberText(volume, "instanceId"));
    const std::string snapshot = memberText(volume, "snapshot");
    const std::string use = memberText(volume, "stray") == "true"   ? "stray"
                            : !snapshot.empty()                     ? "by snapshot " + snapshot
                            : memberText(volume, "inUse") == "true" ? "yes"
                                                                    : "no";
    rows.push_back({name,
                    {name, instance == names.end() ? "(deleted)" : instance->second, memberText(volume, "owner"),
                     memberText(volume, "mountPath"), use}});
  }
  printList(context, volumes, {copied("VOLUME"), "WORKSPACE", extra("OWNER"), "MOUNTED AT", "IN USE"}, rows);
  return kDone;
}

void deleteVolume(Context& context, const std::string& name) {
  context.client().deleteVolume(name);
  report(format("{} was deleted.\n", name));
}

int listNames(Context& context) {
  const boost::json::array names = context.client().listNameHolds();
  std::vector<Listed> rows;
  for (const auto& hold : names) {
    const std::string name = memberText(hold, "name");
    rows.push_back({name, {name, memberText(hold, "owner"), momentText(hold, "until")}});
  }
  printList(context, names, {copied("NAME"), "RESERVED FOR", "ENDS"}, rows);
  return kDone;
}

void freeName(Context& context, const std::string& name) {
  context.client().releaseName(name);
  report(format("{} is free.\n", name));
}

}  // namespace

void addKept(const AddVerb& add) {
  addListVerb(add,
              {.name = "volumes",
               .summary = "List volumes, including those of deleted workspaces; delete",
               .examples = {"swarm volumes", "swarm volumes delete swarm-i-01h…-home"}},
              listVolumes);
  add({.name = "volumes delete", .summary = "Delete volumes with their files", .examples = {"swarm volumes delete swarm-i-01h…-home"}},
      deletionVerb({"names", "Names of volumes", {.command = "swarm volumes -o name"}}, deleteVolume));
  addListVerb(add,
              {.name = "names",
               .summary = "List names of deleted workspaces that are reserved for their owners; free",
               .examples = {"swarm names", "swarm names free web1"}},
              listNames);
  add({.name = "names free", .summary = "Release names for all users", .examples = {"swarm names free web1"}},
      eachVerb({"names", "Names", {.command = "swarm names -o name"}}, freeName));
}

}  // namespace swarm::cli

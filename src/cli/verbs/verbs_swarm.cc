// status, providers, operations, version.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/verbs/verbs.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

std::string textOf(const boost::json::object& object, std::string_view name) {
  const boost::json::value* member = object.if_contains(name);
  if (!member || member->is_null()) return "";
  return member->is_string() ? std::string(member->get_string()) : boost::json::serialize(*member);
}

std::string usedOf(const UsedTotal& value, std::string_view unit) {
  if (value.total <= 0) return format("{:.1f} {}", value.used, unit);
  return format("{:.1f} of {:.0f} {}", value.used, value.total, unit);
}

/// Of MiB.
std::string memoryOf(const UsedTotal& value) {
  if (std::max(value.used, value.total) < 1024) return usedOf(value, "MiB");
  return usedOf({value.used / 1024, value.total / 1024}, "GiB");
}

std::string elapsed(const Operation& operation) {
  if (operation.endedAt.time_since_epoch().count() == 0) return "-";
  return format("{:.2f} s", static_cast<double>((operation.endedAt - operation.createdAt).count()) / 1000.0);
}

}  // namespace

int status(Context& context) {
  SwarmStatus status = context.client().getSwarmStatus();
  if (printStructured(context, toJson(status))) return kDone;
  print(format("{} workspace{}: {} running, {} stopped, {} failed\n", status.totalInstances, status.totalInstances == 1 ? "" : "s",
               status.runningInstances, status.stoppedInstances, status.failedInstances));
  print(format("cpu {}, memory {}, storage {}\n\n", usedOf(status.resourceUsage.cpu, "cores"), memoryOf(status.resourceUsage.memory),
               usedOf(status.resourceUsage.storage, "GiB")));
  Table table({copied("PROVIDER"), "STATUS", "WORKSPACES", "DETAIL"});
  for (const ProviderStatus& provider : status.providers) {
    table.add({std::string(enumName(provider.type)), std::string(enumName(provider.status)), std::to_string(provider.instances),
               provider.detail});
  }
  print(table.render(context.columns(), context.colour()));
  return kDone;
}

int providersList(Context& context) {
  boost::json::array providers = context.client().listProviders();
  if (printStructured(context, providers)) return kDone;
  Table table({copied("PROVIDER"), "STATUS", "WORKSPACES", "DEFAULT", "DETAIL"});
  for (const auto& value : providers) {
    const auto& provider = value.as_object();
    if (context.output() == OutputFormat::Name) {
      print(textOf(provider, "type") + "\n");
      continue;
    }
    table.add({textOf(provider, "type"), textOf(provider, "status"), textOf(provider, "instances"),
               textOf(provider, "isDefault") == "true" ? "yes" : "", textOf(provider, "detail")});
  }
  if (context.output() == OutputFormat::Table) print(table.render(context.columns(), context.colour()));
  return kDone;
}

int providersRegions(Context& context) {
  boost::json::array providers = context.client().listProviders();
  boost::json::array regions;
  for (const auto& provider : providers) {
    for (const auto& region : provider.at("regions").as_array())
      regions.push_back(boost::json::object{{"provider", provider.at("type")}, {"region", region}});
  }
  if (printStructured(context, regions)) return kDone;
  Table table({copied("PROVIDER"), copied("REGION")});
  for (const auto& region : regions) {
    if (context.output() == OutputFormat::Name) print(textOf(region.as_object(), "region") + "\n");
    table.add({textOf(region.as_object(), "provider"), textOf(region.as_object(), "region")});
  }
  if (context.output() == OutputFormat::Table) print(table.render(context.columns(), context.colour()));
  return kDone;
}

int providersShow(Context& context, const std::string& type) {
  boost::json::object provider = context.client().getProvider(type);
  if (!printStructured(context, provider)) print(toYaml(provider));
  return kDone;
}

int providersValidate(Context& context, const std::string& type) {
  boost::json::object result = context.client().validateProvider(type);
  bool all_ok = true;
  Table table({"CHECK", "RESULT", "DETAIL"});
  for (const auto& value : result.at("checks").as_array()) {
    const auto& check = value.as_object();
    bool ok = textOf(check, "ok") == "true";
    all_ok = all_ok && ok;
    table.add({textOf(check, "name"), ok ? "ok" : "failed", textOf(check, "detail")});
  }
  if (!printStructured(context, result)) print(table.render(context.columns(), context.colour()));
  return all_ok ? kDone : kFailed;
}

namespace {

/// Names of workspaces by their ids; of deleted ones, what their operations called them last.
std::map<std::string, std::string> namesOfWorkspaces(Context& context) {
  std::map<std::string, std::string> names;
  const auto operations = boost::json::parse(context.client().callApi("GET", "/api/operations?limit=1000"));
  for (const auto& value : operations.at("items").as_array()) {
    const auto& operation = value.as_object();
    if (const std::string name = textOf(operation, "instanceName"); !name.empty())
      names.try_emplace(textOf(operation, "instanceId"), name + " (deleted)");
  }
  for (const Instance& instance : context.client().listInstances({})) names[instance.id] = instance.config.name;
  return names;
}

}  // namespace

int volumesList(Context& context) {
  boost::json::array volumes = context.client().listVolumes();
  if (printStructured(context, volumes)) return kDone;
  if (context.output() == OutputFormat::Name) {
    for (const auto& volume : volumes) print(textOf(volume.as_object(), "name") + "\n");
    return kDone;
  }
  const std::map<std::string, std::string> names = namesOfWorkspaces(context);
  Table table({copied("VOLUME"), "WORKSPACE", extra("OWNER"), "MOUNTED AT", "IN USE"});
  for (const auto& value : volumes) {
    const auto& volume = value.as_object();
    auto instance = names.find(textOf(volume, "instanceId"));
    bool is_stray = textOf(volume, "stray") == "true";
    table.add({textOf(volume, "name"), instance == names.end() ? "(deleted)" : instance->second, textOf(volume, "owner"),
               textOf(volume, "mountPath"),
               is_stray                            ? "stray"
               : textOf(volume, "inUse") == "true" ? "yes"
                                                   : "no"});
  }
  print(table.render(context.columns(), context.colour()));
  return kDone;
}

int volumesDelete(Context& context, const std::vector<std::string>& names, bool yes) {
  if (!yes) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    tell(format("Deleting {} with all files in {}; they cannot be restored.\n", list, names.size() == 1 ? "it" : "them"));
    if (!confirmed()) return kFailed;
  }
  for (const std::string& name : names) {
    context.client().deleteVolume(name);
    tell(format("{} is deleted\n", name));
  }
  return kDone;
}

int sessionsList(Context& context) {
  boost::json::array sessions = context.client().listSessions();
  if (printStructured(context, sessions)) return kDone;
  Table table({copied("SESSION"), "USER", "BY", extra("SINCE"), "UNTIL", extra("")});
  for (const auto& value : sessions) {
    const auto& session = value.as_object();
    if (context.output() == OutputFormat::Name) {
      print(textOf(session, "id") + "\n");
      continue;
    }
    table.add({textOf(session, "id"), textOf(session, "user"), textOf(session, "kind"), textOf(session, "createdAt"),
               textOf(session, "expiresAt"), textOf(session, "current") == "true" ? "this one" : ""});
  }
  if (context.output() == OutputFormat::Table) print(table.render(context.columns(), context.colour()));
  return kDone;
}

int sessionsEnd(Context& context, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    context.client().endSession(id);
    tell(format("{} has ended\n", id));
  }
  return kDone;
}

int namesList(Context& context) {
  boost::json::array names = context.client().listNameHolds();
  if (printStructured(context, names)) return kDone;
  Table table({copied("NAME"), "KEPT FOR", "UNTIL"});
  for (const auto& value : names) {
    const auto& hold = value.as_object();
    if (context.output() == OutputFormat::Name) print(textOf(hold, "name") + "\n");
    table.add({textOf(hold, "name"), textOf(hold, "owner"), textOf(hold, "until")});
  }
  if (context.output() == OutputFormat::Table) print(table.render(context.columns(), context.colour()));
  return kDone;
}

int namesFree(Context& context, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    context.client().releaseName(name);
    tell(format("{} is free\n", name));
  }
  return kDone;
}

int operationsList(Context& context, const std::string& instance) {
  std::vector<Operation> operations = context.client().listOperations(instance);
  if (printStructured(context, toJson(operations))) return kDone;
  Table table({copied("ID"), "KIND", copied("WORKSPACE"), "STATUS", extra("BEGAN"), extra("TOOK"), "ERROR"});
  for (const Operation& operation : operations) {
    if (context.output() == OutputFormat::Name) {
      print(operation.id + "\n");
      continue;
    }
    table.add({operation.id, std::string(enumName(operation.kind)), operation.instanceName, std::string(enumName(operation.status)),
               ago(operation.createdAt), elapsed(operation), operation.error ? operation.error->message() : ""});
  }
  if (context.output() == OutputFormat::Table) print(table.render(context.columns(), context.colour()));
  return kDone;
}

int operationsShow(Context& context, const std::string& id, bool follow) {
  if (follow) {
    waitWithProgress(context, id, std::chrono::hours(24));
    return kDone;
  }
  auto operation = context.client().getOperation(id);
  if (!operation) throw Error(ErrorCode::NotFound, format("There is no operation \"{}\". `swarm operations` lists them.", id));
  if (!printStructured(context, toJson(*operation))) print(toYaml(toJson(*operation)));
  return kDone;
}

int operationsCancel(Context& context, const std::string& id) {
  Operation operation = context.client().cancelOperation(id);
  if (!printStructured(context, toJson(operation))) tell(format("{} is {}.\n", id, enumName(operation.status)));
  return kDone;
}

int version(Context& context) {
  boost::json::object versions{{"client", SWARM_VERSION}};
  try {
    versions["server"] = context.client().serverVersion();
  } catch (const Error& error) {
    versions["server"] = nullptr;
    versions["reason"] = error.message();
  }
  if (printStructured(context, versions)) return kDone;
  print(format("swarm {}\n", SWARM_VERSION));
  if (const auto* server = versions["server"].if_object()) {
    print(format("server {} at {}\n", printable(textOf(*server, "version")), context.url()));
  } else {
    tell(format("server: {}\n", textOf(versions, "reason")));
  }
  return kDone;
}

namespace {

/// What --data says: JSON, or where it is.
std::string dataOf(const std::string& text) {
  if (!text.starts_with("@")) return text;
  if (text == "@-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(text.substr(1), std::ios::binary);
  if (!file) throw Error(ErrorCode::NotFound, format("{} could not be read.", text.substr(1)));
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int callApi(Context& context, const ApiFlags& flags) {
  std::string path = flags.path.starts_with("/") ? flags.path : "/" + flags.path;
  const bool whole = path.starts_with("/api/") || path == "/healthz" || path == "/readyz" || path == "/metrics";
  const std::string answer = context.client().callApi(flags.method, whole ? path : "/api" + path, dataOf(flags.data));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(answer, error);
  if (answer.empty()) return kDone;
  if (error)
    print(answer);
  else if (context.output() == OutputFormat::Yaml)
    print(toYaml(value));
  else
    print(prettyJson(value));
  return kDone;
}

}  // namespace swarm::cli

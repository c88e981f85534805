// status, providers, operations, version.
#include <algorithm>
#include <cstdio>

#include "base/format.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "model/codec.h"

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
  print(format("{} instance{}: {} running, {} stopped, {} failed\n", status.totalInstances, status.totalInstances == 1 ? "" : "s",
               status.runningInstances, status.stoppedInstances, status.failedInstances));
  print(format("cpu {}, memory {}, storage {}\n\n", usedOf(status.resourceUsage.cpu, "cores"), memoryOf(status.resourceUsage.memory),
               usedOf(status.resourceUsage.storage, "GiB")));
  Table table({"PROVIDER", "STATUS", "INSTANCES", "DETAIL"});
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
  Table table({"PROVIDER", "STATUS", "INSTANCES", "DEFAULT", "DETAIL"});
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
  Table table({"PROVIDER", "REGION"});
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

int volumesList(Context& context) {
  boost::json::array volumes = context.client().listVolumes();
  if (printStructured(context, volumes)) return kDone;
  std::map<std::string, std::string> names;
  for (const Instance& instance : context.client().listInstances({})) names[instance.id] = instance.config.name;
  Table table({"VOLUME", "OF", "OWNER", "MOUNTED AT", "IN USE"});
  for (const auto& value : volumes) {
    const auto& volume = value.as_object();
    if (context.output() == OutputFormat::Name) {
      print(textOf(volume, "name") + "\n");
      continue;
    }
    auto instance = names.find(textOf(volume, "instanceId"));
    bool is_stray = textOf(volume, "stray") == "true";
    table.add({textOf(volume, "name"), instance == names.end() ? "(deleted)" : instance->second, textOf(volume, "owner"),
               textOf(volume, "mountPath"),
               is_stray                            ? "stray"
               : textOf(volume, "inUse") == "true" ? "yes"
                                                   : "no"});
  }
  if (context.output() == OutputFormat::Table) print(table.render(context.columns(), context.colour()));
  return kDone;
}

int volumesDelete(Context& context, const std::vector<std::string>& names, bool yes) {
  if (!yes && !confirmed("This deletes the volumes with all files; they can't be brought back. Go on? [y/N] ")) return kFailed;
  for (const std::string& name : names) {
    context.client().deleteVolume(name);
    std::fputs(format("{} is deleted\n", name).c_str(), stderr);
  }
  return kDone;
}

int operationsList(Context& context, const std::string& instance) {
  std::vector<Operation> operations = context.client().listOperations(instance);
  if (printStructured(context, toJson(operations))) return kDone;
  Table table({"ID", "KIND", "INSTANCE", "STATUS", "BEGAN", "TOOK", "ERROR"});
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
  if (!printStructured(context, toJson(operation))) std::fputs(format("{} is {}.\n", id, enumName(operation.status)).c_str(), stderr);
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
    print(format("server {} at {}\n", textOf(*server, "version"), context.url()));
  } else {
    std::fputs(format("server: {}\n", textOf(versions, "reason")).c_str(), stderr);
  }
  return kDone;
}

}  // namespace swarm::cli

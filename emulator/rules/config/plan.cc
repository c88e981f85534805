// Later sources take precedence: secrets, then config.env, then Fly's own variables.

#include "base/text/format.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

/// Represents Docker Hub; Fly's responses contain its own registry's host there.
constexpr std::string_view kHub = "docker.io";

void addSecrets(MachinePlan& plan, const App& app, const Machine& machine) {
  if (machine.skipSecrets) return;
  if (const json::object* process = firstObject(machine.config, "processes"); process && flagOf(*process, "ignore_app_secrets")) return;
  for (const auto& [name, secret] : app.secrets) plan.env[name] = secret.value;
}

void addFlyVariables(MachinePlan& plan, const App& app, const Machine& machine) {
  plan.env["FLY_APP_NAME"] = app.name;
  plan.env["FLY_MACHINE_ID"] = machine.id;
  plan.env["FLY_ALLOC_ID"] = machine.id;
  plan.env["FLY_REGION"] = machine.region;
  plan.env["FLY_PUBLIC_IP"] = "";
  plan.env["FLY_IMAGE_REF"] = imageName(machine.image);
  plan.env["FLY_MACHINE_VERSION"] = machine.version;
  plan.env["FLY_PRIVATE_IP"] = machine.privateIp;
  const json::object* metadata = objectOf(machine.config, "metadata");
  plan.env["FLY_PROCESS_GROUP"] = metadata ? textOf(*metadata, "fly_process_group") : "";
  plan.env["FLY_VM_MEMORY_MB"] = std::to_string(machine.guest.memoryMb);
  plan.env.emplace("PRIMARY_REGION", machine.region);
}

void addFiles(MachinePlan& plan, const App& app, const json::object& config) {
  const json::array* files = arrayOf(config, "files");
  if (!files) return;
  for (const json::value& entry : *files) {
    if (!entry.is_object()) continue;
    const json::object& file = entry.get_object();
    GuestFile result;
    result.path = textOf(file, "guest_path");
    if (result.path.empty()) continue;
    if (auto mode = integerOf(file, "mode")) result.mode = static_cast<std::uint32_t>(*mode);
    if (std::string name = textOf(file, "secret_name"); !name.empty()) {
      auto secret = app.secrets.find(name);
      if (secret == app.secrets.end()) continue;  // I: a missing secret creates no file
      result.content = decodeBase64(secret->second.value);
    } else {
      result.content = decodeBase64(textOf(file, "raw_value"));
    }
    plan.files.push_back(std::move(result));
  }
}

void addCommand(MachinePlan& plan, const json::object& source) {
  auto take = [&](std::string_view name, std::vector<std::string>& into) {
    std::vector<std::string> words = textsOf(source, name);
    if (!words.empty()) into = std::move(words);
  };
  take("exec", plan.exec);
  take("entrypoint", plan.entrypoint);
  take("cmd", plan.command);
}

}  // namespace

MachinePlan planOf(const Machine& machine) {
  AppPtr app = machine.app.lock();
  MachinePlan plan;
  plan.app = app->name;
  plan.network = app->network;
  plan.machineId = machine.id;
  plan.image = backendName(textOf(machine.config, "image"));
  if (const json::object* init = objectOf(machine.config, "init")) addCommand(plan, *init);
  addSecrets(plan, *app, machine);
  auto add_env = [&](const json::object& source) {
    if (const json::object* env = objectOf(source, "env")) {
      for (const auto& [name, value] : *env) {
        if (value.is_string()) plan.env[std::string(name)] = std::string(value.get_string());
      }
    }
  };
  add_env(machine.config);
  // A Machine with one process: its own settings take precedence over the Machine's (processes[0]).
  if (const json::object* process = firstObject(machine.config, "processes")) {
    addCommand(plan, *process);
    add_env(*process);
  }
  addFlyVariables(plan, *app, machine);
  addFiles(plan, *app, machine.config);
  plan.volumeId = machine.volumeId;
  plan.mountPath = machine.mountPath;
  plan.cpus = machine.guest.cpus;
  plan.sharedCpu = machine.guest.kind == "shared";
  plan.memoryMb = machine.guest.memoryMb;
  return plan;
}

ImageReference parseImage(std::string_view reference) {
  ImageReference image;
  if (std::size_t at = reference.find('@'); at != std::string_view::npos) {
    image.digest = std::string(reference.substr(at + 1));
    reference = reference.substr(0, at);
  }
  std::size_t slash = reference.find('/');
  std::string_view first = slash == std::string_view::npos ? "" : reference.substr(0, slash);
  if (first.find_first_of(".:") != std::string_view::npos || first == "localhost") {
    image.registry = std::string(first);
    reference.remove_prefix(slash + 1);
  } else {
    image.registry = kHub;
  }
  std::size_t colon = reference.rfind(':');
  bool tagged = colon != std::string_view::npos && reference.find('/', colon) == std::string_view::npos;
  image.tag = tagged ? std::string(reference.substr(colon + 1)) : image.digest.empty() ? "latest" : "";
  image.repository = std::string(tagged ? reference.substr(0, colon) : reference);
  if (image.registry == kHub && image.repository.find('/') == std::string::npos) image.repository = "library/" + image.repository;
  return image;
}

std::string backendName(std::string_view reference) {
  // Clients may use the host of the Hub's API, too.
  for (const auto& hub : {std::string(kHub) + "/", format("registry-1.{}/", kHub)}) {
    if (!reference.starts_with(hub)) continue;
    reference.remove_prefix(hub.size());
    if (reference.starts_with("library/")) reference.remove_prefix(std::string_view("library/").size());
  }
  std::size_t digest = reference.find('@');
  std::string_view name = reference.substr(0, digest);
  std::size_t slash = name.rfind('/');
  bool tagged = name.find(':', slash == std::string_view::npos ? 0 : slash) != std::string_view::npos;
  return std::string(tagged ? name : reference);
}

std::string imageName(const ImageReference& image) {
  return format("{}/{}{}{}", image.registry, image.repository, image.tag.empty() ? "" : ":" + image.tag,
                image.tag.empty() && !image.digest.empty() ? "@" + image.digest : "");
}

}  // namespace swarm::emulator

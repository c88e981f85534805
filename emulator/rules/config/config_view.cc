// Reads and checks a Machine's configuration: its types by one table of members, with recursion into objects and lists of objects.
#include "emulator/rules/config/config_view.h"

#include <algorithm>
#include <span>

#include "base/text/format.h"
#include "emulator/api/response.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

enum class Kind { Text, Integer, Flag, Texts, Object, Objects };

struct Member {
  std::string_view name;
  Kind kind = Kind::Text;
  std::span<const Member> members = {};  ///< of Object and Objects; empty: any
};

constexpr Member kGuest[] = {{"cpu_kind"}, {"cpus", Kind::Integer},     {"memory_mb", Kind::Integer}, {"gpus", Kind::Integer},
                             {"gpu_kind"}, {"kernel_args", Kind::Texts}};
constexpr Member kInit[] = {{"exec", Kind::Texts}, {"entrypoint", Kind::Texts},     {"cmd", Kind::Texts},
                            {"tty", Kind::Flag},   {"swap_size_mb", Kind::Integer}, {"kernel_args", Kind::Texts}};
constexpr Member kPort[] = {{"port", Kind::Integer},      {"start_port", Kind::Integer}, {"end_port", Kind::Integer},
                            {"handlers", Kind::Texts},    {"force_https", Kind::Flag},   {"http_options", Kind::Object},
                            {"tls_options", Kind::Object}};
constexpr Member kConcurrency[] = {{"type"}, {"soft_limit", Kind::Integer}, {"hard_limit", Kind::Integer}};
constexpr Member kService[] = {{"protocol"},
                               {"internal_port", Kind::Integer},
                               {"ports", Kind::Objects, kPort},
                               {"autostart", Kind::Flag},
                               {"min_machines_running", Kind::Integer},
                               {"concurrency", Kind::Object, kConcurrency},
                               {"checks", Kind::Objects}};
constexpr Member kMount[] = {{"volume"},
                             {"name"},
                             {"path"},
                             {"size_gb", Kind::Integer},
                             {"encrypted", Kind::Flag},
                             {"extend_threshold_percent", Kind::Integer},
                             {"add_size_gb", Kind::Integer},
                             {"size_gb_limit", Kind::Integer}};
constexpr Member kRestart[] = {{"policy"}, {"max_retries", Kind::Integer}};
constexpr Member kStop[] = {{"signal"}};
constexpr Member kFile[] = {{"guest_path"}, {"raw_value"}, {"secret_name"}, {"mode", Kind::Integer}};
constexpr Member kProcess[] = {{"exec", Kind::Texts}, {"entrypoint", Kind::Texts}, {"cmd", Kind::Texts}, {"env", Kind::Object}, {"user"}};
constexpr Member kMetrics[] = {{"port", Kind::Integer}, {"path"}};
constexpr Member kConfig[] = {{"image"},
                              {"size"},
                              {"schedule"},
                              {"guest", Kind::Object, kGuest},
                              {"init", Kind::Object, kInit},
                              {"services", Kind::Objects, kService},
                              {"mounts", Kind::Objects, kMount},
                              {"restart", Kind::Object, kRestart},
                              {"stop_config", Kind::Object, kStop},
                              {"files", Kind::Objects, kFile},
                              {"processes", Kind::Objects, kProcess},
                              {"metrics", Kind::Object, kMetrics},
                              {"checks", Kind::Object},
                              {"dns", Kind::Object},
                              {"rootfs", Kind::Object},
                              {"statics", Kind::Objects},
                              {"containers", Kind::Objects},
                              {"auto_destroy", Kind::Flag},
                              {"standbys", Kind::Texts}};

constexpr std::string_view kGoTypes[] = {"string", "int", "bool", "[]string", "struct", "[]struct"};  // by Kind

bool fits(const json::value& value, Kind kind) {
  if (kind == Kind::Text) return value.is_string();
  if (kind == Kind::Integer) return value.is_int64() || value.is_uint64();
  if (kind == Kind::Flag) return value.is_bool();
  return kind == Kind::Object ? value.is_object() : value.is_array();
}

/// As in Fly's server: a wrong type is refused with Go's error. Unknown members and nulls are skipped, as in Go.
void checkTypes(const json::value& value, Kind kind, std::span<const Member> members, const std::string& path) {
  if (value.is_null()) return;
  if (!fits(value, kind))
    refuse(400, format("json: cannot unmarshal {} into Go struct field MachineConfig.{} of type {}", goKind(value), path,
                       kGoTypes[static_cast<std::size_t>(kind)]));
  if (kind == Kind::Texts || kind == Kind::Objects) {
    Kind inner = kind == Kind::Texts ? Kind::Text : Kind::Object;
    for (const json::value& item : value.get_array()) checkTypes(item, inner, members, path);
  }
  if (kind != Kind::Object) return;
  for (const Member& member : members) {
    const json::value* inner = value.get_object().if_contains(member.name);
    if (inner) checkTypes(*inner, member.kind, member.members, format("{}.{}", path, member.name));
  }
}

struct GuestRule {
  std::string_view kind;
  std::vector<std::int64_t> cpus;
  std::int64_t minPerCpu, maxPerCpu, step;
};

/// §3 "Guest sizes".
const GuestRule* ruleOf(std::string_view kind) {
  static const GuestRule kRules[] = {{"shared", {1, 2, 4, 6, 8}, 256, 2048, 256},
                                     {"performance", {1, 2, 4, 6, 8, 10, 12, 14, 16}, 2048, 8192, 1024}};
  for (const GuestRule& rule : kRules) {
    if (rule.kind == kind) return &rule;
  }
  return nullptr;
}

std::string join(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (std::int64_t number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

/// "shared-cpu-2x", "performance-4x" (config.size, the older form).
GuestSize presetOf(std::string_view size) {
  GuestSize guest;
  guest.kind = size.starts_with("performance") ? "performance" : "shared";
  std::size_t dash = size.rfind('-');
  std::string_view count = dash == std::string_view::npos ? "" : size.substr(dash + 1);
  if (!count.ends_with('x') || count.size() < 2 || count.find_first_not_of("0123456789x") != std::string_view::npos || count.size() > 4) {
    refuse(400, format("invalid config.size, '{}' is not a known size", size));  // I: the wording
  }
  guest.cpus = std::stoi(std::string(count));
  guest.memoryMb = guest.cpus * ruleOf(guest.kind)->minPerCpu;
  return guest;
}

// I: that an invalid service is refused, and the wording; Fly documents the fields only.
void checkServices(const json::object& config) {
  const json::array* services = arrayOf(config, "services");
  if (!services) return;
  for (const json::value& entry : *services) {
    if (!entry.is_object()) refuse(400, "invalid config.services, must be a list of services");
    const json::object& service = entry.get_object();
    std::string protocol = textOf(service, "protocol");
    if (protocol != "tcp" && protocol != "udp") refuse(400, format("invalid config.services.protocol, '{}' must be tcp or udp", protocol));
    std::int64_t port = integerOf(service, "internal_port").value_or(0);
    if (port < 1 || port > 65'535) refuse(400, "invalid config.services.internal_port, must be between 1 and 65535");
  }
}

/// map[string]string: non-string values are refused as in Go.
void checkTexts(const json::object& config, std::string_view name) {
  const json::value* member = config.if_contains(name);
  if (!member || member->is_null()) return;
  if (!member->is_object())
    refuse(400, format("json: cannot unmarshal value into Go struct field MachineConfig.config.{} of type map[string]string", name));
  for (const auto& [key, value] : member->get_object()) {
    if (!value.is_string())
      refuse(400, format("json: cannot unmarshal value into Go struct field MachineConfig.config.{} of type string", name));
  }
}

void checkRestart(const json::object& config) {
  const json::object* restart = objectOf(config, "restart");
  if (!restart) return;
  std::string policy = textOf(*restart, "policy");
  if (!policy.empty() && policy != "no" && policy != "always" && policy != "on-failure" && policy != "spot-price") {
    refuse(400, format("invalid config.restart.policy, '{}' must be one of [no always on-failure]", policy));  // I: the wording
  }
}

void checkStop(const json::object& config) {
  const json::object* stop = objectOf(config, "stop_config");
  if (!stop) return;
  auto timeout = durationOf(*stop, "timeout");
  if (timeout && *timeout > std::chrono::seconds(300)) {
    refuse(400, "invalid config.stop_config.timeout, cannot exceed 300 seconds");  // I: the wording; §3: max 300 s
  }
}

}  // namespace

std::string_view goKind(const json::value& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_bool()) return "bool";
  return value.is_null() ? "null" : "number";
}

std::string textOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

bool flagOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_bool() && value->get_bool();
}

std::optional<std::int64_t> integerOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (!value || !value->is_number()) return std::nullopt;
  if (value->is_double()) return static_cast<std::int64_t>(value->get_double());
  if (value->is_uint64() && value->get_uint64() > INT64_MAX) return INT64_MAX;
  return value->to_number<std::int64_t>();
}

const json::object* objectOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_object() ? &value->get_object() : nullptr;
}

const json::array* arrayOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_array() ? &value->get_array() : nullptr;
}

std::vector<std::string> textsOf(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  if (const json::array* list = arrayOf(object, name)) {
    for (const json::value& entry : *list) {
      if (entry.is_string()) texts.emplace_back(entry.get_string());
    }
  }
  return texts;
}

const json::object* firstObject(const json::object& object, std::string_view name) {
  const json::array* list = arrayOf(object, name);
  return list && !list->empty() && list->front().is_object() ? &list->front().get_object() : nullptr;
}

std::optional<std::chrono::milliseconds> durationOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (!value) return std::nullopt;
  if (value->is_string()) return parseGoDuration(value->get_string());
  auto nanoseconds = integerOf(object, name);
  return nanoseconds ? std::optional(std::chrono::milliseconds(*nanoseconds / 1'000'000)) : std::nullopt;
}

GuestSize checkGuestObject(const json::object& object) {
  GuestSize guest;
  // I: the wording; Fly sells none any more.
  if (std::string kind = textOf(object, "gpu_kind"); !kind.empty()) refuse(400, format("invalid config.guest.gpu_kind, '{}'", kind));
  if (std::string kind = textOf(object, "cpu_kind"); !kind.empty()) guest.kind = kind;
  const GuestRule* rule = ruleOf(guest.kind);
  if (!rule) refuse(400, format("invalid config.guest.cpu_kind, '{}' must be one of [shared performance]", guest.kind));  // I: the wording
  std::int64_t cpus = integerOf(object, "cpus").value_or(1);
  if (cpus == 0) cpus = 1;  // Go's zero value: not given
  if (std::ranges::find(rule->cpus, cpus) == rule->cpus.end()) refuseBy("E28.cpus", {{"allowed", join(rule->cpus)}});
  guest.cpus = static_cast<int>(cpus);
  std::int64_t minimum = cpus * rule->minPerCpu, maximum = cpus * rule->maxPerCpu;
  std::int64_t memory = integerOf(object, "memory_mb").value_or(0);
  if (memory == 0) memory = minimum;
  if (memory < minimum) refuseBy("E28", {{"minimum", std::to_string(minimum)}});
  if (memory > maximum) refuseBy("E28.most", {{"most", std::to_string(maximum)}});
  if (memory % rule->step != 0)
    refuse(400, format("invalid config.guest.memory_mb, must be a multiple of {} MiB", rule->step));  // I: the wording
  guest.memoryMb = memory;
  return guest;
}

GuestSize checkGuest(const json::object& config) {
  if (const json::object* guest = objectOf(config, "guest")) return checkGuestObject(*guest);
  if (std::string size = textOf(config, "size"); !size.empty()) return presetOf(size);
  return {};
}

void checkConfig(const json::object& config) {
  checkTypes(config, Kind::Object, kConfig, "config");
  checkTexts(config, "env");
  checkTexts(config, "metadata");
  if (textOf(config, "image").empty()) refuse(400, "invalid config.image, must be set");  // I: the wording
  // Multi-container Machines are not emulated; refuse them instead of running half of one.
  if (const json::array* containers = arrayOf(config, "containers"); containers && !containers->empty()) {
    refuse(400, "the emulator does not run config.containers");  // I: status and wording
  }
  // §3: the status is observed. I: the wording.
  if (const json::array* mounts = arrayOf(config, "mounts"); mounts && mounts->size() > 1) {
    refuse(400, "invalid config.mounts, only one mount is supported");
  }
  if (const json::object* mount = firstObject(config, "mounts")) {
    if (!textOf(*mount, "path").starts_with('/'))
      refuse(400, "invalid config.mounts.path, must be an absolute path");  // I: status and wording
  }
  if (flagOf(config, "auto_destroy") && restartPolicyOf(config).when == RestartPolicy::When::Always) {
    refuse(400, "invalid config.auto_destroy, cannot be used with restart policy always");  // I: the wording; §3: works only with "no"
  }
  checkServices(config);
  checkRestart(config);
  checkStop(config);
}

RestartPolicy restartPolicyOf(const json::object& config) {
  RestartPolicy result;
  const json::object* restart = objectOf(config, "restart");
  if (!restart) return result;
  std::string policy = textOf(*restart, "policy");
  if (policy == "no") result.when = RestartPolicy::When::Never;
  if (policy == "always") result.when = RestartPolicy::When::Always;
  if (auto retries = integerOf(*restart, "max_retries"); retries && *retries > 0) result.maxRetries = *retries;
  return result;
}

}  // namespace swarm::emulator

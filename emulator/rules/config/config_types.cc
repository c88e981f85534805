// One table of members; recursion into objects and lists of objects.
#include "emulator/rules/config/config_view.h"

#include <span>
#include <string>
#include <string_view>

#include "base/text/format.h"
#include "emulator/api/answer.h"

namespace swarm::emulator {
namespace {

namespace json = boost::json;

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

std::string_view found(const json::value& value) {
  return value.is_string() ? "string" : value.is_number() ? "number" : value.is_bool() ? "bool" : value.is_array() ? "array" : "object";
}

bool fits(const json::value& value, Kind kind) {
  if (kind == Kind::Text) return value.is_string();
  if (kind == Kind::Integer) return value.is_int64() || value.is_uint64();
  if (kind == Kind::Flag) return value.is_bool();
  return kind == Kind::Object ? value.is_object() : value.is_array();
}

void check(const json::value& value, Kind kind, std::span<const Member> members, const std::string& path) {
  if (value.is_null()) return;
  if (!fits(value, kind))
    refuse(400, format("json: cannot unmarshal {} into Go struct field MachineConfig.{} of type {}", found(value), path,
                       kGoTypes[static_cast<std::size_t>(kind)]));
  if (kind == Kind::Texts || kind == Kind::Objects) {
    Kind inner = kind == Kind::Texts ? Kind::Text : Kind::Object;
    for (const json::value& item : value.get_array()) check(item, inner, members, path);
  }
  if (kind != Kind::Object) return;
  for (const Member& member : members) {
    const json::value* inner = value.get_object().if_contains(member.name);
    if (inner) check(*inner, member.kind, member.members, format("{}.{}", path, member.name));
  }
}

}  // namespace

void checkTypes(const json::object& config) { check(config, Kind::Object, kConfig, "config"); }

}  // namespace swarm::emulator

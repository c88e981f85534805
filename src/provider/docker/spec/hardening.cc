#include "provider/docker/spec/hardening.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>

#include "base/error.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "provider/docker/egress/egress_rules.h"

namespace swarm::docker {
namespace {

constexpr std::uintmax_t kMaxProfile = 1024 * 1024;

constexpr std::array<std::string_view, 9> kActions{"SCMP_ACT_ALLOW",        "SCMP_ACT_ERRNO",       "SCMP_ACT_KILL",
                                                   "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
                                                   "SCMP_ACT_NOTIFY",       "SCMP_ACT_TRACE",       "SCMP_ACT_TRAP"};

/// A folder in memory of a container with a read-only root. It counts to the container's memory, of which it takes a part at most, so that
/// a full one is an error of the program that fills it, and not the end of another process.
struct MemoryFolder {
  std::string_view path;
  std::string_view mode;
  std::int64_t part;  ///< of the memory: 1/part
};
/// /var/lib/swarm: the agent notes there that the container is set up. The home is one of them unless a volume is there.
constexpr std::array<MemoryFolder, 5> kMemoryFolders{
    {{"/tmp", "1777", 2}, {"/var/tmp", "1777", 4}, {"/run", "755", 8}, {"/var/lib/swarm", "755", 64}, {"/home/coder", "755", 2}}};

bool isCovered(std::string_view folder, const std::vector<VolumePlan>& volumes) {
  return std::ranges::any_of(volumes, [&](const VolumePlan& volume) {
    std::string_view mount = volume.mountPath;
    while (mount.size() > 1 && mount.ends_with('/')) mount.remove_suffix(1);
    return folder.starts_with(mount) && (folder.size() == mount.size() || folder[mount.size()] == '/');
  });
}

json::object memoryFolders(std::int64_t memory_mib, const std::vector<VolumePlan>& volumes) {
  json::object folders;
  for (const MemoryFolder& folder : kMemoryFolders) {
    if (isCovered(folder.path, volumes)) continue;
    const std::int64_t kib = memory_mib * 1024 / folder.part;
    folders[folder.path] = format("rw,nosuid,nodev,exec,size={}k,mode={}", kib, folder.mode);
  }
  return folders;
}

bool isAction(const json::value& value, std::string_view name) {
  return std::ranges::find(kActions, stringAt(value, name)) != kActions.end();
}

/// What is wrong with a profile, or nothing. The Engine checks the names of system calls, which depend on its version.
std::string faultOf(const json::value& profile) {
  if (!profile.is_object()) return "it is not a JSON object";
  const std::string actions = "SCMP_ACT_ALLOW, SCMP_ACT_ERRNO or another SCMP_ACT_…";
  if (!isAction(profile, "defaultAction")) return format("defaultAction is not {}", actions);
  const json::value* calls = member(profile, "syscalls");
  if (!calls) return {};
  if (!calls->is_array()) return "syscalls is not a list";
  for (std::size_t i = 0; i < calls->get_array().size(); ++i) {
    const json::value& rule = calls->get_array()[i];
    if (!isAction(rule, "action")) return format("action of syscalls[{}] is not {}", i, actions);
    if (textsAt(rule, "names").empty() && stringAt(rule, "name").empty()) return format("syscalls[{}] has no names", i);
  }
  return {};
}

}  // namespace

SecurityConfig effectiveSecurity(const SecurityConfig& requested, const DockerProviderConfig& config) {
  SecurityConfig security = requested;
  security.noNewPrivileges |= config.noNewPrivileges;
  security.readOnlyRoot |= config.readOnlyRoot;
  return security;
}

void harden(json::object& host, const InstanceConfig& instance, const DockerProviderConfig& config,
            const std::vector<VolumePlan>& volumes) {
  // sudo and sshd need neither raw sockets nor device nodes.
  host["CapDrop"] = json::array{"MKNOD", "NET_RAW"};
  const SecurityConfig security = effectiveSecurity(instance.security, config);
  json::array options;
  if (security.noNewPrivileges) options.push_back("no-new-privileges");
  if (!config.seccompText.empty()) options.push_back(json::string("seccomp=" + config.seccompText));
  if (!options.empty()) host["SecurityOpt"] = std::move(options);
  if (!security.readOnlyRoot) return;
  host["ReadonlyRootfs"] = true;
  host["Tmpfs"] = memoryFolders(instance.resources.memory.max, volumes);
}

std::string readSeccompProfile(const std::filesystem::path& file) {
  auto fail = [&](std::string_view why) {
    return Error(ErrorCode::InvalidArgument, format("The seccomp profile {} cannot be used: {}.", file.string(), why));
  };
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) throw fail(error.message());
  if (size > kMaxProfile) throw fail("it has more than 1 MiB");
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.good() && !stream.eof()) throw fail("it cannot be read");
  boost::system::error_code wrong;
  const json::value profile = json::parse(text, wrong);
  if (wrong) throw fail("it is not JSON");
  if (std::string fault = faultOf(profile); !fault.empty()) throw fail(fault);
  return json::serialize(profile);
}

ValidationCheck hardeningCheck(const DockerProviderConfig& config, const engine::Facts& facts) {
  const bool lacks_seccomp = !config.seccompProfile.empty() && !facts.hasSeccomp;
  std::string detail = facts.hasUserNamespaces ? "containers have user namespaces"
                                               : "containers have no user namespaces (userns-remap): their root is that of the machine";
  if (lacks_seccomp) {
    detail += "; the Engine does not support seccomp, and so not " + config.seccompProfile.string();
  } else if (!config.seccompProfile.empty()) {
    detail += "; seccomp profile " + config.seccompProfile.string();
  } else {
    detail += facts.hasSeccomp ? "; the Engine's own seccomp profile" : "; no seccomp";
  }
  if (config.noNewPrivileges) detail += "; no-new-privileges";
  if (config.readOnlyRoot) detail += "; read-only root";
  return {"hardening", !lacks_seccomp, std::move(detail)};
}

}  // namespace swarm::docker

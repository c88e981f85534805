// The rules of a configuration that are more than a range or a length (field_rules.h).
#include "model/rules/validation.h"

#include <boost/json/serialize.hpp>
#include <set>

#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/rules/egress_target.h"
#include "model/rules/rule_check.h"

namespace swarm {
namespace {

constexpr std::size_t kLongestEnvironment = 256 * 1024;
constexpr std::size_t kLongestValue = 32 * 1024;
constexpr std::size_t kLongestSetup = 16 * 1024;  // it reaches the agent in an environment variable
constexpr std::size_t kLongestMetadata = 64 * 1024;

/// Adds faults below one pointer.
struct At {
  Faults& faults;
  std::string pointer;

  At member(std::string_view name) const { return {faults, pointer + pointerStep(name)}; }
  At element(std::size_t index) const { return {faults, pointer + pointerStep(index)}; }
  void fail(std::string detail) const { faults.push_back({pointer, std::move(detail)}); }
  void require(bool condition, std::string_view detail) const {
    if (!condition) fail(std::string(detail));
  }
};

template <typename T>
void applyRules(const T& part, Faults& faults, std::string_view pointer) {
  const codec::Path path{nullptr, {}, 0, false, pointer};
  codec::Sink sink{faults, UnknownFields::Refuse};
  codec::checkPart(nullptr, part, path, sink);
}

bool hasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool hasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

/// `path` is `folder` or lies in it.
bool isWithin(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// What a mount at `path` would break, or nothing.
std::string_view brokenByMountAt(std::string_view path) {
  // At or below these; and above them, where the mount would hide them. The agent is in /usr/local/bin, and what runs as root reads /root.
  for (std::string_view folder : {"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/opt/swarm", "/proc", "/root",
                                  "/run", "/sbin", "/sys", "/usr", "/var/run"}) {
    if (isWithin(path, folder) || isWithin(folder, path)) return folder;
  }
  return {};
}

void validateCommand(const std::vector<std::string>& command, const At& at) {
  at.require(command.size() <= 256, "must have at most 256 parts");
  std::size_t size = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    size += command[i].size();
    if (hasNul(command[i])) at.element(i).fail("must not contain a NUL character");
  }
  if (!command.empty()) at.element(0).require(!command[0].empty(), "must not be empty: it is the program");
  at.require(size <= 64 * 1024, "must have at most 64 KiB in all");
}

void validateOneStorage(const StorageConfig& storage, const At& at) {
  At path = at.member("mountPath");
  if (storage.mountPath.empty()) {
    path.fail("is required");
  } else if (!isNormalPath(storage.mountPath) || storage.mountPath.size() > 255) {
    path.fail(R"(must be an absolute path like "/data": without "//", "." and ".." parts, a slash at its end, ":" and ",")");
  } else if (auto broken = brokenByMountAt(storage.mountPath); !broken.empty()) {
    path.fail(format("must not cover or lie in {}, which the workspace needs", broken));
  }
  at.member("volumeName")
      .require(storage.volumeName.empty() || isVolumeName(storage.volumeName),
               R"(must be 2 to 128 letters, digits, "_", "." and "-", and begin with a letter or digit)");
}

}  // namespace

void validateResources(const ResourceConfig& resources, Faults& faults, std::string_view pointer) {
  applyRules(resources, faults, pointer);
}

bool differInFixed(const ResourceConfig& a, const ResourceConfig& b) { return codec::differInFixed(a, b); }

void validateNetwork(const NetworkConfig& network, Faults& faults, std::string_view pointer) {
  At at{faults, std::string(pointer)};
  applyRules(network, faults, pointer);
  At ports = at.member("exposedPorts");
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < network.exposedPorts.size() && faults.size() < 100; ++i)
    ports.element(i).require(seen.insert(network.exposedPorts[i]).second, "is there twice");
  At regions = at.member("regions");
  for (std::size_t i = 0; i < network.regions.size() && faults.size() < 100; ++i)
    regions.element(i).require(isDnsLabel(network.regions[i]), "must be a region, like ams, or the name of a Docker host");
  if (!network.egress) return;
  At allow = at.member("egress").member("allow");
  for (std::size_t i = 0; i < network.egress->allow.size() && faults.size() < 100; ++i)
    allow.element(i).require(parseEgressTarget(network.egress->allow[i]).has_value(), kEgressTargetForm);
}

void validateStorage(const std::vector<StorageConfig>& storage, Faults& faults, std::string_view pointer) {
  At at{faults, std::string(pointer)};
  at.require(storage.size() <= 16, "must have at most 16 volumes");
  applyRules(storage, faults, pointer);
  std::set<std::string_view> paths, names;
  for (std::size_t i = 0; i < std::min<std::size_t>(storage.size(), 16); ++i) {
    validateOneStorage(storage[i], at.element(i));
    if (!storage[i].mountPath.empty())
      at.element(i).member("mountPath").require(paths.insert(storage[i].mountPath).second, "is there twice");
    if (!storage[i].volumeName.empty())
      at.element(i).member("volumeName").require(names.insert(storage[i].volumeName).second, "is there twice");
  }
}

void validateEnvironment(const std::map<std::string, std::string>& env, Faults& faults, std::string_view pointer) {
  At at{faults, std::string(pointer)};
  at.require(env.size() <= 512, "must have at most 512 variables");
  std::size_t size = 0;
  for (const auto& [name, value] : env) {
    At variable = at.member(name);
    size += name.size() + value.size() + 2;
    bool plain = !name.empty() && name.size() <= 256 && name.find('=') == std::string::npos && name.find(' ') == std::string::npos &&
                 !hasControl(name);
    variable.require(plain, "must have a name of 1 to 256 characters, without \"=\", spaces and control characters");
    variable.require(!name.starts_with("SWARM_"), "must not begin with SWARM_: these are the server's own");
    variable.require(!hasNul(value), "must not contain a NUL character");
    variable.require(value.size() <= kLongestValue, "must have at most 32 KiB");
    if (faults.size() > 100) return;
  }
  at.require(size <= kLongestEnvironment, "must have at most 256 KiB in all");
}

void validateLabels(const std::map<std::string, std::string>& labels, Faults& faults, std::string_view pointer) {
  At at{faults, std::string(pointer)};
  at.require(labels.size() <= 64, "must have at most 64 labels");
  auto wrong = [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/');
  };
  for (const auto& [key, value] : labels) {
    At label = at.member(key);
    label.require(!key.empty() && key.size() <= 128 && std::none_of(key.begin(), key.end(), wrong),
                  R"(must have a key of 1 to 128 letters, digits, ".", "_", "-" and "/")");
    label.require(key != "swarm" && !key.starts_with("swarm."), "must not begin with \"swarm.\": these labels are the server's own");
    label.require(value.size() <= 1024 && !hasControl(value), "must have at most 1024 characters, without control characters");
    if (faults.size() > 100) return;
  }
}

void validateMetadata(const boost::json::object& metadata, Faults& faults, std::string_view pointer) {
  if (boost::json::serialize(metadata).size() > kLongestMetadata)
    faults.push_back({std::string(pointer), "must have at most 64 KiB as JSON"});
}

void validate(const InstanceConfig& config, Faults& faults, std::string_view pointer) {
  At at{faults, std::string(pointer)};
  if (!config.name.empty()) {
    if (std::string fault = nameFault(config.name); !fault.empty()) at.member("name").fail(std::move(fault));
  }
  at.member("image").require(config.image.empty() || isImageReference(config.image),
                             "must be an image reference, like debian:12 or registry.example.com:5000/team/image:tag");
  validateCommand(config.command, at.member("command"));
  validateEnvironment(config.env, faults, at.member("env").pointer);
  validateResources(config.resources, faults, at.member("resources").pointer);
  validateNetwork(config.network, faults, at.member("network").pointer);
  validateStorage(config.storage, faults, at.member("storage").pointer);
  validateLabels(config.labels, faults, at.member("labels").pointer);
  validateMetadata(config.metadata, faults, at.member("metadata").pointer);
  bool is_script = config.setup.size() <= kLongestSetup && config.setup.find('\0') == std::string::npos;
  at.member("setup").require(is_script, "must be a script of at most 16 KiB without NUL bytes");
}

void validateDecoded(const InstanceConfig& config, Faults& faults) {
  Faults found;
  validate(config, found);
  auto known = faults.size();
  for (FieldError& fault : found) {
    auto end = faults.begin() + static_cast<std::ptrdiff_t>(known);
    bool has_one = std::any_of(faults.begin(), end, [&](const FieldError& one) { return one.pointer == fault.pointer; });
    if (!has_one) faults.push_back(std::move(fault));
  }
}

}  // namespace swarm

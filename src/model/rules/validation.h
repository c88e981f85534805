// What a configuration must be before anything is done with it: every rule at once, each fault with its JSON pointer. Pure; thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/types/instance_config.h"

namespace swarm {

using Faults = std::vector<FieldError>;

/// Checks all of it. An empty name, image or storage list is fine: fillInDefaults() makes them. `pointer`: where it stands in the request.
void validate(const InstanceConfig& config, Faults& faults, std::string_view pointer = "");
void validateResources(const ResourceConfig& resources, Faults& faults, std::string_view pointer);
void validateNetwork(const NetworkConfig& network, Faults& faults, std::string_view pointer);
void validateStorage(const std::vector<StorageConfig>& storage, Faults& faults, std::string_view pointer);
void validateEnvironment(const std::map<std::string, std::string>& env, Faults& faults, std::string_view pointer);
void validateLabels(const std::map<std::string, std::string>& labels, Faults& faults, std::string_view pointer);
void validateMetadata(const boost::json::object& metadata, Faults& faults, std::string_view pointer);

/// Whether a change from `a` to `b` requires another container or Machine at every provider (FieldRule::fixed).
bool differInFixed(const ResourceConfig& a, const ResourceConfig& b);

/// validate() after decode(): what could not be read at all, and so has a fault already, gets no second one.
void validateDecoded(const InstanceConfig& config, Faults& faults);

/// Why `name` can't be an instance's name, as "must …"; empty when it can. A DNS label of 1 to 40 of [a-z0-9-], no dash at its ends, no
/// "--" (host names are "<port>--<name>"), no word that hosts of ours may need, and not of an instance id's form (":id" is an id or a
/// name).
std::string nameFault(std::string_view name);
/// An OCI image reference: [host[:port]/]path[:tag][@sha256:…], at most 255 characters.
bool isImageReference(std::string_view text);
/// A network's or snapshot's name: 2 to 64 of [A-Za-z0-9_.-], beginning with a letter or digit.
bool isResourceName(std::string_view text);
/// The same with at most 128 characters: names that providers make contain the instance's id and the mount path, and a volume that a
/// deleted instance left is attached by its name.
bool isVolumeName(std::string_view text);
/// 1 to 63 of [a-z0-9-], no dash at its ends: the name of a Docker host, say.
bool isDnsLabel(std::string_view text);
/// An absolute path without empty, "." or ".." parts and without a slash at its end, of printable characters but ":" and ",".
bool isNormalPath(std::string_view path);

/// What is put where a request says nothing.
struct ConfigDefaults {
  std::string namePrefix = "ws-";
  std::string image;
  StorageConfig home{10, true, "/home/coder", ""};
};

/// Fills in name ("ws-brave-otter-42", another one while `isTaken` returns true), image and storage (one persistent volume at /home/coder).
void fillInDefaults(InstanceConfig& config, const ConfigDefaults& defaults, const std::function<bool(std::string_view)>& isTaken);

/// A name that people can say: prefix, adjective, animal and two digits (longer when many are taken).
std::string makeInstanceName(std::string_view prefix, const std::function<bool(std::string_view)>& isTaken);

}  // namespace swarm

#include "provider/docker/spec/request_policy.h"

#include "base/error.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/rules/validation.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {
namespace {

Error refused(std::string pointer, std::string message) {
  return Error(ErrorCode::Unprocessable, message).withField(std::move(pointer), message);
}

}  // namespace

bool isListed(const std::string& image, const DockerProviderConfig& config) {
  return image == config.workspaceImage || isLocalOnly(image, config) || matchesAny(image, config.allowedImages);
}

std::optional<Error> imageRefusal(const std::string& image, ImageChoice choice, const DockerProviderConfig& config) {
  return isListed(image, config) ? std::nullopt : refusalOfUnlisted(image, choice);
}

void checkImage(const std::string& image, ImageChoice choice, const DockerProviderConfig& config) {
  if (auto refusal = imageRefusal(image, choice, config)) throw std::move(*refusal);
}

void checkNetworkOptions(const NetworkConfig& network, const DockerProviderConfig& config) {
  if (!network.docker) return;
  const std::string name_at = "/network/docker/networkName";
  const auto& [name, driver] = *network.docker;
  std::vector<FieldError> faults;
  if (!name.empty() && !isResourceName(name)) faults.push_back({name_at, R"(must be 2 to 64 letters, digits, "_", "." and "-")"});
  if (name == "host" || name == "none") faults.push_back({name_at, "must be a network of its own: \"host\" and \"none\" are not isolated"});
  if (!isResourceName(driver) || driver == "host" || driver == "null")
    faults.push_back({"/network/docker/networkDriver", "must be a network driver, like bridge"});
  throwIfAny(std::move(faults));
  if (!name.empty() && name != config.networkName && config.isolation == Isolation::instance)
    throw refused(name_at, "This server gives each workspace a network of its own. Leave out networkName.");
  if (name.empty() || name.find_first_not_of("0123456789abcdef") != std::string::npos) return;
  throw refused(name_at, format("\"{}\" could be the id of another network. Use a name with a letter after f, or a dash.", name));
}

void checkPolicy(const InstanceSpec& spec, const DockerProviderConfig& config) {
  if (!spec.config.image.empty()) checkImage(spec.config.image, spec.imageChoice, config);
  checkNetworkOptions(spec.config.network, config);
}

}  // namespace swarm::docker

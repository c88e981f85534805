#include "provider/docker/spec/request_policy.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/rules/validation.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {
namespace {

constexpr std::string_view kHub = "docker.io";

/// Last labels of names that only an internal network resolves.
constexpr std::array<std::string_view, 9> kInternalNames{"localhost", "local", "internal",    "intranet", "lan",
                                                         "home",      "corp",  "localdomain", "arpa"};

Error refused(std::string pointer, std::string message) {
  return Error(ErrorCode::Unprocessable, message).withField(std::move(pointer), message);
}

bool isInternalHost(std::string_view registry) {
  if (registry.starts_with('[')) return true;  // an IPv6 address
  std::string host(registry.substr(0, registry.find(':')));
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  while (host.ends_with('.')) host.pop_back();
  auto dot = host.rfind('.');
  if (dot == std::string::npos) return true;  // a single label, "localhost" among them
  std::string_view last = std::string_view(host).substr(dot + 1);
  // No name ends in a number: 127.0.0.1, 127.1, 0x7f.0.0.1 are addresses.
  return last.empty() || (last[0] >= '0' && last[0] <= '9') || std::ranges::find(kInternalNames, last) != kInternalNames.end();
}

/// `*` stands for any characters.
bool matches(std::string_view text, std::string_view pattern) {
  std::size_t at = 0, in = 0, star = std::string_view::npos, retry = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      retry = at;
    } else if (in < pattern.size() && pattern[in] == text[at]) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

}  // namespace

std::string registryOf(std::string_view image) {
  auto slash = image.find('/');
  std::string_view first = image.substr(0, slash == std::string_view::npos ? 0 : slash);
  bool is_host = first.find_first_of(".:[") != std::string_view::npos || first == "localhost" ||
                 std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
  return std::string(is_host ? first : kHub);
}

bool isImageAllowed(const std::string& image, const DockerProviderConfig& config) {
  if (isLocalOnly(image, config)) return true;
  if (config.allowedImages.empty()) return !isInternalHost(registryOf(image));
  std::string full = image;
  if (registryOf(image) == kHub && !image.starts_with("docker.io/"))
    full = format("docker.io/{}{}", image.find('/') == std::string::npos ? "library/" : "", image);
  return std::ranges::any_of(config.allowedImages,
                             [&](const std::string& pattern) { return matches(image, pattern) || matches(full, pattern); });
}

std::optional<Error> imageRefusal(const std::string& image, const DockerProviderConfig& config) {
  if (isImageAllowed(image, config)) return std::nullopt;
  if (!config.allowedImages.empty())
    return refused("/image", format("The image {} is not among those that this server allows (allowedImages of [docker]).", image));
  return refused("/image", format("Images are not pulled from {}: it is an address, or a name of an internal network. An administrator can "
                                  "allow them (allowedImages of [docker]).",
                                  registryOf(image)));
}

void checkImage(const std::string& image, const DockerProviderConfig& config) {
  if (auto refusal = imageRefusal(image, config)) throw std::move(*refusal);
}

void checkNetworkOptions(const NetworkConfig& network) {
  if (!network.docker) return;
  const std::string name_at = "/network/docker/networkName";
  const auto& [name, driver] = *network.docker;
  std::vector<FieldError> faults;
  if (!name.empty() && !isResourceName(name)) faults.push_back({name_at, R"(must be 2 to 64 letters, digits, "_", "." and "-")"});
  if (name == "host" || name == "none") faults.push_back({name_at, "must be a network of its own: \"host\" and \"none\" are not isolated"});
  if (!isResourceName(driver) || driver == "host" || driver == "null")
    faults.push_back({"/network/docker/networkDriver", "must be a network driver, like bridge"});
  throwIfAny(std::move(faults));
  if (name.empty() || name.find_first_not_of("0123456789abcdef") != std::string::npos) return;
  throw refused(name_at, format("\"{}\" could be the id of another network. Use a name with a letter after f, or a dash.", name));
}

void checkPolicy(const InstanceConfig& config, const DockerProviderConfig& engine) {
  if (!config.image.empty()) checkImage(config.image, engine);
  checkNetworkOptions(config.network);
}

}  // namespace swarm::docker

#include "provider/flyio/spec/fly_names.h"

#include <algorithm>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/number.h"

namespace swarm::flyio {
namespace {

constexpr std::size_t kMaxAppName = 63;
constexpr std::size_t kMaxPrefix = 20;

std::string dashed(std::string_view text) {
  std::string out;
  for (char c : text) {
    char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    bool plain = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9');
    if (plain || (!out.empty() && out.back() != '-')) out += plain ? low : '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

std::string shortHash(std::string_view text) { return toHex(sha256(text)).substr(0, 8); }

int suffixNumber(std::string_view text, std::string_view before) {
  if (!text.starts_with(before)) return -1;
  const int number = parseNumber<int>(text.substr(before.size())).value_or(-1);
  return number > 0 ? number : -1;
}

}  // namespace

std::string appNamePrefix(const FlyIOProviderConfig& config, const std::string& swarm_id) {
  std::string prefix = dashed(config.appPrefix).substr(0, kMaxPrefix);
  while (prefix.ends_with('-')) prefix.pop_back();
  return format("{}-{}-", prefix.empty() ? "swarm" : prefix, shortHash(swarm_id));
}

std::string appName(const FlyIOProviderConfig& config, const std::string& swarm_id, const PlaceId& place_id) {
  std::string name = appNamePrefix(config, swarm_id) + dashed(place_id.str());
  if (name.size() > kMaxAppName) name = name.substr(0, kMaxAppName - 9) + "-" + shortHash(place_id.str());
  return name;
}

std::string folderName(const PlaceId& place_id, const StorageConfig& storage) {
  if (!storage.volumeName.empty()) return storage.volumeName;
  return format("swarm-{}-{}-{}", place_id, dashed(storage.mountPath).substr(0, 40), shortHash(storage.mountPath));
}

PlaceId placeOf(const Machine& machine) { return PlaceId(machine.metadata(kMetaInstance)); }

std::string machineName(const PlaceId& place_id, int generation) {
  return generation == 0 ? place_id.str() : format("{}-g{}", place_id, generation);
}

int generationOf(const Machine& machine) { return std::max(0, suffixNumber(machine.name, machine.metadata(kMetaInstance) + "-g")); }

std::string volumeName(int generation) { return generation == 0 ? std::string(kVolumeName) : format("{}_{}", kVolumeName, generation); }

int generationOf(const Volume& volume) {
  return volume.name == kVolumeName ? 0 : suffixNumber(volume.name, std::string(kVolumeName) + "_");
}

bool isReader(const Machine& machine) { return machine.metadata(kMetaRole) == kReaderRole; }

bool isReader(const Volume& volume) { return volume.name.starts_with("reader_"); }

std::string readerVolume(const PlaceId& reader) { return "reader_" + toHex(sha256(reader.str())).substr(0, 16); }

std::string readerSecret(const PlaceId& reader) {
  std::string name = "SWARM_READER_" + toHex(sha256(reader.str())).substr(0, 16);
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

std::string appUrl(const FlyIOProviderConfig& config, const std::string& app) {
  std::string text = config.appUrl;
  auto at = text.find("{app}");
  if (at != std::string::npos) text.replace(at, 5, app);
  return text;
}

std::string privateAppUrl(const FlyIOProviderConfig& config, const std::string& app) {
  return config.appUrl == FlyIOProviderConfig{}.appUrl ? format("http://{}.flycast", app) : appUrl(config, app);
}

}  // namespace swarm::flyio

// Names, bodies and archives.
#include "emulator/docker/machine_body.h"

#include <algorithm>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "engine/format/tar.h"

namespace swarm::emulator {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMib = 1024 * 1024;
constexpr std::string_view kInitPath = ".fly/init";
constexpr std::size_t kLongestPath = 100;  // of the archive format

std::string archivePath(const std::string& path) {
  bool good = path.size() > 1 && path.front() == '/' && path.back() != '/' && path.find('\0') == std::string::npos &&
              !(path + "/").contains("/../");
  if (!good) throw Error(ErrorCode::Unprocessable, format("\"{}\" is not an absolute path of a file.", path));
  std::string relative = path.substr(1);
  if (relative.size() > kLongestPath) {
    throw Error(ErrorCode::Unprocessable,
                format("The path {} is longer than {} bytes, the emulator's limit for files.", path, kLongestPath));
  }
  return relative;
}

json::object hostConfig(const MachinePlan& plan, std::string_view emulator_id, const engine::Facts& engine) {
  json::object host;
  std::int64_t cpus = engine.cpus > 0 ? std::min(plan.cpus, engine.cpus) : plan.cpus;
  host["NanoCpus"] = cpus * 1'000'000'000;
  // A shared CPU may burst to a whole one, and has to yield to others: Fly guarantees 1/16 of each.
  host["CpuShares"] = std::max<std::int64_t>(2, plan.cpus * (plan.sharedCpu ? 64 : 1024));
  host["Memory"] = plan.memoryMb * kMib;
  host["MemorySwap"] = plan.memoryMb * kMib;
  host["NetworkMode"] = networkName(emulator_id, plan.network);
  host["RestartPolicy"] = json::object{{"Name", "no"}};
  host["Init"] = false;
  host["LogConfig"] = json::object{{"Type", "json-file"}, {"Config", json::object{{"max-size", "10m"}, {"max-file", "2"}}}};
  // A Machine is a virtual machine: its root may mount file systems.
  host["CapAdd"] = json::array{"SYS_ADMIN"};
  host["SecurityOpt"] = json::array{"apparmor=unconfined"};
  if (!plan.volumeId.empty()) {
    // A fresh volume is an empty file system: nothing is copied into it from the image.
    host["Mounts"] = json::array{json::object{{"Type", "volume"},
                                              {"Source", volumeName(emulator_id, plan.volumeId)},
                                              {"Target", plan.mountPath},
                                              {"VolumeOptions", json::object{{"NoCopy", true}}}}};
  }
  return host;
}

}  // namespace

ImageDetails readImage(std::string reference, const json::value& inspection) {
  ImageDetails image;
  image.reference = std::move(reference);
  image.facts.digest = engine::stringAt(inspection, "Id");
  for (const std::string& digest : engine::textsAt(inspection, "RepoDigests")) {
    if (auto at = digest.find('@'); at != std::string::npos) image.facts.digest = digest.substr(at + 1);
  }
  if (const json::object* labels = engine::objectAt(inspection, "Config.Labels")) {
    for (const auto& [key, value] : *labels) {
      if (value.is_string()) image.facts.labels[key] = std::string(value.as_string());
    }
  }
  image.entrypoint = engine::textsAt(inspection, "Config.Entrypoint");
  image.command = engine::textsAt(inspection, "Config.Cmd");
  return image;
}

std::vector<std::string> imageCandidates(const std::string& image) {
  std::vector<std::string> candidates{image};
  constexpr std::string_view kRegistry = "registry.fly.io/";
  if (image.starts_with(kRegistry)) candidates.push_back(image.substr(image.rfind('/') + 1));
  return candidates;
}

std::string containerName(std::string_view emulator_id, std::string_view machine_id) {
  return format("fly-{}-{}", emulator_id, machine_id);
}
std::string volumeName(std::string_view emulator_id, std::string_view volume_id) { return format("fly-{}-{}", emulator_id, volume_id); }
std::string networkName(std::string_view emulator_id, std::string_view network) {
  return format("fly-{}-{}", emulator_id, toHex(sha256(network)).substr(0, 12));
}

std::vector<std::string> mainProcess(const MachinePlan& plan, const ImageDetails& image) {
  if (!plan.exec.empty()) return plan.exec;
  std::vector<std::string> words = plan.entrypoint.empty() ? image.entrypoint : plan.entrypoint;
  const std::vector<std::string>& command = plan.command.empty() ? image.command : plan.command;
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

json::object machineBody(const MachinePlan& plan, const ImageDetails& image, std::string_view emulator_id, const engine::Facts& engine) {
  std::vector<std::string> main = mainProcess(plan, image);
  if (main.empty()) {
    throw Error(ErrorCode::Unprocessable, format("The image {} has no command, and the Machine's configuration has none.", plan.image));
  }
  json::object body;
  body["Hostname"] = plan.machineId;
  body["Image"] = image.reference;
  body["Entrypoint"] = json::array{json::string(format("/{}", kInitPath)), "init"};
  body["Cmd"] = json::array(main.begin(), main.end());
  json::array env;
  for (const auto& [key, value] : plan.env) env.push_back(json::string(key + "=" + value));
  body["Env"] = std::move(env);
  body["HostConfig"] = hostConfig(plan, emulator_id, engine);
  body["Labels"] =
      json::object{{kLabelEmulator, emulator_id}, {kLabelMachine, plan.machineId}, {kLabelApp, plan.app}, {kLabelNetwork, plan.network}};
  return body;
}

std::string guestArchive(const MachinePlan& plan, std::string_view guest_tool) {
  engine::TarWriter tar;
  tar.addFolder(".fly", 0755);
  tar.addFile(kInitPath, 0755, guest_tool);
  // As on each ext4 file system; the volume is mounted while the archive is unpacked.
  if (!plan.volumeId.empty()) tar.addFolder(archivePath(plan.mountPath + "/lost+found"), 0700);
  for (const GuestFile& file : plan.files) tar.addFile(archivePath(file.path), file.mode & 07777, file.content);
  return std::move(tar).finish();
}

json::object networkBody(std::string_view emulator_id, const std::string& network, int attempt) {
  std::string name = networkName(emulator_id, network);
  json::object body{{"Name", name},
                    {"CheckDuplicate", true},
                    {"Driver", "bridge"},
                    {"Labels", json::object{{kLabelEmulator, emulator_id}, {kLabelNetwork, network}}}};
  if (attempt < 0) return body;
  // The Engine's own pools allow about thirty networks, and every app has one. 198.18.0.0/15 is reserved for benchmarks (RFC 2544): 2048
  // ranges of 62.
  std::string digest = sha256(format("{}/{}", name, attempt));
  unsigned index = (static_cast<unsigned char>(digest[0]) << 8 | static_cast<unsigned char>(digest[1])) % 2048;
  std::string subnet = format("198.{}.{}.{}/26", 18 + index / 1024, index / 4 % 256, index % 4 * 64);
  body["IPAM"] = json::object{{"Driver", "default"}, {"Config", json::array{json::object{{"Subnet", subnet}}}}};
  return body;
}

}  // namespace swarm::emulator

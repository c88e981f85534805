// Paths to folders with counts.
#include "provider/docker/container/container_changes.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <map>

#include "provider/docker/engine/engine_client.h"

namespace swarm::docker {
namespace {

constexpr std::size_t kMostFolders = 20;
constexpr std::array<std::string_view, 13> kPassing{
    "/dev", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/swarm", "/proc",   "/run",
    "/sys", "/tmp",          "/var/cache", "/var/lib/swarm",   "/var/log",   "/var/run"};

bool isAt(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string_view parentOf(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : path.substr(0, slash);
}

}  // namespace

ReplacementLoss readChanges(std::string_view answer, bool is_cut, const std::vector<std::string>& mount_paths) {
  ReplacementLoss loss;
  loss.more = is_cut;
  std::string whole(answer);
  if (is_cut) {
    auto end = whole.rfind("},");
    whole = end == std::string::npos ? "[]" : whole.substr(0, end + 1) + "]";
  }
  boost::system::error_code error;
  json::value list = json::parse(whole, error);
  if (error || !list.is_array()) return loss;
  std::vector<std::string> paths;
  for (const json::value& change : list.as_array()) {
    std::string path = stringAt(change, "Path");
    bool passes = std::ranges::any_of(kPassing, [&](std::string_view folder) { return isAt(path, folder); }) ||
                  std::ranges::any_of(mount_paths, [&](const std::string& mount) { return isAt(path, mount); });
    if (path.starts_with('/') && !passes) paths.push_back(path + "/");  // so that a folder stands right before what is in it
  }
  std::ranges::sort(paths);
  std::map<std::string, std::int64_t> folders;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    bool is_parent = i + 1 < paths.size() && paths[i + 1].starts_with(paths[i]);
    auto leads_to = [&](std::string_view skipped) { return skipped.starts_with(paths[i]); };
    if (is_parent || std::ranges::any_of(mount_paths, leads_to) || std::ranges::any_of(kPassing, leads_to)) continue;
    ++loss.files;
    paths[i].pop_back();
    ++folders[std::string(parentOf(paths[i]))];
  }
  for (const auto& [path, files] : folders) loss.folders.push_back({path, files});
  // Those with most first; of equals, by name.
  std::ranges::sort(loss.folders, [](const DroppedFolder& a, const DroppedFolder& b) {
    return a.files != b.files ? a.files > b.files : a.path < b.path;
  });
  if (loss.folders.size() > kMostFolders) loss.folders.resize(kMostFolders);
  return loss;
}

}  // namespace swarm::docker

#include "provider/docker/spec/container_changes.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <map>

#include "provider/docker/docker_context.h"

namespace swarm::docker {
namespace {

constexpr std::size_t kMaxFolders = 20;
constexpr std::array<std::string_view, 13> kTemporary{
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

ReplacementLoss readChanges(const engine::PartialText& changes, const std::vector<std::string>& mount_paths) {
  ReplacementLoss loss;
  loss.more = changes.isCut;
  std::string whole = changes.text;
  if (changes.isCut) {
    auto end = whole.rfind("},");
    whole = end == std::string::npos ? "[]" : whole.substr(0, end + 1) + "]";
  }
  boost::system::error_code error;
  json::value list = json::parse(whole, error);
  if (error || !list.is_array()) return loss;
  std::vector<std::string> paths;
  for (const json::value& change : list.as_array()) {
    std::string path = stringAt(change, "Path");
    bool is_temporary = std::ranges::any_of(kTemporary, [&](std::string_view folder) { return isAt(path, folder); }) ||
                        std::ranges::any_of(mount_paths, [&](const std::string& mount) { return isAt(path, mount); });
    if (path.starts_with('/') && !is_temporary) paths.push_back(path + "/");  // so that a folder is right before what is in it
  }
  std::ranges::sort(paths);
  std::map<std::string, std::int64_t> folders;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    bool is_parent = i + 1 < paths.size() && paths[i + 1].starts_with(paths[i]);
    auto leads_to = [&](std::string_view skipped) { return skipped.starts_with(paths[i]); };
    if (is_parent || std::ranges::any_of(mount_paths, leads_to) || std::ranges::any_of(kTemporary, leads_to)) continue;
    ++loss.files;
    paths[i].pop_back();
    ++folders[std::string(parentOf(paths[i]))];
  }
  for (const auto& [path, files] : folders) loss.folders.push_back({path, files});
  // Those with most files first; among equals, by name.
  std::ranges::sort(loss.folders, [](const DroppedFolder& a, const DroppedFolder& b) {
    return a.files != b.files ? a.files > b.files : a.path < b.path;
  });
  if (loss.folders.size() > kMaxFolders) loss.folders.resize(kMaxFolders);
  return loss;
}

}  // namespace swarm::docker

// Names are compared component by component; no component may be "", "." or "..".
#include "agent/archive/names.h"

#include <algorithm>

#include "base/error.h"
#include "base/text/format.h"
#include "transfer/tree/files.h"

namespace swarm::agent {
namespace {

bool isProper(std::string_view rest) {
  while (!rest.empty()) {
    auto slash = rest.find('/');
    std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return true;
}

}  // namespace

StorageNames::StorageNames(std::vector<std::string> storages) {
  for (std::string& storage : storages) storages_.push_back(storage.substr(std::min(storage.find_first_not_of('/'), storage.size())));
}

std::string StorageNames::checked(std::string_view name) const {
  std::string_view rest = name;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  bool inside = std::ranges::any_of(storages_, [&](const std::string& storage) {
    return rest.starts_with(storage) && (rest.size() == storage.size() || rest[storage.size()] == '/');
  });
  if (inside && isProper(rest)) return std::string(rest);
  throw Error(ErrorCode::Unprocessable,
              format("The archive contains a path or link outside of its storages: \"{}\". Do not trust it.", transfer::readable(name)));
}

}  // namespace swarm::agent

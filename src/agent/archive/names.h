// StorageNames: checks which names of an archive are inside of its storages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm::agent {

class StorageNames {
 public:
  StorageNames() = default;
  explicit StorageNames(std::vector<std::string> storages);  ///< absolute paths
  /// The name without a trailing slash. Throws Error(Unprocessable) when it is outside of all storages, or has components that lead
  /// elsewhere.
  std::string checked(std::string_view name) const;

 private:
  std::vector<std::string> storages_;  // without the first "/"
};

}  // namespace swarm::agent

// Variables: the environment of the server, as configuration.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace swarm {

class Variables {
 public:
  /// Values of flags, each by the variable that it replaces.
  using Flags = std::map<std::string, std::optional<std::string>>;
  explicit Variables(Flags flags = {}) : flags_(std::move(flags)) {}

  /// Absent: not set, or empty.
  std::optional<std::string> get(const std::string& name) const {
    if (auto flag = flags_.find(name); flag != flags_.end() && flag->second) return flag->second;
    const char* value = std::getenv(name.c_str());
    if (!value || !*value) return std::nullopt;
    return value;
  }

  /// Returns whether the variable is set. A list is "a,b".
  template <typename T>
  bool read(const std::string& name, T& into) const {
    const auto value = get(name);
    if (!value) return false;
    if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      into = split(*value);
    } else {
      into = *value;
    }
    return true;
  }

 private:
  static std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= list.size();) {
      std::size_t end = std::min(list.find(',', begin), list.size());
      if (end > begin) parts.push_back(list.substr(begin, end - begin));
      begin = end + 1;
    }
    return parts;
  }

  Flags flags_;
};

}  // namespace swarm

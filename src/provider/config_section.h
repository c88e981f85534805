// One table of swarm.toml, read key by key. Only config_section.cc uses toml++.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace swarm {

/// Records the keys that were read, so that a misspelt key is an error. Everything throws Error(InvalidArgument) with file, line, key and
/// the expected value. Copies share one record.
class ConfigSection {
 public:
  /// The table that contains all others.
  static ConfigSection parse(const std::string& file);

  void read(std::string_view key, std::string& into);
  void read(std::string_view key, Secret& into);
  void read(std::string_view key, bool& into);
  void read(std::string_view key, double& into);
  void read(std::string_view key, std::int64_t& into);
  template <std::integral Integer>
  void read(std::string_view key, Integer& into) {
    std::int64_t value = into;
    read(key, value);
    into = static_cast<Integer>(value);
  }
  void read(std::string_view key, std::filesystem::path& into);
  void read(std::string_view key, std::map<std::string, std::string>& into);
  void read(std::string_view key, std::vector<std::string>& into);
  /// The described members of a type are keys, and those of a described type are tables.
  template <typename T>
  void readMembers(T& into) {
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>([&](auto member) {
      auto& part = into.*member.pointer;
      if constexpr (!boost::describe::has_describe_members<std::remove_cvref_t<decltype(part)>>::value) {
        read(member.name, part);
      } else if (auto table = child(member.name)) {
        table->readMembers(part);
        table->refuseUnknown();
      }
    });
  }
  std::optional<ConfigSection> child(std::string_view key);

  /// The names of all tables in this one; for a section of sections.
  std::vector<std::string> childNames() const;
  /// To be called after all reads.
  void refuseUnknown() const;

 private:
  struct Table;
  explicit ConfigSection(std::shared_ptr<Table> table) : table_(std::move(table)) {}

  std::shared_ptr<Table> table_;
};

}  // namespace swarm

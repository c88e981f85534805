// One table of swarm.toml, read key by key; only config.cc includes this.
#pragma once

#include <toml++/toml.h>
#include <concepts>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {

/// Reads one table and records the keys that were read, so that a misspelt key is an error.
class Section {
 public:
  Section(const toml::table& table, std::string name, const std::string& file) : table_(table), name_(std::move(name)), file_(file) {}

  void read(std::string_view key, std::string& into) { readAs<std::string>(key, into, "text in quotes"); }
  void read(std::string_view key, bool& into) { readAs<bool>(key, into, "true or false"); }
  template <std::integral Integer>
  void read(std::string_view key, Integer& into) {
    std::int64_t value = into;
    readAs<std::int64_t>(key, value, "a whole number");
    into = static_cast<Integer>(value);
  }
  void read(std::string_view key, double& into) {
    known_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (!node) return;
    if (auto value = node->value<double>(); value && node->is_number()) {
      into = *value;
    } else {
      throw wrong(*node, key, "a number");
    }
  }
  void read(std::string_view key, std::filesystem::path& into) {
    std::string text;
    read(key, text);
    if (!text.empty()) into = text;
  }
  void read(std::string_view key, std::map<std::string, std::string>& into) {
    known_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (!node) return;
    if (!node->is_table()) throw wrong(*node, key, "a table of texts, like { team = \"blue\" }");
    for (const auto& [name, value] : *node->as_table()) {
      auto text = value.value_exact<std::string>();
      if (!text) throw wrong(value, name.str(), "text in quotes");
      into[std::string(name.str())] = *text;
    }
  }
  void read(std::string_view key, std::vector<std::string>& into) {
    known_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (!node) return;
    if (!node->is_array()) throw wrong(*node, key, "a list of texts, like [\"10.0.0.1\"]");
    into.clear();
    for (const auto& element : *node->as_array()) {
      auto text = element.value_exact<std::string>();
      if (!text) throw wrong(element, key, "a list of texts");
      into.push_back(*text);
    }
  }
  std::optional<Section> child(std::string_view key) {
    known_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (!node) return std::nullopt;
    if (!node->is_table()) throw wrong(*node, key, "a table");
    return Section(*node->as_table(), name_.empty() ? std::string(key) : name_ + "." + std::string(key), file_);
  }

  /// The names of all tables in this one; for a section of sections.
  std::vector<std::string> childNames() {
    std::vector<std::string> names;
    for (const auto& [key, value] : table_) names.emplace_back(key.str());
    return names;
  }

  /// To be called after all reads.
  void refuseUnknown() const {
    for (const auto& [key, value] : table_) {
      if (known_.contains(std::string(key.str()))) continue;
      std::string expected;
      for (const std::string& name : known_) expected += (expected.empty() ? "" : ", ") + name;
      throw Error(ErrorCode::InvalidArgument, format("{}:{}: unknown key \"{}\"{}. Expected one of: {}.", file_, key.source().begin.line,
                                                     key.str(), name_.empty() ? std::string() : " in [" + name_ + "]", expected));
    }
  }

  Error wrong(const toml::node& node, std::string_view key, std::string_view expected) const {
    return Error(ErrorCode::InvalidArgument, format("{}:{}: \"{}\" must be {}.", file_, node.source().begin.line, key, expected));
  }

 private:
  template <typename T>
  void readAs(std::string_view key, T& into, std::string_view expected) {
    known_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (!node) return;
    auto value = node->value_exact<T>();
    if (!value) throw wrong(*node, key, expected);
    into = *value;
  }

  const toml::table& table_;
  std::string name_;
  const std::string& file_;
  std::set<std::string> known_;
};

}  // namespace swarm

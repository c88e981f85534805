#include "provider/config_section.h"

#include <toml++/toml.h>
#include <set>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {

struct ConfigSection::Table {
  std::shared_ptr<const toml::table> keys;
  std::string name;
  std::string file;
  std::set<std::string> known{};

  const toml::node* find(std::string_view key) {
    known.insert(std::string(key));
    return keys->get(key);
  }

  template <typename T>
  void readAs(std::string_view key, T& into, std::string_view expected) {
    const toml::node* node = find(key);
    if (!node) return;
    auto value = node->value_exact<T>();
    if (!value) throw wrong(*node, key, expected);
    into = *value;
  }

  Error wrong(const toml::node& node, std::string_view key, std::string_view expected) const {
    return Error(ErrorCode::InvalidArgument, format("{}:{}: \"{}\" must be {}.", file, node.source().begin.line, key, expected));
  }
};

ConfigSection ConfigSection::parse(const std::string& file) {
  try {
    auto keys = std::make_shared<const toml::table>(toml::parse_file(file));
    return ConfigSection(std::make_shared<Table>(std::move(keys), "", file));
  } catch (const toml::parse_error& error) {
    throw Error(ErrorCode::InvalidArgument, format("{}:{}: {}.", file, error.source().begin.line, error.description()));
  }
}

void ConfigSection::read(std::string_view key, std::string& into) { table_->readAs(key, into, "text in quotes"); }
void ConfigSection::read(std::string_view key, bool& into) { table_->readAs(key, into, "true or false"); }
void ConfigSection::read(std::string_view key, std::int64_t& into) { table_->readAs(key, into, "a whole number"); }

void ConfigSection::read(std::string_view key, double& into) {
  const toml::node* node = table_->find(key);
  if (!node) return;
  if (!node->is_number()) throw table_->wrong(*node, key, "a number");
  into = *node->value<double>();
}

void ConfigSection::read(std::string_view key, std::filesystem::path& into) {
  std::string text;
  read(key, text);
  if (!text.empty()) into = text;
}

void ConfigSection::read(std::string_view key, Secret& into) {
  std::string text;
  read(key, text);
  if (!text.empty()) into = Secret(std::move(text));
}

void ConfigSection::read(std::string_view key, std::map<std::string, std::string>& into) {
  const toml::node* node = table_->find(key);
  if (!node) return;
  if (!node->is_table()) throw table_->wrong(*node, key, "a table of texts, like { team = \"blue\" }");
  for (const auto& [name, value] : *node->as_table()) {
    auto text = value.value_exact<std::string>();
    if (!text) throw table_->wrong(value, name.str(), "text in quotes");
    into[std::string(name.str())] = *text;
  }
}

void ConfigSection::read(std::string_view key, std::vector<std::string>& into) {
  const toml::node* node = table_->find(key);
  if (!node) return;
  if (!node->is_array()) throw table_->wrong(*node, key, "a list of texts, like [\"10.0.0.1\"]");
  into.clear();
  for (const auto& element : *node->as_array()) {
    auto text = element.value_exact<std::string>();
    if (!text) throw table_->wrong(element, key, "a list of texts");
    into.push_back(*text);
  }
}

std::optional<ConfigSection> ConfigSection::child(std::string_view key) {
  const toml::node* node = table_->find(key);
  if (!node) return std::nullopt;
  if (!node->is_table()) throw table_->wrong(*node, key, "a table");
  std::shared_ptr<const toml::table> keys(table_->keys, node->as_table());
  std::string name = table_->name.empty() ? std::string(key) : format("{}.{}", table_->name, key);
  return ConfigSection(std::make_shared<Table>(std::move(keys), std::move(name), table_->file));
}

std::vector<std::string> ConfigSection::childNames() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : *table_->keys) names.emplace_back(key.str());
  return names;
}

void ConfigSection::refuseUnknown() const {
  for (const auto& [key, value] : *table_->keys) {
    if (table_->known.contains(std::string(key.str()))) continue;
    std::string expected;
    for (const std::string& name : table_->known) expected += (expected.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::InvalidArgument,
                format("{}:{}: unknown key \"{}\"{}. Expected one of: {}.", table_->file, key.source().begin.line, key.str(),
                       table_->name.empty() ? std::string() : " in [" + table_->name + "]", expected));
  }
}

}  // namespace swarm

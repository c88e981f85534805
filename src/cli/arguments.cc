// Declarations become options of CLI11.
#include "cli/arguments.h"

#include <CLI/CLI.hpp>

#include "cli/output/quantities.h"

namespace swarm::cli {

Argument& Argument::optional() {
  option_->required(false);
  return *this;
}

Argument& Argument::suggest(Values values) {
  values_ = std::move(values);
  return *this;
}

Argument& Argument::oneOf(std::vector<std::string> words) {
  option_->check(CLI::IsMember(words));
  return suggest({.words = std::move(words)});
}

Argument& Argument::oneOfAnyCase(std::vector<std::string> words) {
  option_->transform(CLI::IsMember(words, CLI::ignore_case));
  return suggest({.words = std::move(words)});
}

Argument& Argument::range(std::int64_t lowest, std::int64_t highest) {
  option_->check(CLI::Range(lowest, highest));
  return *this;
}

Argument& Argument::check(std::function<std::string(const std::string&)> fault) {
  option_->check(std::move(fault));
  return *this;
}

Argument& Argument::commaSeparated() {
  option_->delimiter(',');
  return *this;
}

Argument& Argument::excludes(const Argument& other) {
  option_->excludes(other.option_);
  return *this;
}

Argument& Argument::sets(std::string pointer) {
  pointers_.push_back(std::move(pointer));
  return *this;
}

template <typename T>
Argument& Arguments::word(const std::string& name, T& value, const std::string& help) {
  return add(app_.add_option(name, value, help)->required());
}

template <typename T>
Argument& Arguments::option(const std::string& names, T& value, const std::string& help) {
  return add(app_.add_option(names, value, help)->allow_extra_args(false));
}

#define SWARM_ARGUMENT(T)                                                            \
  template Argument& Arguments::word<T>(const std::string&, T&, const std::string&); \
  template Argument& Arguments::option<T>(const std::string&, T&, const std::string&)
SWARM_ARGUMENT(std::string);
SWARM_ARGUMENT(std::int64_t);
SWARM_ARGUMENT(std::vector<std::string>);
SWARM_ARGUMENT(std::vector<std::int64_t>);
SWARM_ARGUMENT(std::optional<std::string>);
SWARM_ARGUMENT(std::optional<std::int64_t>);
SWARM_ARGUMENT(std::optional<int>);
SWARM_ARGUMENT(std::optional<double>);
#undef SWARM_ARGUMENT

Argument& Arguments::option(const std::string& names, std::chrono::seconds& value, const std::string& help) {
  return add(
      app_.add_option_function<std::int64_t>(names, [&value](std::int64_t seconds) { value = std::chrono::seconds(seconds); }, help));
}

Argument& Arguments::memory(const std::string& names, std::optional<std::int64_t>& mebibytes, const std::string& help) {
  return add(app_.add_option_function<std::string>(names, [&mebibytes](const std::string& text) { mebibytes = parseMemory(text); }, help));
}

Argument& Arguments::flag(const std::string& names, bool& value, const std::string& help) { return add(app_.add_flag(names, value, help)); }

Argument& Arguments::flagWithValue(const std::string& names, std::string& value, const std::string& help) {
  return add(app_.add_flag(names, value, help));
}

void Arguments::command(std::vector<std::string>& words, Dashes dashes) {
  command_ = &words;
  app_.prefix_command(dashes == Dashes::Optional);
}

bool Arguments::has(const std::string& name) const { return app_.get_option_no_throw(name) != nullptr; }

std::string Arguments::nameFor(std::string_view pointer) const {
  if (command_ && (pointer == "/command" || pointer.starts_with("/command/"))) return "the command";
  std::string name(pointer);
  std::size_t longest = 0;
  for (const Argument& one : all_) {
    for (const std::string& prefix : one.pointers()) {
      const bool is_it = pointer.starts_with(prefix) && (pointer.size() == prefix.size() || pointer[prefix.size()] == '/');
      if (!is_it || prefix.size() <= longest) continue;
      longest = prefix.size();
      name = one.option().get_positional() ? "the " + one.option().get_name(true) : "--" + one.option().get_lnames().front();
    }
  }
  return name;
}

}  // namespace swarm::cli

// Arguments: what a verb takes from the command line. Each is declared once; parsing, help, completion and error messages use the
// declaration.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace swarm::cli {

/// An invalid command line. Exit code 2, as for unknown flags.
class WrongUse final : public Error {
 public:
  explicit WrongUse(std::string message) : Error(ErrorCode::InvalidArgument, std::move(message)) {}
};

/// The possible values of an argument, for completion.
struct Values {
  std::vector<std::string> words = {};
  std::string command = {};  ///< prints them
  bool files = false;
  bool empty() const { return words.empty() && command.empty() && !files; }
};
inline Values workspaceNames() { return {.command = "swarm list -o name"}; }
inline Values operationIds() { return {.command = "swarm operations -o name"}; }
inline Values snapshotIds() { return {.command = "swarm snapshot list -o name"}; }
inline Values providerNames() { return {.command = "swarm providers -o name"}; }
inline Values regionNames() { return {.command = "swarm providers regions -o name"}; }
inline Values userNames() { return {.command = "swarm users -o name"}; }
inline Values groupNames() { return {.command = "swarm groups -o name"}; }
inline Values fileNames() { return {.files = true}; }

/// One declared argument.
class Argument {
 public:
  explicit Argument(CLI::Option* option) : option_(option) {}

  Argument& optional();  ///< of a word: it may be absent
  /// Completes these values, and accepts others too.
  Argument& suggest(Values values);
  Argument& oneOf(std::vector<std::string> words);         ///< completes these words, and rejects others
  Argument& oneOfAnyCase(std::vector<std::string> words);  ///< as oneOf(); the verb gets the word as spelt here
  Argument& range(std::int64_t lowest, std::int64_t highest);
  Argument& check(std::function<std::string(const std::string&)> fault);  ///< `fault` returns the message, or an empty text
  Argument& commaSeparated();
  Argument& excludes(const Argument& other);
  /// The member of the request that this argument sets, as a JSON pointer: errors of the server name the argument instead.
  Argument& sets(std::string pointer);

  const CLI::Option& option() const { return *option_; }
  const Values& values() const { return values_; }
  const std::vector<std::string>& pointers() const { return pointers_; }

 private:
  CLI::Option* option_;
  Values values_;
  std::vector<std::string> pointers_;
};

class Arguments {
 public:
  explicit Arguments(CLI::App& app) : app_(app) {}

  /// A word by its position; required. `T` of these two: a text, number, or optional or list of them. A list takes all further words.
  template <typename T>
  Argument& word(const std::string& name, T& value, const std::string& help);
  /// `names`: "-e,--env". A list takes one value each time that the flag is given: the next word may be a name.
  template <typename T>
  Argument& option(const std::string& names, T& value, const std::string& help);
  Argument& option(const std::string& names, std::chrono::seconds& value, const std::string& help);
  /// An amount like 4g or 512m.
  Argument& memory(const std::string& names, std::optional<std::int64_t>& mebibytes, const std::string& help);
  Argument& flag(const std::string& names, bool& value, const std::string& help);
  /// A flag that may have a value, written as --name=VALUE; "true" without one.
  Argument& flagWithValue(const std::string& names, std::string& value, const std::string& help);
  /// The words behind "--" go to `words`. With `Dashes::Optional`, so do all words behind the last named one.
  enum class Dashes { Required, Optional };
  void command(std::vector<std::string>& words, Dashes dashes = Dashes::Required);

  bool has(const std::string& name) const;
  const std::deque<Argument>& all() const { return all_; }
  std::vector<std::string>* commandWords() const { return command_; }
  /// The argument that sets what `pointer` names; `pointer` itself without one.
  std::string nameFor(std::string_view pointer) const;

 private:
  Argument& add(CLI::Option* option) { return all_.emplace_back(option); }

  CLI::App& app_;
  std::deque<Argument> all_;
  std::vector<std::string>* command_ = nullptr;
};

}  // namespace swarm::cli

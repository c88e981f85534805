// Results on stdout: tables that fit the terminal, JSON, YAML, or names.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "cli/context.h"

namespace swarm::cli {

/// A table whose widest cells give way when the terminal is narrow; nothing is cut when stdout is no terminal.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string render(int columns, bool colour) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

/// Indented JSON, and YAML of the same value.
std::string prettyJson(const boost::json::value& value);
std::string toYaml(const boost::json::value& value);

/// Prints `value` as JSON or YAML; false when the format is Table or Name.
bool printStructured(const Context& context, const boost::json::value& value);
void print(std::string_view text);    ///< stdout
void printError(const Error& error);  ///< stderr: what happened, why, what to do
int exitCodeOf(const Error& error);
/// Asks a person; a script (stdin is no terminal) has said yes by calling. Says that nothing was deleted when the answer is no.
bool confirmed(const std::string& question);

/// "3 min ago", "2 d ago"; "-" for zero.
std::string ago(SystemTime time);
std::string statusCell(const Context& context, InstanceStatus status);
/// The first `width` cells of UTF-8 text, with an ellipsis when something was cut.
std::string cutToWidth(const std::string& text, std::size_t width);
/// Display width of UTF-8 text: code points, which is right for what we print.
std::size_t displayWidth(std::string_view text);

}  // namespace swarm::cli

// Results on stdout, reports and errors on stderr.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/output/table.h"

namespace swarm::cli {

std::string prettyJson(const boost::json::value& value);
std::string toYaml(const boost::json::value& value);
/// Prints `value` as JSON or YAML; false when the format is Table or Name.
bool printStructured(const Context& context, const boost::json::value& value);
/// A row of a list, and the name that stands for it in the format Name.
struct Listed {
  std::string name;
  std::vector<Cell> cells;
};
/// Prints a list in the requested format: `value` as JSON or YAML, or `rows` as names or as a table.
void printList(const Context& context, const boost::json::value& value, std::vector<Column> columns, const std::vector<Listed>& rows);
/// Prints on stdout. Throws Error when stdout cannot be written: a command whose result is lost has failed.
void print(std::string_view text);
/// Prints a line of text that the server sent, made printable.
void printLine(std::string_view text);
/// Writes on a descriptor. Throws Error(Cancelled) when the reader is gone.
void writeAll(int file, std::string_view text);
/// Prints on stderr, with control characters other than line breaks replaced, and wrapped on a terminal.
void report(const std::string& text);
/// Prints an error on stderr: what failed, why, the next step; as an object in the formats JSON and YAML.
void printError(const Context& context, const Error& error);
int exitCodeOf(const Error& error);
/// Prompts "Continue? [y/N]" and reports when nothing was changed. Throws WrongUse that names --yes when stdin is not a terminal.
bool confirmed();

/// Lines of at most `width` cells, broken at blanks. Longer words, and commands between backquotes, stay whole: users copy them.
std::string wrapMessage(std::string_view text, std::size_t width);

std::string joined(const std::vector<std::string>& words, std::string_view between = ", ");
/// A member of a JSON object as text; empty when it is absent or null.
std::string memberText(const boost::json::value& object, std::string_view name);
/// A member that is a time, as ago() or "in 8 h"; empty when it is absent or null.
std::string momentText(const boost::json::value& object, std::string_view name);
/// A JSON string with its quotes; characters that a terminal would act on are escaped.
std::string jsonString(std::string_view text);
/// "3 min ago", "2 d ago"; "-" for zero.
std::string ago(SystemTime time);
Cell statusCell(InstanceStatus status, const std::string& suffix = {});

/// Filters the lines of a log for a terminal: colours (SGR) are kept, every other control or invisible character is replaced. Takes pieces
/// of any size and returns whole lines; a line longer than 64 KiB is split.
class LogFilter {
 public:
  std::string feed(std::string_view piece);
  std::string finish();  ///< the rest without a line break

 private:
  std::string pending_;
};

}  // namespace swarm::cli

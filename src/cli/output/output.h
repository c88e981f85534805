// Results on stdout: tables that fit the terminal, JSON, YAML, or names.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "cli/context.h"

namespace swarm::cli {

/// A column of a table, and what gives way when the terminal is narrow.
struct Column {
  enum class Kind {
    Text,    ///< goes on in further lines
    Copied,  ///< a name, an id, a URL: what people copy is never cut and never broken
    Extra,   ///< is left out, the last one first
  };
  Column(const char* its_heading, Kind its_kind = Kind::Text) : heading(its_heading), kind(its_kind) {}
  std::string heading;
  Kind kind;
};
inline Column copied(const char* heading) { return {heading, Column::Kind::Copied}; }
inline Column extra(const char* heading) { return {heading, Column::Kind::Extra}; }

/// One place in a table. Its text may be anything's: it is made fit for a terminal.
struct Cell {
  Cell(std::string its_text, std::string its_colour = {}) : text(std::move(its_text)), colour(std::move(its_colour)) {}
  Cell(const char* its_text) : text(its_text) {}
  std::string text;
  std::string colour;  ///< an SGR number, or empty
};

/// Nothing gives way when stdout is not a terminal (0 columns).
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> cells);
  std::string render(int columns, bool colour) const;

 private:
  std::vector<std::size_t> fittingWidths(std::size_t columns) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// Indented JSON, and YAML of the same value.
std::string prettyJson(const boost::json::value& value);
std::string toYaml(const boost::json::value& value);

/// Prints `value` as JSON or YAML; false when the format is Table or Name.
bool printStructured(const Context& context, const boost::json::value& value);
/// stdout. Throws Error when it can't be written: a command whose answer is lost has not done its work.
void print(std::string_view text);
void tell(const std::string& text);  ///< stderr, made fit for a terminal but for its line breaks
/// stderr: what happened, why, what to do; as an object where JSON or YAML is asked for.
void printError(const Error& error, OutputFormat output = OutputFormat::Table);
int exitCodeOf(const Error& error);
/// The flag that sets what a JSON pointer of a request names; the member's own path where there is none.
std::string flagOf(std::string_view pointer);
/// Asks a person "Continue? [y/N]"; a script (stdin is not a terminal) has said yes by calling. Says that nothing was changed when the
/// answer is no.
bool confirmed();

/// "3 min ago", "2 d ago"; "-" for zero.
std::string ago(SystemTime time);
Cell statusCell(InstanceStatus status, const std::string& suffix = {});
/// The first `width` cells of UTF-8 text, with an ellipsis when something was cut.
std::string cutToWidth(const std::string& text, std::size_t width);
/// Lines of at most `width` cells, broken at blanks where there are some.
std::vector<std::string> wrap(const std::string& text, std::size_t width);
/// Display width of UTF-8 text: code points, which is right for what we print.
std::size_t displayWidth(std::string_view text);

}  // namespace swarm::cli

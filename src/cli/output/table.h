// Tables that fit the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm::cli {

/// A column, and how it becomes narrower.
struct Column {
  enum class Kind {
    Text,    ///< is wrapped
    Copied,  ///< a name, an id, a URL: never cut or wrapped, because users copy it; also a time
    Extra,   ///< is left out, the last one first
  };
  Column(const char* its_heading, Kind its_kind = Kind::Text) : heading(its_heading), kind(its_kind) {}
  std::string heading;
  Kind kind;
};
inline Column copied(const char* heading) { return {heading, Column::Kind::Copied}; }
inline Column extra(const char* heading) { return {heading, Column::Kind::Extra}; }

/// Its text may be untrusted: the table makes it printable.
struct Cell {
  Cell(std::string its_text, std::string its_colour = {}) : text(std::move(its_text)), colour(std::move(its_colour)) {}
  Cell(const char* its_text) : text(its_text) {}
  std::string text;
  std::string colour;  ///< an SGR number, or empty
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> cells);
  /// `columns` of the terminal; 0: any width.
  std::string render(int columns, bool colour) const;

 private:
  std::vector<std::size_t> fittingWidths(std::size_t columns) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// The first `width` cells of UTF-8 text, with an ellipsis when something was cut.
std::string cutToWidth(const std::string& text, std::size_t width);
/// Lines of at most `width` cells, broken at blanks where possible.
std::vector<std::string> wrap(const std::string& text, std::size_t width);
/// Display width of UTF-8 text: the number of code points, which is exact for the characters of this program.
std::size_t displayWidth(std::string_view text);

}  // namespace swarm::cli

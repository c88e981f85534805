// Columns are fitted to the terminal, rows become lines.
#include "cli/output/table.h"

#include "base/text/untrusted_text.h"

namespace swarm::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 12;  // of text with longer words that goes on in further lines

std::size_t totalOf(const std::vector<std::size_t>& widths) {
  std::size_t sum = 0;
  for (std::size_t width : widths) sum += width == 0 ? 0 : width + kGap;
  return sum == 0 ? 0 : sum - kGap;
}

bool continuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t characterLength(std::string_view text, std::size_t at) {
  std::size_t length = 1;
  while (at + length < text.size() && continuesCharacter(text[at + length])) ++length;
  return length;
}

std::size_t longestWord(std::string_view text) {
  std::size_t longest = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    longest = std::max(longest, displayWidth(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return longest;
}

}  // namespace

std::string cutToWidth(const std::string& text, std::size_t width) {
  if (displayWidth(text) <= width) return text;
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size() && used + 1 < width;) {
    const std::size_t length = characterLength(text, i);
    out.append(text, i, length);
    i += length;
    ++used;
  }
  return out + "…";
}

std::size_t displayWidth(std::string_view text) {
  std::size_t width = 0;
  bool escape = false;
  for (char c : text) {
    if (c == '\033') escape = true;
    if (!escape && !continuesCharacter(c)) ++width;
    if (escape && c == 'm') escape = false;
  }
  return width;
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t used = 0;
  std::size_t blank = std::string::npos;  // in `line`: where it can be broken
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = characterLength(text, at);
    if (used == width) {
      const bool broken = blank != std::string::npos && text[at] != ' ';
      std::string rest = broken ? line.substr(blank + 1) : std::string();
      lines.push_back(broken ? line.substr(0, blank) : line);
      line = std::move(rest);
      used = displayWidth(line);
      blank = std::string::npos;
      if (text[at] == ' ' && line.empty()) {
        at += length;
        continue;
      }
    }
    if (text[at] == ' ') blank = line.size();
    line.append(text, at, length);
    ++used;
    at += length;
  }
  if (!line.empty() || lines.empty()) lines.push_back(std::move(line));
  return lines;
}

void Table::add(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = printable(cell.text, 4 * kMaxUntrustedText);
  rows_.push_back(std::move(cells));
}

/// 0: the column is left out.
std::vector<std::size_t> Table::fittingWidths(std::size_t columns) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(displayWidth(column.heading));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], displayWidth(row[i].text));
  }
  if (columns == 0) return widths;
  for (std::size_t i = columns_.size(); i-- > 0 && totalOf(widths) > columns;) {
    if (columns_[i].kind == Column::Kind::Extra) widths[i] = 0;
  }
  std::vector<std::size_t> narrowest;
  for (const Column& column : columns_) narrowest.push_back(displayWidth(column.heading));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) narrowest[i] = std::max(narrowest[i], std::min(kNarrowest, longestWord(row[i].text)));
  }
  while (totalOf(widths) > columns) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      bool gives = columns_[i].kind == Column::Kind::Text && widths[i] > narrowest[i];
      if (gives && (widest == columns_.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == columns_.size()) break;  // the terminal breaks the line; nothing is lost
    --widths[widest];
  }
  return widths;
}

std::string Table::render(int columns, bool colour) const {
  const std::vector<std::size_t> widths = fittingWidths(static_cast<std::size_t>(std::max(columns, 0)));
  std::size_t last = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) last = i;
  }
  std::string out;
  const auto row = [&](const std::vector<Cell>& cells) {
    std::vector<std::vector<std::string>> parts;
    std::size_t height = 1;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      parts.push_back(columns_[i].kind == Column::Kind::Text && widths[i] > 0 ? wrap(cells[i].text, widths[i])
                                                                              : std::vector<std::string>{cells[i].text});
      if (widths[i] > 0) height = std::max(height, parts[i].size());
    }
    for (std::size_t line = 0; line < height; ++line) {
      std::string text;
      std::size_t missing = 0;  // blanks that are not written at a line's end
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (widths[i] == 0) continue;
        const std::string part = line < parts[i].size() ? parts[i][line] : std::string();
        if (!part.empty()) {
          text.append(std::exchange(missing, 0), ' ');
          text += colour && !cells[i].colour.empty() ? "\033[" + cells[i].colour + "m" + part + "\033[0m" : part;
        }
        missing += widths[i] - std::min(widths[i], displayWidth(part)) + (i == last ? 0 : kGap);
      }
      out += text + "\n";
    }
  };
  std::vector<Cell> headings;
  for (const Column& column : columns_) headings.emplace_back(column.heading, "1");
  row(headings);
  for (const auto& cells : rows_) row(cells);
  return out;
}

}  // namespace swarm::cli

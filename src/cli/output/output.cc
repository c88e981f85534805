// Tables, JSON and YAML for people.
#include "cli/output/output.h"

#include <unistd.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/cli.h"
#include "cli/output/terminal_text.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

namespace json = boost::json;

/// Numbers as every reader of JSON and YAML takes them: "2", not "2E0", which YAML 1.1 reads as a string.
std::string numberText(double number) {
  if (!std::isfinite(number)) return "null";
  std::array<char, 400> text{};
  auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  return failure == std::errc() ? std::string(text.data(), end) : "0";
}

std::string scalarText(const json::value& value) {
  if (const auto* text = value.if_string()) return jsonString(std::string_view(*text));
  if (const auto* number = value.if_double()) return numberText(*number);
  return json::serialize(value);
}

void appendPretty(std::string& out, const json::value& value, int depth) {
  auto newline = [&](int at) {
    out += '\n';
    out.append(static_cast<std::size_t>(at) * 2, ' ');
  };
  if (const auto* object = value.if_object(); object && !object->empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ',';
      first = false;
      newline(depth + 1);
      out += jsonString(key) + ": ";
      appendPretty(out, member, depth + 1);
    }
    newline(depth);
    out += '}';
  } else if (const auto* array = value.if_array(); array && !array->empty()) {
    out += '[';
    bool first = true;
    for (const auto& element : *array) {
      if (!first) out += ',';
      first = false;
      newline(depth + 1);
      appendPretty(out, element, depth + 1);
    }
    newline(depth);
    out += ']';
  } else {
    out += scalarText(value);
  }
}

/// A JSON string is a YAML string too, so anything that could be misread is quoted that way.
std::string yamlScalar(const json::value& value) {
  const auto* text = value.if_string();
  if (!text) return scalarText(value);
  std::string_view view(*text);
  bool plain = !view.empty() &&
               view.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-") == std::string_view::npos &&
               (std::isalpha(static_cast<unsigned char>(view[0])) || view[0] == '/') && view != "true" && view != "false" &&
               view != "null" && view != "yes" && view != "no" && view != "on" && view != "off" && view != "y" && view != "n";
  return plain ? std::string(view) : jsonString(view);
}

bool isNested(const json::value& value) {
  return (value.is_object() && !value.get_object().empty()) || (value.is_array() && !value.get_array().empty());
}

void appendYaml(std::string& out, const json::value& value, int depth, bool after_dash) {
  std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  bool first = after_dash;
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (!first) out += indent;
      first = false;
      out += yamlScalar(json::string(key)) + ":";
      if (isNested(member)) {
        out += '\n';
        appendYaml(out, member, depth + 1, false);
      } else {
        out += " " + yamlScalar(member) + "\n";
      }
    }
    return;
  }
  for (const auto& element : value.get_array()) {
    if (!first) out += indent;
    first = false;
    out += "- ";
    if (isNested(element)) {
      appendYaml(out, element, depth + 1, true);
    } else {
      out += yamlScalar(element) + "\n";
    }
  }
}

}  // namespace

std::string cutToWidth(const std::string& text, std::size_t width) {
  if (displayWidth(text) <= width) return text;
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size() && used + 1 < width;) {
    std::size_t length = 1;
    while (i + length < text.size() && (static_cast<unsigned char>(text[i + length]) & 0xC0) == 0x80) ++length;
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
    if (!escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++width;
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
    std::size_t length = 1;
    while (at + length < text.size() && (static_cast<unsigned char>(text[at + length]) & 0xC0) == 0x80) ++length;
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

namespace {
constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 12;  // of text that goes on in further lines

std::size_t totalOf(const std::vector<std::size_t>& widths) {
  std::size_t sum = 0;
  for (std::size_t width : widths) sum += width == 0 ? 0 : width + kGap;
  return sum == 0 ? 0 : sum - kGap;
}
}  // namespace

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
  while (totalOf(widths) > columns) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      bool gives = columns_[i].kind == Column::Kind::Text && widths[i] > std::max(kNarrowest, displayWidth(columns_[i].heading));
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

std::string prettyJson(const json::value& value) {
  std::string out;
  appendPretty(out, value, 0);
  return out + "\n";
}

std::string toYaml(const json::value& value) {
  if (!isNested(value)) return yamlScalar(value) + "\n";
  std::string out;
  appendYaml(out, value, 0, false);
  return out;
}

bool printStructured(const Context& context, const json::value& value) {
  if (context.output() == OutputFormat::Json) {
    print(prettyJson(value));
    return true;
  }
  if (context.output() == OutputFormat::Yaml) {
    print(toYaml(value));
    return true;
  }
  return false;
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  const int problem = errno;
  std::clearerr(stdout);
  throw Error(problem == ENOSPC ? ErrorCode::OutOfResources : ErrorCode::Cancelled,
              format("Standard output could not be written: {}.", std::strerror(problem)));
}

void tell(const std::string& text) {
  const std::string shown = printable(text, 64 * 1024, LineBreaks::Keep);
  std::fwrite(shown.data(), 1, shown.size(), stderr);
}

std::string flagOf(std::string_view pointer) {
  struct Row {
    std::string_view pointer, flag;
  };
  static constexpr std::array<Row, 20> rows{{{"/resources/cpu", "--cpus"},
                                             {"/resources/memory/min", "--memory-min"},
                                             {"/resources/memory", "--memory"},
                                             {"/resources/storage", "--disk"},
                                             {"/resources/pids", "--pids"},
                                             {"/env", "--env"},
                                             {"/labels", "--label"},
                                             {"/image", "--image"},
                                             {"/name", "the name"},
                                             {"/network/exposedPorts", "--port"},
                                             {"/network/internalNetwork", "--internal-network"},
                                             {"/storage", "--volume"},
                                             {"/command", "the command"},
                                             {"/provider", "--provider"},
                                             {"/regions", "--region"},
                                             {"/region", "--region"},
                                             {"/targetProvider", "--to"},
                                             {"/bandwidthLimit", "--limit"},
                                             {"/keepHours", "--keep-source"},
                                             {"/keepSource", "--keep-source"}}};
  for (const Row& row : rows) {
    bool is_it = pointer.starts_with(row.pointer) && (pointer.size() == row.pointer.size() || pointer[row.pointer.size()] == '/');
    if (is_it) return std::string(row.flag);
  }
  return std::string(pointer);
}

void printError(const Error& error, OutputFormat output) {
  if (output == OutputFormat::Json || output == OutputFormat::Yaml) {
    boost::json::object object{{"code", toString(error.code())}, {"message", error.message()}, {"exitCode", exitCodeOf(error)}};
    if (!error.upstream().requestId.empty()) object["requestId"] = error.upstream().requestId;
    boost::json::array fields;
    for (const FieldError& field : error.fields()) fields.push_back({{"pointer", field.pointer}, {"detail", field.detail}});
    if (!fields.empty()) object["errors"] = std::move(fields);
    boost::json::object whole{{"error", std::move(object)}};
    const std::string text = output == OutputFormat::Json ? prettyJson(whole) : toYaml(whole);
    std::fwrite(text.data(), 1, text.size(), stderr);
    return;
  }
  std::string text = "swarm: " + error.message() + "\n";
  for (const FieldError& field : error.fields()) text += "  " + flagOf(field.pointer) + ": " + field.detail + "\n";
  if (!error.upstream().requestId.empty()) text += "  (request " + error.upstream().requestId + ")\n";
  tell(text);
}

bool confirmed() {
  if (!::isatty(STDIN_FILENO)) return true;
  std::fputs("Continue? [y/N] ", stderr);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  std::fputs("Nothing was changed.\n", stderr);
  return false;
}

int exitCodeOf(const Error& error) {
  switch (error.code()) {
    case ErrorCode::NotFound:
      return kNotFound;
    case ErrorCode::Unauthenticated:
    case ErrorCode::PermissionDenied:
      return kNotAllowed;
    case ErrorCode::DeadlineExceeded:
      return kTimedOut;
    default:
      return kFailed;
  }
}

std::string ago(SystemTime time) {
  if (time.time_since_epoch().count() == 0) return "-";
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(RealClock().now() - time).count();
  if (seconds < 60) return format("{} s ago", std::max<std::int64_t>(seconds, 0));
  if (seconds < 3600) return format("{} min ago", seconds / 60);
  if (seconds < 86400) return format("{} h ago", seconds / 3600);
  return format("{} d ago", seconds / 86400);
}

Cell statusCell(InstanceStatus status, const std::string& suffix) {
  const char* colour = status == InstanceStatus::running   ? "32"
                       : status == InstanceStatus::failed  ? "31"
                       : status == InstanceStatus::stopped ? "90"
                                                           : "33";
  return {std::string(enumName(status)) + suffix, colour};
}

}  // namespace swarm::cli

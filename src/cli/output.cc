// Tables, JSON and YAML for people.
#include "cli/output.h"

#include <unistd.h>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <iostream>

#include "base/format.h"
#include "cli/cli.h"

namespace swarm::cli {
namespace {

namespace json = boost::json;

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
      out += json::serialize(json::string(key)) + ": ";
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
    out += json::serialize(value);
  }
}

/// A JSON string is a YAML string too, so anything that could be misread is quoted that way.
std::string yamlScalar(const json::value& value) {
  const auto* text = value.if_string();
  if (!text) return json::serialize(value);
  std::string_view view(*text);
  bool plain = !view.empty() &&
               view.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-") == std::string_view::npos &&
               (std::isalpha(static_cast<unsigned char>(view[0])) || view[0] == '/') && view != "true" && view != "false" &&
               view != "null" && view != "yes" && view != "no" && view != "on" && view != "off" && view != "y" && view != "n";
  return plain ? std::string(view) : json::serialize(value);
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

std::string Table::render(int columns, bool colour) const {
  std::vector<std::size_t> widths;
  for (const auto& heading : headings_) widths.push_back(displayWidth(heading));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], displayWidth(row[i]));
  }
  constexpr std::size_t gap = 2;
  auto total = [&] {
    std::size_t sum = gap * (widths.size() - 1);
    for (std::size_t width : widths) sum += width;
    return sum;
  };
  // The widest column gives way, a step at a time, so that short columns stay whole.
  while (columns > 0 && total() > static_cast<std::size_t>(columns)) {
    auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= 8) break;
    --*widest;
  }
  std::string out;
  auto line = [&](const std::vector<std::string>& cells, bool heading) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      std::string cell = cells[i].find('\033') == std::string::npos ? cutToWidth(cells[i], widths[i]) : cells[i];
      text += cell;
      if (i + 1 < cells.size()) text.append(widths[i] - std::min(widths[i], displayWidth(cell)) + gap, ' ');
    }
    out += heading && colour ? "\033[1m" + text + "\033[0m\n" : text + "\n";
  };
  line(headings_, true);
  for (const auto& row : rows_) line(row, false);
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
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void printError(const Error& error) {
  std::string text = "swarm: " + error.message() + "\n";
  for (const FieldError& field : error.fields()) text += "  " + field.pointer + ": " + field.detail + "\n";
  if (!error.upstream().requestId.empty()) text += "  (request " + error.upstream().requestId + ")\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool confirmed(const std::string& question) {
  if (!::isatty(STDIN_FILENO)) return true;
  std::fputs(question.c_str(), stderr);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  std::fputs("Nothing was deleted.\n", stderr);
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

std::string statusCell(const Context& context, InstanceStatus status) {
  std::string text = boost::describe::enum_to_string(status, "?");
  if (!context.colour()) return text;
  const char* colour = status == InstanceStatus::running   ? "32"
                       : status == InstanceStatus::failed  ? "31"
                       : status == InstanceStatus::stopped ? "90"
                                                           : "33";
  return format("\033[{}m{}\033[0m", colour, text);
}

}  // namespace swarm::cli

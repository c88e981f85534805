// Formats, errors and small texts.
#include "cli/output/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "base/text/duration_text.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/cli.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

constexpr std::size_t kMaxShown = 64 * 1024;

}  // namespace

bool printStructured(const Context& context, const boost::json::value& value) {
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

void printList(const Context& context, const boost::json::value& value, std::vector<Column> columns, const std::vector<Listed>& rows) {
  if (printStructured(context, value)) return;
  if (context.output() == OutputFormat::Name) {
    for (const Listed& row : rows) printLine(row.name);
    return;
  }
  Table table(std::move(columns));
  for (const Listed& row : rows) table.add(row.cells);
  print(table.render(context.columns(), context.colour()));
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  const int problem = errno;
  std::clearerr(stdout);
  throw Error(problem == ENOSPC ? ErrorCode::OutOfResources : ErrorCode::Cancelled,
              format("Standard output could not be written: {}.", std::strerror(problem)));
}

void printLine(std::string_view text) { print(printable(text, kMaxShown) + "\n"); }

void writeAll(int file, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw Error(ErrorCode::Cancelled, "The output was closed.");
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string wrapMessage(std::string_view text, std::size_t width) {
  std::string out, word;
  std::size_t used = 0;
  bool in_command = false;
  const auto end_word = [&] {
    const std::size_t length = displayWidth(word);
    if (used > 0 && used + length > width && word.starts_with(' ')) {
      out += '\n';
      word.erase(0, word.find_first_not_of(' '));
      used = 0;
    }
    used += displayWidth(word);
    out += std::exchange(word, {});
  };
  for (const char c : text) {
    if (c == '\n' || (c == ' ' && !in_command && !word.ends_with(' '))) end_word();
    if (c == '`') in_command = !in_command;
    if (c == '\n') {
      out += c;
      used = 0;
      in_command = false;
    } else {
      word += c;
    }
  }
  end_word();
  return out;
}

void report(const std::string& text) {
  std::string shown = printable(text, kMaxShown, LineBreaks::Keep);
  if (winsize size{}; ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) shown = wrapMessage(shown, size.ws_col);
  std::fwrite(shown.data(), 1, shown.size(), stderr);
}

void printError(const Context& context, const Error& error) {
  if (context.output() == OutputFormat::Json || context.output() == OutputFormat::Yaml) {
    boost::json::object object{{"code", toString(error.code())}, {"message", error.message()}, {"exitCode", exitCodeOf(error)}};
    if (!error.upstream().requestId.empty()) object["requestId"] = error.upstream().requestId;
    boost::json::array fields;
    for (const FieldError& field : error.fields()) fields.push_back({{"pointer", field.pointer}, {"detail", field.detail}});
    if (!fields.empty()) object["errors"] = std::move(fields);
    boost::json::object whole{{"error", std::move(object)}};
    const std::string text = context.output() == OutputFormat::Json ? prettyJson(whole) : toYaml(whole);
    std::fwrite(text.data(), 1, text.size(), stderr);
    return;
  }
  std::string message = error.message(), lines;
  for (const FieldError& field : error.fields()) {
    const std::string name = context.arguments().nameFor(field.pointer);
    const std::string said = field.pointer + " " + field.detail;
    if (const auto at = message.find(said); at != std::string::npos && !field.pointer.empty())
      message.replace(at, field.pointer.size(), name);
    else if (field.detail != message)
      lines += "  " + name + ": " + field.detail + "\n";
  }
  if (error.code() == ErrorCode::Unauthenticated && context.usesTokenOfEnvironment())
    lines += "  The token is the value of SWARM_TOKEN, which is used instead of the one that `swarm login` stores.\n";
  std::string text = "swarm: " + message + "\n" + lines;
  if (!error.upstream().requestId.empty()) text += "  (request " + error.upstream().requestId + ")\n";
  report(text);
}

bool confirmed() {
  if (!::isatty(STDIN_FILENO))
    throw WrongUse("Nothing was changed: standard input is not a terminal, so the confirmation must be given as a flag. Add --yes.");
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

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
  return text;
}

std::string memberText(const boost::json::value& object, std::string_view name) {
  const boost::json::value* member = object.as_object().if_contains(name);
  if (!member || member->is_null()) return "";
  return member->is_string() ? std::string(member->get_string()) : boost::json::serialize(*member);
}

std::string momentText(const boost::json::value& object, std::string_view name) {
  const std::string text = memberText(object, name);
  if (text.empty()) return text;
  const SystemTime time = parseTime(text);
  const auto left = std::chrono::ceil<std::chrono::seconds>(time - RealClock().now());
  return left.count() > 0 ? "in " + durationText(left.count()) : ago(time);
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

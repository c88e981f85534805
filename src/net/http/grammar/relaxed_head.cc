// mendResponseHead(): lines, then fields, then framing.
#include "net/http/grammar/relaxed_head.h"

#include <vector>

#include "net/http/http.h"

namespace swarm::net {
namespace {

constexpr std::string_view kBlank = " \t";

// The lines without their ends and without the empty one; a folded line is joined to the one before.
std::vector<std::string> unfoldedLines(std::string_view bytes) {
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    if (lines.size() > 1 && kBlank.contains(line.front())) {
      lines.back().append(" ").append(trim(line));
    } else {
      lines.emplace_back(line);
    }
  }
  return lines;
}

// All fields that determine the length of the body.
struct SaidFraming {
  std::vector<std::string_view> lengths;  // each element of a list counts
  bool chunked = false;
  bool other_coding = false;
  int fields = 0;

  // False: not a framing field.
  bool take(std::string_view name, std::string_view value) {
    const bool is_length = equalsIgnoreCase(name, "Content-Length");
    if (!is_length && !equalsIgnoreCase(name, "Transfer-Encoding")) return false;
    ++fields;
    while (true) {
      const std::size_t comma = std::min(value.find(','), value.size());
      const std::string_view part = trim(value.substr(0, comma));
      if (is_length) {
        lengths.push_back(part);
      } else if (equalsIgnoreCase(part, "chunked")) {
        chunked = true;
      } else if (!equalsIgnoreCase(part, "identity")) {
        other_coding = true;
      }
      if (comma == value.size()) return true;
      value.remove_prefix(comma + 1);
    }
  }

  bool lengthsDiffer() const {
    for (const std::string_view length : lengths) {
      if (length != lengths.front()) return true;
    }
    return false;
  }
};

bool hasNoBody(std::string_view status_line) {
  const std::string_view status = status_line.substr(std::min<std::size_t>(status_line.size(), 9), 3);
  return status.starts_with('1') || status == "204" || status == "304";
}

}  // namespace

std::optional<std::string> mendResponseHead(std::string_view bytes) {
  const std::vector<std::string> lines = unfoldedLines(bytes);
  if (lines.empty()) return std::nullopt;
  std::string fields;
  SaidFraming framing;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view name = line.substr(0, line.find_last_not_of(kBlank, colon == 0 ? 0 : colon - 1) + 1);
    const std::string_view value = line.substr(colon + 1);
    if (!framing.take(name, value)) fields.append(name).append(":").append(value).append("\r\n");
  }
  if (framing.other_coding || framing.lengthsDiffer()) return std::nullopt;

  std::string_view status_line = lines.front();
  const bool bodiless = hasNoBody(status_line) && framing.chunked;
  const bool old_version = framing.chunked && status_line.starts_with("HTTP/1.0");
  std::string head;
  if (old_version) {
    head = "HTTP/1.1";
    status_line.remove_prefix(head.size());
  }
  head.append(status_line).append("\r\n").append(fields);
  if (framing.chunked && !bodiless) {
    head.append("Transfer-Encoding: chunked\r\n");
  } else if (!framing.chunked && !framing.lengths.empty()) {
    head.append("Content-Length: ").append(framing.lengths.front()).append("\r\n");
  }
  if (framing.fields > 1 || framing.lengths.size() > 1 || bodiless || old_version) head.append("Connection: close\r\n");
  return head.append("\r\n");
}

}  // namespace swarm::net

// Indented JSON, and YAML of the same value.
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

#include "cli/output/output.h"

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

bool isNested(const json::value& value) {
  return (value.is_object() && !value.get_object().empty()) || (value.is_array() && !value.get_array().empty());
}

void appendPretty(std::string& out, const json::value& value, int depth) {
  const auto newline = [&](int at) { out.append("\n").append(static_cast<std::size_t>(at) * 2, ' '); };
  const auto append_all = [&](const auto& members, char open, char close, const auto& append) {
    out += open;
    for (const auto& member : members) {
      if (&member != &*members.begin()) out += ',';
      newline(depth + 1);
      append(member);
    }
    newline(depth);
    out += close;
  };
  if (!isNested(value)) {
    out += scalarText(value);
  } else if (const auto* object = value.if_object()) {
    append_all(*object, '{', '}', [&](const json::key_value_pair& member) {
      out += jsonString(member.key()) + ": ";
      appendPretty(out, member.value(), depth + 1);
    });
  } else {
    append_all(value.get_array(), '[', ']', [&](const json::value& element) { appendPretty(out, element, depth + 1); });
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

enum class Begin { OnNewLine, AfterDash };

void appendYaml(std::string& out, const json::value& value, int depth, Begin begin = Begin::OnNewLine) {
  std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  bool first = begin == Begin::AfterDash;
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (!first) out += indent;
      first = false;
      out += yamlScalar(json::string(key)) + ":";
      if (isNested(member)) {
        out += '\n';
        appendYaml(out, member, depth + 1);
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
      appendYaml(out, element, depth + 1, Begin::AfterDash);
    } else {
      out += yamlScalar(element) + "\n";
    }
  }
}

}  // namespace

std::string prettyJson(const json::value& value) {
  std::string out;
  appendPretty(out, value, 0);
  return out + "\n";
}

std::string toYaml(const json::value& value) {
  if (!isNested(value)) return yamlScalar(value) + "\n";
  std::string out;
  appendYaml(out, value, 0);
  return out;
}

}  // namespace swarm::cli

// The gate's rules for request targets and hosts: refuse everything that two servers could interpret differently.
#include "net/http/grammar/head_target.h"

#include <algorithm>
#include <array>

#include "base/text/number.h"

namespace swarm::net {
namespace {

constexpr bool isAlphaNumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
constexpr bool isHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Visible ASCII except "#". Browsers leave " < > ^ ` { | } unescaped in places where RFC 3986 requires escapes.
constexpr std::array<bool, 256> kTargetBytes = [] {
  std::array<bool, 256> table{};
  for (int c = 0x21; c < 0x7f; ++c) table[static_cast<std::size_t>(c)] = c != '#';
  return table;
}();

constexpr int hexValue(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

enum class PathKind { Plain, Odd, Unsafe };

// Walks the path with escapes decoded: ".." in any spelling is unsafe, as is what some servers strip before they interpret the path (";x").
PathKind kindOfPath(std::string_view path) {
  PathKind kind = path.starts_with("//") ? PathKind::Odd : PathKind::Plain;
  if (path.find_first_of("%\\") == std::string_view::npos && !path.contains("..")) return kind;
  std::size_t dots = 0;
  bool only_dots = true;  // so far in this segment
  auto is_parent = [&] { return only_dots && dots == 2; };
  for (std::size_t i = 1; i < path.size(); ++i) {
    char c = path[i];
    if (c == '\\') return PathKind::Unsafe;
    if (c == '%' && (i + 2 >= path.size() || !isHex(path[i + 1]) || !isHex(path[i + 2]))) {
      kind = PathKind::Odd;
    } else if (c == '%') {
      c = static_cast<char>(hexValue(path[i + 1]) * 16 + hexValue(path[i + 2]));
      i += 2;
      if (c == '\0') return PathKind::Unsafe;
    }
    if (c == '/' || c == '\\' || c == ';') {
      if (is_parent()) return PathKind::Unsafe;
      dots = 0;
      only_dots = c != ';';  // what follows ";" is a parameter of the segment
    } else if (c == '.') {
      ++dots;
    } else {
      only_dots = false;
    }
  }
  return is_parent() ? PathKind::Unsafe : kind;
}

}  // namespace

std::string_view gateHost(std::string_view host_port) {
  std::string_view host;
  std::string_view rest;
  if (host_port.starts_with('[')) {
    const std::size_t end = host_port.find(']');
    if (end == std::string_view::npos || end < 3) return {};
    host = host_port.substr(0, end + 1);
    rest = host_port.substr(end + 1);
    const std::string_view inside = host.substr(1, host.size() - 2);
    if (!std::ranges::all_of(inside, [](char c) { return isHex(c) || c == ':' || c == '.'; })) return {};
  } else {
    const std::size_t colon = host_port.find(':');
    host = host_port.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : host_port.substr(colon);
    if (!std::ranges::all_of(host, [](char c) { return isAlphaNumeric(c) || c == '-' || c == '.' || c == '_'; })) return {};
  }
  if (rest.empty()) return host;
  if (rest.front() != ':' || rest.size() < 2 || rest.size() > 6) return {};
  return parseNumber<std::uint16_t>(rest.substr(1)) ? host : std::string_view();
}

std::expected<GatedTarget, HeadError> gateTarget(std::string_view target, std::string_view method, std::string_view host_port) {
  auto refuse = [](std::string_view reason) { return std::unexpected(HeadError{400, reason}); };
  if (!std::ranges::all_of(target, [](char c) { return kTargetBytes[static_cast<unsigned char>(c)]; })) {
    return refuse("The request target contains a forbidden character");
  }
  if (target == "*") {
    if (method == "OPTIONS") return GatedTarget{target};
    return refuse("The target * is allowed for OPTIONS only");
  }
  if (!target.starts_with('/')) {
    const std::size_t scheme_end = target.find("://");
    const std::string_view scheme = target.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos || !(equalsIgnoreCase(scheme, "http") || equalsIgnoreCase(scheme, "https"))) {
      return refuse("The request target is not a path");
    }
    target.remove_prefix(scheme_end + 3);
    const std::size_t slash = std::min(target.find_first_of("/?"), target.size());
    if (!equalsIgnoreCase(target.substr(0, slash), host_port)) return refuse("The request target and Host name different hosts");
    target.remove_prefix(slash);
    if (target.empty()) return GatedTarget{"/"};
    if (target.front() != '/') return refuse("The request target has no path");
  }
  const PathKind kind = kindOfPath(target.substr(0, target.find('?')));
  if (kind == PathKind::Unsafe) return refuse("The request target's path is ambiguous");
  return GatedTarget{target, kind == PathKind::Odd};
}

}  // namespace swarm::net

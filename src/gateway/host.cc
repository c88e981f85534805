// See host.h.
#include "gateway/host.h"

#include <algorithm>
#include <charconv>

#include "net/http.h"

namespace swarm::gateway {
namespace {

bool isLabelCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool isLoopbackAddress(std::string_view host) {
  return host == "[::1]" || net::equalsIgnoreCase(host, "localhost") ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

}  // namespace

void HostName::setLabel(std::string_view label) {
  if (label.empty() || label.size() > 63) return;
  std::transform(label.begin(), label.end(), text_.begin(), lower);
  const std::string_view text(text_.data(), label.size());
  if (!std::all_of(text.begin(), text.end(), isLabelCharacter) || text.front() == '-' || text.back() == '-') return;

  std::size_t name_at = 0;
  const auto dashes = text.find("--");
  if (dashes != std::string_view::npos && text.find_first_not_of("0123456789") == dashes) {
    unsigned port = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + dashes, port);
    if (parsed.ec != std::errc{} || port == 0 || port > 65535 || text.front() == '0') return;
    name_at = dashes + 2;
    if (name_at >= text.size() || text[name_at] == '-') return;
    port_ = static_cast<std::uint16_t>(port);
  }
  name_at_ = static_cast<std::uint8_t>(name_at);
  size_ = static_cast<std::uint8_t>(text.size());
}

HostName parseHost(std::string_view host, std::string_view base_domain) {
  HostName result;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (net::equalsIgnoreCase(host, base_domain) || isLoopbackAddress(host)) {
    result.kind_ = HostKind::Base;
    return result;
  }
  if (host.size() <= base_domain.size() + 1) return result;
  const auto label_size = host.size() - base_domain.size() - 1;
  if (host[label_size] != '.' || !net::equalsIgnoreCase(host.substr(label_size + 1), base_domain)) return result;
  result.kind_ = HostKind::Instance;
  result.setLabel(host.substr(0, label_size));
  return result;
}

bool isLocalPath(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.size() > 8192) return false;
  if (path.size() > 1 && (path[1] == '/' || path[1] == '\\')) return false;
  // Browsers drop tabs and line ends inside a URL, and read a backslash as a slash: neither belongs into a path of ours.
  return std::none_of(path.begin(), path.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f || c == '\\';
  });
}

}  // namespace swarm::gateway

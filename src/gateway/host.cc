#include "gateway/host.h"

#include <algorithm>

#include "base/text/number.h"
#include "net/http/http.h"

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
  if (label.empty() || label.size() > text_.size()) return;
  std::transform(label.begin(), label.end(), text_.begin(), lower);
  const std::string_view text(text_.data(), label.size());

  // An optional port: digits, then a dot or two dashes.
  std::size_t name_at = 0;
  if (const auto digits = text.find_first_not_of("0123456789"); digits != std::string_view::npos && digits > 0) {
    const std::size_t separator = text[digits] == '.' ? 1 : text.substr(digits).starts_with("--") ? 2 : 0;
    if (separator > 0) {
      const auto port = parseNumber<std::uint16_t>(text.substr(0, digits));
      if (!port || text.front() == '0') return;
      name_at = digits + separator;
      port_ = *port;
    }
  }
  const auto name = text.substr(name_at);
  const bool too_long = name.size() > 63 || (text[name_at == 0 ? 0 : name_at - 1] == '-' && text.size() > 63);
  if (name.empty() || too_long || !std::all_of(name.begin(), name.end(), isLabelCharacter) || name.front() == '-' || name.back() == '-') {
    port_ = 0;
    return;
  }
  name_at_ = static_cast<std::uint8_t>(name_at);
  size_ = static_cast<std::uint8_t>(text.size());
}

HostName parseLabel(std::string_view label) {
  HostName result;
  result.kind_ = HostKind::Instance;
  result.setLabel(label);
  return result;
}

HostName parseHost(std::string_view host, const HostScheme& scheme) {
  HostName result;
  const std::string_view domain = scheme.instanceDomain;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (net::equalsIgnoreCase(host, scheme.baseHost)) {
    result.kind_ = HostKind::Base;
  } else if (isLoopbackAddress(host)) {
    result.kind_ = HostKind::Address;
  } else if (host.size() > domain.size() + 1) {
    const auto label_size = host.size() - domain.size() - 1;
    if (host[label_size] == '.' && net::equalsIgnoreCase(host.substr(label_size + 1), domain))
      return parseLabel(host.substr(0, label_size));
  }
  return result;
}

bool isLocalPath(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.size() > 8192) return false;
  if (path.size() > 1 && (path[1] == '/' || path[1] == '\\')) return false;
  // Browsers drop tabs and line ends inside a URL, and read a backslash as a slash: our paths contain neither.
  return std::none_of(path.begin(), path.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f || c == '\\';
  });
}

}  // namespace swarm::gateway

#include "model/rules/egress_target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/text/format.h"
#include "base/text/number.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxTarget = 64;  ///< bytes

/// Clears what is beyond the prefix.
void mask(std::span<unsigned char> address, unsigned prefix) {
  for (std::size_t i = 0; i < address.size(); ++i) {
    const unsigned kept = std::min(8U, prefix > i * 8 ? static_cast<unsigned>(prefix - i * 8) : 0U);
    address[i] = static_cast<unsigned char>(address[i] & (0xFF00U >> kept));
  }
}

std::optional<std::string> canonical(EgressTarget::Family family, std::string_view text) {
  const bool is_v4 = family == EgressTarget::Family::V4;
  const int kind = is_v4 ? AF_INET : AF_INET6;
  const unsigned bits = is_v4 ? 32 : 128;
  const std::size_t slash = text.find('/');
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(kind, std::string(text.substr(0, slash)).c_str(), bytes.data()) != 1) return std::nullopt;
  std::optional<unsigned> prefix = bits;
  if (slash != std::string_view::npos) prefix = parseNumber<unsigned>(text.substr(slash + 1));
  if (!prefix || *prefix > bits) return std::nullopt;
  mask(std::span(bytes).first(bits / 8), *prefix);
  std::array<char, INET6_ADDRSTRLEN> written{};
  if (::inet_ntop(kind, bytes.data(), written.data(), written.size()) == nullptr) return std::nullopt;
  return format("{}/{}", written.data(), *prefix);
}

}  // namespace

std::optional<EgressTarget> parseEgressTarget(std::string_view text) {
  if (text.size() > kMaxTarget || text.find('\0') != std::string_view::npos) return std::nullopt;
  EgressTarget target;
  std::string_view network = text;
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    target.family = EgressTarget::Family::V6;
    network = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    if (!rest.empty()) port = rest.substr(1);
  } else if (std::ranges::count(text, ':') > 1) {
    target.family = EgressTarget::Family::V6;
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    network = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (port) {
    const auto number = parseNumber<std::uint16_t>(*port);
    if (!number || *number == 0) return std::nullopt;
    target.port = *number;
  }
  auto written = canonical(target.family, network);
  if (!written) return std::nullopt;
  target.network = std::move(*written);
  return target;
}

}  // namespace swarm

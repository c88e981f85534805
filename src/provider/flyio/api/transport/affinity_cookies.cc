// The relevant parts of RFC 6265: Path, Max-Age, path matching.
#include "provider/flyio/api/transport/affinity_cookies.h"

#include <charconv>

#include "net/http/http.h"

namespace swarm::flyio {
namespace {

constexpr std::string_view kName = "fly_flaps_affinity";
/// Limit for session cookies, because this process runs for months; consistency takes seconds.
constexpr std::chrono::minutes kMemory{15};
constexpr std::size_t kMaxCookies = 4096;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool pathMatches(std::string_view cookie_path, std::string_view path) {
  if (!path.starts_with(cookie_path)) return false;
  return path.size() == cookie_path.size() || cookie_path.ends_with('/') || path[cookie_path.size()] == '/';
}

std::string_view defaultPath(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : path.substr(0, slash);
}

}  // namespace

void AffinityCookies::keep(std::string_view set_cookie, std::string_view target, SteadyTime now) {
  auto semicolon = set_cookie.find(';');
  std::string_view pair = trim(set_cookie.substr(0, semicolon));
  auto equals = pair.find('=');
  if (equals == std::string_view::npos || pair.substr(0, equals) != kName) return;
  std::string path(defaultPath(target.substr(0, target.find('?'))));
  std::chrono::seconds age = kMemory;
  while (semicolon != std::string_view::npos) {
    set_cookie.remove_prefix(semicolon + 1);
    semicolon = set_cookie.find(';');
    std::string_view attribute = trim(set_cookie.substr(0, semicolon));
    auto sign = attribute.find('=');
    std::string_view value = sign == std::string_view::npos ? std::string_view() : attribute.substr(sign + 1);
    std::string_view name = attribute.substr(0, sign);
    if (net::equalsIgnoreCase(name, "path") && value.starts_with('/')) path = value;
    if (net::equalsIgnoreCase(name, "max-age")) {
      std::int64_t seconds = 0;
      std::from_chars(value.data(), value.data() + value.size(), seconds);
      age = std::min(age, std::chrono::seconds(seconds));
    }
  }
  if (age.count() <= 0) {
    cookies_.erase(path);
    return;
  }
  if (cookies_.size() >= kMaxCookies) std::erase_if(cookies_, [now](const auto& entry) { return entry.second.expires <= now; });
  if (cookies_.size() >= kMaxCookies) cookies_.clear();
  cookies_[path] = {std::string(pair.substr(equals + 1)), now + age};
}

std::string AffinityCookies::headerFor(std::string_view target, SteadyTime now) const {
  if (cookies_.empty()) return {};
  std::string_view path = target.substr(0, target.find('?'));
  std::string_view at = path;
  for (;;) {
    auto found = cookies_.find(at);
    if (found != cookies_.end() && found->second.expires > now && pathMatches(at, path)) {
      return std::string(kName) + "=" + found->second.value;
    }
    if (at.size() <= 1) return {};
    // From "/v1/apps/a/" to "/v1/apps/a", and from there to "/v1/apps/".
    at = at.ends_with('/') ? at.substr(0, at.size() - 1) : at.substr(0, at.rfind('/') + 1);
  }
}

}  // namespace swarm::flyio

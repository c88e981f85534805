#include "net/url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace swarm::net {
namespace {

std::uint16_t usualPort(bool tls) { return tls ? 443 : 80; }

std::string_view viewOf(boost::urls::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string Url::portSuffix() const { return port == usualPort(tls) ? std::string() : ":" + std::to_string(port); }

std::string Url::authority() const { return (host.contains(':') ? "[" + host + "]" : host) + portSuffix(); }

std::optional<Url> parseUrl(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed || parsed->has_userinfo() || parsed->has_fragment() || parsed->encoded_host().empty()) return std::nullopt;
  const auto scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) return std::nullopt;
  Url url{.tls = scheme == boost::urls::scheme::https, .host = parsed->host_address()};
  const bool names_port = parsed->has_port() && !parsed->port().empty();
  url.port = names_port ? parsed->port_number() : usualPort(url.tls);
  url.target = std::string(viewOf(parsed->encoded_target()));
  // Boost.URL 1.81 parses "x" in "http://host:x" as a path.
  const bool is_target = url.target.empty() || url.target.front() == '/' || url.target.front() == '?';
  if (url.port == 0 || !is_target) return std::nullopt;
  return url;
}

std::optional<OriginView> parseOrigin(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  text = text.substr(0, text.find_first_of("/?#", colon + 3));
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed || parsed->has_userinfo() || parsed->encoded_host().empty() || !parsed->encoded_path().empty()) return std::nullopt;
  OriginView origin{.scheme = viewOf(parsed->scheme()), .host = viewOf(parsed->encoded_host()), .port = {}};
  if (origin.scheme != "http" && origin.scheme != "https") return std::nullopt;
  origin.port = text.substr(colon + 3 + origin.host.size());
  return origin;
}

}  // namespace swarm::net

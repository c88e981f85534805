// Host names: which host is the base domain, which an instance, which a port of one (architecture.md §8). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::gateway {

/// Base: API, sign-in, dashboard. Instance: `<name>.<base>` or `<port>--<name>.<base>`. Foreign: a host that we do not serve (a name that
/// someone pointed at us: DNS rebinding).
enum class HostKind { Base, Instance, Foreign };

/// A parsed host. A value without heap memory: it is made for every request.
class HostName {
 public:
  HostKind kind() const { return kind_; }
  /// The lower-case label before the base domain ("8080--ws"); empty when kind is not Instance, or when it can't be the label of one.
  std::string_view label() const { return {text_.data(), size_}; }
  std::string_view instance() const { return label().substr(name_at_); }  ///< "ws"
  std::uint16_t port() const { return port_; }                            ///< 0: VS Code

 private:
  friend HostName parseHost(std::string_view host, std::string_view base_domain);
  void setLabel(std::string_view label);

  HostKind kind_ = HostKind::Foreign;
  std::uint8_t size_ = 0;
  std::uint8_t name_at_ = 0;
  std::uint16_t port_ = 0;
  std::array<char, 64> text_{};
};

/// `host`: without port, in any case, one trailing dot allowed. `base_domain`: lower case. Addresses of the loopback interface and
/// "localhost" count as base.
HostName parseHost(std::string_view host, std::string_view base_domain);

/// Whether `path` may stand in a redirect to our own origin: it begins with one slash, and no browser reads another origin into it.
bool isLocalPath(std::string_view path);

}  // namespace swarm::gateway

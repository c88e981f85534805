// Host names: which host is the base, which an instance, which a port of one (docs/adr/0009-hosts-and-cookies.md). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "auth/public_address.h"

namespace swarm::gateway {

/// Base: API, sign-in, dashboard. Instance: a host below the instance domain. Address: 127.0.0.1, ::1 and `localhost`, for API clients;
/// browsers are redirected to the base. Foreign: a host that the server does not serve (possibly DNS rebinding).
enum class HostKind { Base, Instance, Address, Foreign };

/// A parsed host, made for every request: a value without heap memory.
class HostName {
 public:
  HostKind kind() const { return kind_; }
  /// The part before the instance domain, in lower case ("8080.ws"); empty if kind is not Instance, or if no instance can have it.
  std::string_view label() const { return {text_.data(), size_}; }
  std::string_view instance() const { return label().substr(name_at_); }         ///< "ws"
  std::uint16_t port() const { return port_; }                                   ///< 0: VS Code
  bool isDashed() const { return port_ != 0 && label()[name_at_ - 1U] == '-'; }  ///< "8080--ws"

 private:
  friend HostName parseHost(std::string_view host, const HostScheme& scheme);
  friend HostName parseLabel(std::string_view label);
  void setLabel(std::string_view label);

  HostKind kind_ = HostKind::Foreign;
  std::uint8_t size_ = 0;
  std::uint8_t name_at_ = 0;
  std::uint16_t port_ = 0;
  std::array<char, 72> text_{};
};

/// `host`: without port, in any case, one trailing dot allowed.
HostName parseHost(std::string_view host, const HostScheme& scheme);
/// The part before the instance domain: "8080.ws", "8080--ws" or "ws".
HostName parseLabel(std::string_view label);

/// Whether a redirect to our own origin may contain `path`: it begins with one slash, and browsers do not read it as another origin.
bool isLocalPath(std::string_view path);

}  // namespace swarm::gateway

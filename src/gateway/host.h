// Host names: which host is the base, which an instance, which a port of one (docs/adr/0009-hosts-and-cookies.md). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "auth/public_address.h"

namespace swarm::gateway {

/// Base: API, sign-in, dashboard. Instance: one below the instance domain. Address: 127.0.0.1, ::1 and `localhost`: API clients come there,
/// browsers are sent to the base. Foreign: a host that we do not serve (a name that someone pointed at us: DNS rebinding).
enum class HostKind { Base, Instance, Address, Foreign };

/// A parsed host. A value without heap memory: it is made for every request.
class HostName {
 public:
  HostKind kind() const { return kind_; }
  /// What stands before the instance domain, in lower case ("8080.ws"); empty when kind is not Instance, or when it can't be that of one.
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
/// "8080.ws", "8080--ws" or "ws", as it stands before the instance domain.
HostName parseLabel(std::string_view label);

/// Whether `path` may stand in a redirect to our own origin: it begins with one slash, and no browser reads another origin into it.
bool isLocalPath(std::string_view path);

}  // namespace swarm::gateway

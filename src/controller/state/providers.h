// Providers: the configured deployment targets, by type.
#pragma once

#include <map>

#include "controller/state/registry.h"

namespace swarm::control {

class Providers {
 public:
  explicit Providers(std::map<ProviderType, ProviderPtr> all) : all_(std::move(all)) {}

  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  bool empty() const { return all_.empty(); }
  bool contains(ProviderType type) const { return all_.contains(type); }
  Provider& at(ProviderType type) const { return *all_.at(type); }  ///< must be configured
  Provider* find(ProviderType type) const;                          ///< null when it is not configured
  Provider& require(ProviderType type) const;                       ///< throws Unavailable
  Provider& of(const Entry& entry) const;                           ///< throws Unavailable

 private:
  std::map<ProviderType, ProviderPtr> all_;
};

}  // namespace swarm::control

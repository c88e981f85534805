// What all parts of the provider know: the configuration, and which apps and Machines belong to this swarm.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/tls/tls_context.h"
#include "provider/flyio/api/machine.h"
#include "provider/flyio/api/transport/fly_token.h"
#include "provider/flyio/flyio_config.h"

namespace swarm::flyio {

struct FlySwarm {
  /// Reads the token's file. Throws Error(InvalidArgument) for a wrong configuration.
  FlySwarm(FlyIOProviderConfig configuration, std::string swarm_id);

  bool owns(std::string_view app) const { return app.starts_with(appPrefix); }
  bool owns(const Machine& machine) const;
  std::string appOf(const PlaceId& place_id) const;  ///< the app that is created for the instance
  /// The app that contains the instance: the recorded one, because an instance that uses a kept volume is in that volume's app.
  std::string appOf(const PlaceId& place_id, const std::vector<ExternalResource>& recorded) const;
  std::string leaseText() const { return "swarm " + id; }  ///< description of our leases

  FlyIOProviderConfig config;
  std::string id;
  std::string appPrefix;  ///< of the names of all apps of this swarm
  FlyToken token;
  std::shared_ptr<net::TlsContext> tls;  ///< trusted authorities; null: no connection uses TLS
};

}  // namespace swarm::flyio

// Identity: a person at an identity provider who has signed in, and the account that they use here (docs/oidc.md).
#pragma once

#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/clock.h"

namespace swarm {

struct Identity {
  std::string provider{};  ///< its name in the configuration
  std::string issuer{};    ///< with `subject`: who it is
  std::string subject{};
  std::string user{};
  std::string email{};  ///< verified by the provider; otherwise empty
  SystemTime lastSignInAt{};
  boost::json::object claims{};  ///< of the last sign-in, made printable and cut
  // What the claims were mapped to.
  std::string role{};  ///< empty: they decided none
  std::vector<std::string> groups{};
  std::vector<std::string> notes{};  ///< what the claims lacked, and what followed
};
BOOST_DESCRIBE_STRUCT(Identity, (), (provider, issuer, subject, user, email, lastSignInAt, claims, role, groups, notes))

}  // namespace swarm

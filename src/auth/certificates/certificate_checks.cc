#include "auth/certificates/certificate_checks.h"

#include <algorithm>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "net/ip_address.h"
#include "protocol/ssh_wire.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxShownText = 100;

/// `networks`: as the option has them, separated by commas. As for OpenSSH, a malformed one makes the option useless.
bool isFrom(std::string_view networks, std::string_view client) {
  const auto address = net::parseIpAddress(client);
  if (!address) return false;
  bool contains = false;
  for (std::size_t begin = 0; begin <= networks.size();) {
    const auto end = std::min(networks.find(',', begin), networks.size());
    const auto network = net::parseIpNetwork(networks.substr(begin, end - begin));
    if (!network) return false;
    contains = contains || network->contains(*address);
    begin = end + 1;
  }
  return contains;
}

std::expected<void, std::string> checkOption(const SshCertificate::Option& option, std::string_view address) {
  if (option.name == "force-command") return std::unexpected("permits one command alone (force-command), and the SSH listener runs none");
  if (option.name != "source-address")
    return std::unexpected(format("has the critical option {}, which this server does not support", printable(option.name, kMaxShownText)));
  ssh::WireReader fields(option.data);
  const std::string_view networks = fields.text();
  if (fields.isAtEnd() && isFrom(networks, address)) return {};
  return std::unexpected(format("may not be used from {}, only from {} (source-address)", address, printable(networks, kMaxShownText)));
}

}  // namespace

std::expected<void, std::string> checkCertificate(const SshCertificate& certificate, std::string_view user, std::string_view address,
                                                  SystemTime now) {
  if (certificate.type != SshCertificate::kForUsers)
    return std::unexpected("is not a user certificate; a host certificate (ssh-keygen -h) does not sign in");
  if (now < certificate.validAfter) return std::unexpected("is not valid yet; compare the clocks of the CA and of this server");
  if (now >= certificate.validBefore) return std::unexpected("has expired");
  for (const SshCertificate::Option& option : certificate.criticalOptions)
    if (auto allowed = checkOption(option, address); !allowed) return allowed;
  if (std::ranges::find(certificate.extensions, "permit-port-forwarding", &SshCertificate::Option::name) == certificate.extensions.end())
    return std::unexpected("does not have the extension permit-port-forwarding, which connections to workspaces require");
  if (certificate.principals.empty())
    return std::unexpected("has no principals; the CA has to name the user of this server (ssh-keygen -n)");
  if (std::ranges::find(certificate.principals, user) == certificate.principals.end())
    return std::unexpected(format("is not for {}: the name is not one of its principals", printable(user, kMaxShownText)));
  return {};
}

}  // namespace swarm

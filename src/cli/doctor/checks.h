// The checks of `swarm doctor` on the server's machine. Each looks at one thing and changes nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"

namespace swarm::cli {

struct DoctorCheck {
  enum class Result {
    Ok,
    Warning,  ///< works now; will not, or not for everything
    Failed,
  };
  std::string name;
  Result result = Result::Ok;
  std::string detail;  ///< what was found; of a problem, also what to do
};
using DoctorChecks = std::vector<DoctorCheck>;

/// Cores, memory and the limit of open files.
DoctorChecks checkMachine();
/// The data folder of a server: its owner, mode and free space. `key_file` opens the secrets in it. Neither exists before the first start.
DoctorChecks checkDataFolder(const std::filesystem::path& folder, const std::filesystem::path& key_file);
/// Whether the system keeps the clock right: codes of authenticator apps, tokens and certificates depend on it.
DoctorCheck checkClock();

/// Whether a server responds at `listen` ("address:port"), or could listen there.
struct AddressState {
  DoctorCheck check;
  bool serves = false;  ///< a server of ours responds
};
AddressState checkAddress(const std::string& listen, bool tls);

/// Whether the base host and hosts of workspaces have addresses.
DoctorChecks checkNames(const std::string& base_domain, const std::string& instance_domain);
/// The files of the server's own TLS.
DoctorCheck checkCertificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                             const std::vector<std::string>& hosts, const Clock& clock);

}  // namespace swarm::cli

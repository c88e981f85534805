// Files that the server writes for its operator: the first user's password, and one credential for the command line on this machine.
#pragma once

#include <filesystem>
#include <string>

#include "auth/auth.h"
#include "base/clock.h"
#include "store/store.h"

namespace swarm {

/// Destinations: `folder`, which the command line reads; or `dataDir`, if `folder` already has another server's.
struct CredentialPlaces {
  std::filesystem::path folder;
  std::filesystem::path dataDir;
};

/// Returns the file that now contains the password. Never overwrites an existing one.
std::filesystem::path keepFirstPassword(const CredentialPlaces& places, const Secret& password);

/// The same for the password of an administrator who lost theirs: a file in the data folder, which replaces an earlier one.
std::filesystem::path keepRecoveredPassword(const CredentialPlaces& places, const Secret& password);

/// The credential of this server for the command line: one session, renewed after half of its lifetime. Leaves credentials of other
/// servers, and of users who signed in elsewhere, unchanged.
class MachineCredential {
 public:
  MachineCredential(CredentialPlaces places, std::string url, std::string server_id, Store& store, Auth& auth, const Clock& clock);
  /// Writes it if it is missing or due for renewal. Call it at the start and once a day.
  awaitable<void> keep();

 private:
  std::filesystem::path file() const;
  awaitable<std::string> administrator() const;  ///< admin, or if they cannot sign in another one
  bool isOurs(const std::filesystem::path& file) const;

  CredentialPlaces places_;
  std::string url_;
  std::string server_id_;
  Store& store_;
  Auth& auth_;
  const Clock& clock_;
};

}  // namespace swarm

// What the server leaves for the person who runs it: the first user's password, and one credential for the command line on this machine.
#pragma once

#include <filesystem>
#include <string>

#include "auth/auth.h"
#include "base/clock.h"
#include "store/store.h"

namespace swarm {

/// Where they go: to `folder`, which the command line reads; to `dataDir`, where `folder` has another server's already.
struct CredentialPlaces {
  std::filesystem::path folder;
  std::filesystem::path dataDir;
};

/// Gives the file that has it now. Never writes over an existing one.
std::filesystem::path keepFirstPassword(const CredentialPlaces& places, const Secret& password);

/// The credential of this server for the command line: one session, renewed when half of its time is over. Credentials of another server,
/// and those with which a person signed in elsewhere, stay.
class MachineCredential {
 public:
  MachineCredential(CredentialPlaces places, std::string url, std::string server_id, Store& store, Auth& auth, const Clock& clock);
  /// Writes it where it is missing or due. Call it at the start and once a day.
  awaitable<void> keep();

 private:
  std::filesystem::path file() const;
  bool isOurs(const std::filesystem::path& file) const;

  CredentialPlaces places_;
  std::string url_;
  std::string server_id_;
  Store& store_;
  Auth& auth_;
  const Clock& clock_;
};

}  // namespace swarm

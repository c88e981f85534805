// What the server does from time to time. Each function runs until its loop ends; what fails is logged, and tried again the next time.
#pragma once

#include "audit/audit.h"
#include "auth/auth.h"
#include "controller/controller.h"
#include "credentials.h"

namespace swarm {

/// Memory used by downloads, lists and operations is free again soon; without this the process would keep it. Runs only at low load: less
/// than a tenth of a processor.
async::awaitable<void> giveMemoryBack();

/// Ends shares and levels of ports when their time has passed.
async::awaitable<void> endExpired(Sharing& sharing, SwarmController& controller);

/// Reads the list of revoked SSH keys when it has changed.
async::awaitable<void> followRevokedKeys(RevokedKeys& revoked);

/// The last uses of access tokens and SSH keys, each minute.
async::awaitable<void> keepLastUses(Auth& auth);

/// Removes old records of the audit log, and renews the key that signs API tokens and the credential of the command line.
async::awaitable<void> maintainDaily(MachineCredential& credential, Auth& auth, Audit& audit);

}  // namespace swarm

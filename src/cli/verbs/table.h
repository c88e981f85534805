// Every verb, in the order of `swarm --help`: make<Name>() is defined in the verb's file. A new verb is one class and one line here.
#pragma once

#include "cli/verbs/verb.h"

#define SWARM_VERBS(VERB) \
  VERB(Create)            \
  VERB(List)              \
  VERB(Show)              \
  VERB(Start)             \
  VERB(Stop)              \
  VERB(Restart)           \
  VERB(Update)            \
  VERB(Delete)            \
  VERB(Open)              \
  VERB(Exec)              \
  VERB(Logs)              \
  VERB(Forward)           \
  VERB(Usage)             \
  VERB(Migrate)           \
  VERB(Snapshot)          \
  VERB(SnapshotCreate)    \
  VERB(SnapshotList)      \
  VERB(SnapshotRestore)   \
  VERB(SnapshotDelete)    \
  VERB(Export)            \
  VERB(Import)            \
  VERB(Volumes)           \
  VERB(VolumesDelete)     \
  VERB(Names)             \
  VERB(NamesFree)         \
  VERB(Operations)        \
  VERB(OperationsShow)    \
  VERB(OperationsFollow)  \
  VERB(OperationsCancel)  \
  VERB(Status)            \
  VERB(Providers)         \
  VERB(ProvidersRegions)  \
  VERB(ProvidersShow)     \
  VERB(ProvidersValidate) \
  VERB(Serve)             \
  VERB(Login)             \
  VERB(Logout)            \
  VERB(Whoami)            \
  VERB(GitIdentity)       \
  VERB(LoginLink)         \
  VERB(Sessions)          \
  VERB(SessionsEnd)       \
  VERB(Api)               \
  VERB(Completion)        \
  VERB(Version)           \
  VERB(Help)

namespace swarm::cli {

#define SWARM_DECLARE(Name) VerbPtr make##Name();
SWARM_VERBS(SWARM_DECLARE)
#undef SWARM_DECLARE

#define SWARM_LIST(Name) make##Name,
inline constexpr VerbPtr (*kVerbs[])() = {SWARM_VERBS(SWARM_LIST)};
#undef SWARM_LIST

}  // namespace swarm::cli

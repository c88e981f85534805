// What holds for a member of a public type beyond its type: what it means, its range, its length. The schema prints it (schema.cc), and
// validation applies it (rule_check.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/agent.h"

namespace swarm {

struct FieldRule {
  std::string_view type;
  std::string_view member;
  std::string_view description = {};
  std::optional<double> minimum = std::nullopt;  ///< of a number, or of each number in a list
  std::optional<double> maximum = std::nullopt;
  std::string_view unit = {};
  std::string_view zero = {};  ///< 0 is allowed beside the range, and means this
  std::optional<std::int64_t> except = std::nullopt;
  std::string_view exceptReason = {};
  std::size_t minLength = 0;  ///< of a text in bytes, of a list in elements
  std::optional<std::size_t> maxLength = std::nullopt;
  bool required = false;         ///< in a request
  std::string_view format = {};  ///< of a text, as JSON schemas name it
  std::string_view atMost = {};  ///< another number of the same object, as a JSON pointer, is the maximum, too
  bool fixed = false;            ///< when a container or Machine is created: an update replaces it
};

inline constexpr double kMinMemory = 6;  // the Engine refuses less
inline constexpr double kMaxMemory = 16'777'216;

inline constexpr std::string_view kPageLimit = "Maximum number of items in a page; 100 when absent";
inline constexpr std::string_view kPageCursor = "nextCursor of the previous page";

inline constexpr FieldRule kFieldRules[] = {
    {"CpuConfig", "cores", "Cores to reserve or show", 0.1, 1024, "cores"},
    {"CpuConfig", "limit", "Hard limit in millicores; 0: cores x 1000", 10, 1'024'000, "millicores", "as many as the cores"},
    {.type = "MemoryConfig",
     .member = "min",
     .description = "MiB kept for it (soft); 0: none",
     .minimum = kMinMemory,
     .maximum = kMaxMemory,
     .unit = "MiB",
     .zero = "none",
     .atMost = "/max"},
    {"MemoryConfig", "max", "MiB, hard limit", kMinMemory, kMaxMemory, "MiB"},
    {"StorageResource", "size", "GiB", 1, 65'536, "GiB"},
    {"ResourceConfig", "pids", "Maximum number of processes and threads", 16, 4'194'304},
    {.type = "ResourceConfig",
     .member = "shmSize",
     .description = "MiB of /dev/shm; 0: the provider's default",
     .minimum = 1,
     .maximum = kMaxMemory,
     .unit = "MiB",
     .zero = "the provider's default",
     .atMost = "/memory/max",
     .fixed = true},
    {"DockerNetworkConfig", "networkName", "Empty: the owner's own network"},
    {"NetworkConfig", "exposedPorts", "TCP ports to publish", 1, 65'535, {}, {}, agent::kPort, "it is the agent's", 0, 64},
    {"NetworkConfig", "internalNetwork", "No way out to the internet"},
    {"NetworkConfig", "egress", "What the instance may reach; absent: as the provider is configured"},
    {"EgressConfig", "policy",
     "open: everything; default: not the provider's machine, private ranges, link-local addresses and metadata services of clouds; none: "
     "nothing"},
    {.type = "EgressConfig",
     .member = "allow",
     .description = "What may be reached in spite of the policy, by TCP and UDP: 10.1.0.0/16, 10.1.0.0/16:443, [fd00::/8]:443",
     .maxLength = 64},
    {"EgressReport", "policy", "In effect: the stricter one of the instance's and the provider's"},
    {"EgressReport", "denied", "Packets that were refused since the instance was started or its policy was changed"},
    {"NetworkInfo", "egress", "Absent: everything may be reached"},
    {.type = "NetworkConfig",
     .member = "regions",
     .description = "Regions of Fly.io or names of Docker hosts, in order of preference; they choose the provider, too",
     .maxLength = 16},
    {"SecurityConfig", "noNewPrivileges", "Set-uid programs give no other user's rights: sudo does not work"},
    {"SecurityConfig", "readOnlyRoot", "Only volumes, /tmp, /var/tmp and /run can be written: packages cannot be installed"},
    {"StorageConfig", "size", "GiB", 1, 65'536, "GiB"},
    {"StorageConfig", "persistent", "false: deleted with the instance"},
    {"StorageConfig", "mountPath", "Absolute path in the instance"},
    {"StorageConfig", "volumeName", "Empty: made from the instance's id; a name: that volume is made or attached"},
    {"InstanceConfig", "name", "DNS label of at most 40 characters without \"--\", unique in the swarm; empty: one is made"},
    {"InstanceConfig", "image", "Image reference; empty: the workspace image"},
    {"InstanceConfig", "storage", "Empty in a request: one persistent volume at /home/coder"},
    {"InstanceConfig", "setup",
     "Script (at most 16 KiB) that each new container runs once; empty: the home's own ~/.config/swarm/setup.sh"},
    {.type = "GitIdentity",
     .member = "name",
     .description = "Author of commits; empty together with email: not set",
     .maxLength = 128,
     .required = true},
    {.type = "GitIdentity", .member = "email", .maxLength = 254, .required = true},
    {"CpuUsage", "usage", "Percent of one core"},
    {"CpuUsage", "limit", "Millicores"},
    {"ResourceUsage", "memory", "MiB"},
    {"ResourceUsage", "storage", "GiB"},
    {"CommandResult", "truncated", "Output beyond the limit was dropped"},
    {"ProviderCapabilities", "maxInstancesPerUser", "0: no limit of the provider's"},
    {"Instance", "region", "Fly's region or the name of a Docker host; empty where there is only one"},
    {"Instance", "keptSource", "The place that it was moved from, as long as it is kept"},
    {"Instance", "statusReason", "Why it failed or is not ready, as a sentence; empty when all is well"},
    {"Instance", "desired", "The status that it is meant to have"},
    {"Instance", "resources", "The effective ones"},
    {"Instance", "url", "Where VS Code opens"},
    {"Instance", "version", "Grows with each change of configuration; the ETag"},
    {"Instance", "stale", "The provider can't be reached: this is the last known state, of observedAt"},
    {"Instance", "operationId", "The operation in progress, or empty"},
    {"Instance", "imageOutdated",
     "It was made from an older image than config.image names now; an update with refreshImage replaces it. false where that is not known"},
    {"Operation", "endedAt", "null until it has ended"},
    {"OperationStep", "startedAt", "null until it has begun"},
    {"OperationStep", "endedAt", "null until it has ended"},
    {"Snapshot", "expiresAt", "When its provider deletes it; null: it is kept until a user deletes it"},
    {"SwarmResourceUsage", "cpu", "Cores"},
    {"SwarmResourceUsage", "memory", "MiB"},
    {"SwarmResourceUsage", "storage", "GiB"},
    {"ProviderStatus", "detail", "Why it is not healthy"},
    {"CreateInstance", "provider", "Absent: placement chooses"},
    {"CreateInstance", "regions", "Stands for network.regions"},
    {.type = "CreateInstance",
     .member = "owner",
     .description = "Another user, for administrators; absent: the caller",
     .minLength = 1,
     .maxLength = 64},
    {"AuditQuery", "user", "Only of this user"},
    {"AuditQuery", "action", "Only this action, like deleteInstance, signIn or openVscode"},
    {"AuditQuery", "object", "Only about the object with this name or id"},
    {"AuditQuery", "result", "Only with this result; without it, a list leaves out intents (begun)"},
    {"AuditQuery", "since", "Not older than this time (RFC 3339)"},
    {"AuditQuery", "until", "Older than this time (RFC 3339)"},
    {"ListAudit", "limit", kPageLimit, 1, 500},
    {.type = "ListAudit", .member = "cursor", .description = kPageCursor, .maxLength = 512},
    {"AuditRecord", "action", "The operationId of a route, or signIn, signOut, openVscode, openPort, pruneAudit"},
    {"AuditRecord", "result", "begun: the intent of a change; unknown: the server ended before the result was recorded"},
    {"AuditRecord", "user", "Empty: not signed in, or the server itself"},
    {"AuditRecord", "session", "Of the user; empty: not signed in, or an access token"},
    {"AuditRecord", "token", "Id of the access token with which the request came; empty: a session"},
    {"AuditRecord", "client", "What the client says that it is (User-Agent)"},
    {"AuditRecord", "status", "HTTP status of the response; 0: none"},
    {"AuditRecord", "before", "The changed members before the change, as far as they are known; *** hides values"},
    {"AuditRecord", "after", "What the request contained; *** hides values"},
    {"AuditRecord", "completes", "Sequence of the record with the intent of this change; 0: none"},
    {"AuditVerification", "fault", "What is wrong with the first broken record; empty when intact"},
    {"AuditVerification", "first", "Sequence of the oldest record"},
    {"AuditVerification", "sequence", "Of the last record that was verified; keep it elsewhere together with hash"},
    {"ListInstances", "status", "Only with this status"},
    {"ListInstances", "provider", "Only at this provider"},
    {"ListInstances", "owner", "Only of this user (for administrators)"},
    {"ListInstances", "name", "Only the one with this name"},
    {"ListInstances", "label", "label[KEY]=VALUE: only with this label; also written label.KEY=VALUE"},
    {"ListInstances", "limit", kPageLimit, 1, 1000},
    {.type = "ListInstances", .member = "cursor", .description = kPageCursor, .maxLength = 512},
    {"ListOperations", "instance", "Only of this instance (id or name)"},
    {"ListOperations", "status", "Only with this status"},
    {"ListOperations", "limit", kPageLimit, 1, 1000},
    {.type = "ListOperations", .member = "cursor", .description = kPageCursor, .maxLength = 512},
    {"MigrateInstance", "targetProvider", "Absent: the one it is at, in another region"},
    {"MigrateInstance", "region", "Fly's region, or the name of a Docker host"},
    {"MigrateInstance", "resources", "What is absent stays"},
    {"MigrateInstance", "keepSource", "Keep the source, stopped, to go back to"},
    {"MigrateInstance", "keepHours", "How long it is kept, with keepSource; 24 when absent", 1, 8760, "hours"},
    {"MigrateInstance", "bandwidthLimit", "Bytes per second; 0: no limit", 0},
    {"MigrateInstance", "back", "To the source that an earlier move kept"},
    {"MigrateInstance", "dryRun", "Change nothing; answer with a MigrationPlan"},
    {"TakeSnapshot", "name", "Unique among the instance's; absent: the time"},
    {.type = "RestoreSnapshot", .member = "snapshot", .description = "Its name, or its id", .required = true},
    {"PutShare", "access", "viewer: sees the workspace, its state and its log; editor: enters it, too. viewer when absent"},
    {"PutShare", "expiresAt", "When it ends; absent: until it is ended"},
    {.type = "PutPort",
     .member = "level",
     .description = "Who opens the port in a browser: owner, shared (who may open the workspace), signed-in (every user of the server) or "
                    "public (without a sign-in)",
     .required = true},
    {"PutPort", "expiresAt", "When the level is owner again; required for public, at most 90 days ahead"},
    {"Port", "expiresAt", "When the level is owner again; absent: when it is changed"},
    {"Port", "url", "Where a browser opens the port"},
    {.type = "CreateGroup", .member = "name", .description = "Like the name of a user", .minLength = 1, .maxLength = 40, .required = true},
    {"Group", "managedBy", "The identity provider that alone sets its members; empty: administrators do"},
    {"Group", "members", "Those whom the caller may see: all for administrators and auditors, others only themselves"},
    {"Share", "user", "With whom it is shared; absent for a group"},
    {"Share", "group", "With which it is shared; absent for a user"},
    {.type = "HandOver",
     .member = "owner",
     .description = "The user who gets the workspace",
     .minLength = 1,
     .maxLength = 40,
     .required = true},
    {.type = "ExecuteCommand", .member = "command", .minLength = 1, .required = true},
    {"ExecuteCommand", "timeout", "Seconds", 1, 3600, "seconds"},
    {.type = "IssueToken", .member = "scope", .required = true},
    {"IssueToken", "ttl", "Seconds", 1, 3600, "seconds"},
    {.type = "AddSshKey",
     .member = "key",
     .description = "A line in OpenSSH's form: Ed25519, ECDSA, RSA of at least 3072 bits, or a security key's",
     .maxLength = 4096,
     .required = true},
    {.type = "AddSshKey", .member = "name", .description = "Absent: the comment of the key", .maxLength = 64},
    {.type = "AddSshKey", .member = "owner", .description = "A service account; absent: the caller", .maxLength = 40},
    {.type = "CreateAccessToken",
     .member = "name",
     .description = "2 to 64 letters, digits, -, _ and .; unique among its owner's",
     .minLength = 2,
     .maxLength = 64,
     .required = true},
    {.type = "CreateAccessToken",
     .member = "scopes",
     .description =
         "`read` is always included; `write`: create, change, delete; `inside`: commands, ports, files, environment; `admin`: users, "
         "tokens, shares, providers",
     .maxLength = 4},
    {"CreateAccessToken", "days", "Life; 90 when absent", 1, 3650, "days"},
    {.type = "CreateAccessToken", .member = "namePrefix", .description = "Of the instances that it covers; absent: all", .maxLength = 63},
    {"CreateAccessToken", "maxInstances", "Instances of the user, with this prefix, beyond which the token creates none; 0: no limit", 0,
     10'000},
    {.type = "CreateAccessToken", .member = "owner", .description = "A service account; absent: the caller", .maxLength = 40},
    {.type = "ProgramCode", .member = "code", .maxLength = 128, .required = true},
    {.type = "ProgramCode", .member = "verifier", .maxLength = 128, .required = true, .format = "password"},
    {.type = "DeviceCode", .member = "deviceCode", .maxLength = 128, .required = true, .format = "password"},
    {.type = "Credentials", .member = "user", .maxLength = 256, .required = true},
    {.type = "Credentials", .member = "password", .maxLength = 1024, .required = true, .format = "password"},
    {.type = "Credentials",
     .member = "code",
     .description = "Of the user's second factor, or a recovery code; absent: none",
     .maxLength = 64},
    {.type = "CreateLoginLink",
     .member = "instance",
     .description = "The workspace that the link opens; absent: the list of workspaces",
     .maxLength = 63},
    {.type = "CreateUser",
     .member = "name",
     .description = "1 to 40 of a-z, 0-9, \"-\", \"_\" and \".\", beginning with a letter or digit; never changed",
     .minLength = 1,
     .maxLength = 40,
     .required = true},
    {"CreateUser", "role", "user, operator, auditor or admin; user when absent"},
    {"CreateUser", "kind", "`service`: without password, invitation and sessions, only with access tokens; `person` when absent"},
    {.type = "CreateUser",
     .member = "password",
     .description = "At least 8 bytes; absent: an invitation lets the person set one",
     .maxLength = 1024,
     .format = "password"},
    {.type = "ChangeUser", .member = "role", .description = "user, operator, auditor or admin", .required = true},
    {.type = "SetPassword",
     .member = "password",
     .description = "At least 8 bytes",
     .maxLength = 1024,
     .required = true,
     .format = "password"},
    {.type = "SetPassword",
     .member = "oldPassword",
     .description = "The present one; required for one's own password",
     .maxLength = 1024,
     .format = "password"},
    {.type = "SetProviderToken",
     .member = "token",
     .description = "As the provider prints it; of Fly.io by `fly tokens create org`, \"FlyV1 \" included",
     .maxLength = 16384,
     .required = true,
     .format = "password"},
    {"ProviderToken", "source", "`stored`: by this API; it precedes those of the server's configuration"},
    {"ProviderToken", "setAt", "When it was stored, or its file was changed"},
    {.type = "SetUpSecondFactor",
     .member = "password",
     .description = "One's own",
     .maxLength = 1024,
     .required = true,
     .format = "password"},
    {.type = "ConfirmSecondFactor", .member = "ticket", .description = "Of the request that began it", .maxLength = 64, .required = true},
    {.type = "ConfirmSecondFactor", .member = "code", .description = "The 6 digits that the app shows", .maxLength = 64, .required = true},
    {.type = "DisableSecondFactor",
     .member = "password",
     .description = "One's own",
     .maxLength = 1024,
     .required = true,
     .format = "password"},
    {.type = "DisableSecondFactor", .member = "code", .description = "Of the app, or a recovery code", .maxLength = 64, .required = true},
    {"SecondFactor", "required", "By the configuration of the server: who has none sets it up at the next sign-in with a password"},
    {"SecondFactor", "recoveryCodes", "How many are unused"},
    {"Enrolment", "secret", "In base 32, for an authenticator app"},
    {"Enrolment", "uri", "The same as a QR code contains it (otpauth://)"},
    {"RecoveryCodes", "recoveryCodes", "Each replaces a code of the app once; the server has digests only"},
    {"Invitation", "url", "Lets the person who opens it set a password, once"},
    {"User", "role", "user, operator, auditor, admin, or viewer of earlier versions"},
    {"User", "hasPassword", "false: a service, or a person who has not accepted an invitation yet"},
    {"User", "invitedUntil", "The end of the open invitation; absent: none is open"},
    {"LoginLink", "url", "Signs the browser that opens it in, once"},
    {"ProviderDetails", "detail", "Why it is not healthy"},
    {"Session", "current", "The session of this request"},
    {"Share", "user", "The user with whom the workspace is shared"},
    {"Share", "grantedBy", "The user who shared it"},
    {"Volume", "instanceId", "The instance that it was created for"},
    {"Volume", "stray",
     "It has no storage of the instance (the provider performed a request twice, or a copy was interrupted) and is billed all the same; "
     "its "
     "name is the provider's id"},
};

constexpr const FieldRule* findFieldRule(std::string_view type, std::string_view member) {
  for (const FieldRule& rule : kFieldRules)
    if (rule.type == type && rule.member == member) return &rule;
  return nullptr;
}

struct MemberName {
  std::string_view type;
  std::string_view member;
};

/// The times that may be null; the others are always there.
inline constexpr MemberName kNullableTimes[] = {{"Operation", "endedAt"},
                                                {"OperationStep", "startedAt"},
                                                {"OperationStep", "endedAt"},
                                                {"Snapshot", "expiresAt"},
                                                {"Volume", "createdAt"}};

/// Members of an enumeration's type that take only some of its values.
struct Choices {
  std::string_view type;
  std::string_view member;
  std::string_view values[4];
};
inline constexpr Choices kChoices[] = {{"Instance", "desired", {"running", "stopped", "deleted"}}, {"Health", "status", {"ok", "ready"}}};

}  // namespace swarm

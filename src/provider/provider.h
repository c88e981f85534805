// The provider contract (ARCHITECTURE.md, "Providers"): what a deployment target must do. One conformance suite (tests/conformance/) holds
// every provider to it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "model/codec/open_enum.h"
#include "model/steps.h"
#include "model/types/credentials/provider_token.h"
#include "model/types/ids.h"
#include "model/types/instance.h"
#include "model/types/instance_config.h"
#include "model/types/provider_type.h"
#include "model/types/resource_kind.h"
#include "model/types/swarm_status.h"
#include "model/types/update_plan.h"
#include "model/types/usage.h"
#include "net/http/http_client.h"
#include "provider/image_policy.h"

namespace swarm {

using boost::asio::awaitable;

/// Something that exists at a provider, and its id there.
struct ExternalResource {
  OpenEnum<ResourceKind> kind;
  std::string id;
  bool operator==(const ExternalResource&) const = default;
};

struct VolumeInfo {
  std::string name;
  PlaceId placeId;  ///< the one it was created for
  std::string owner;
  std::string mountPath{};
  bool inUse = false;
  SystemTime createdAt{};
  /// It holds no storage of the instance, and is removed only by a user: a request that was performed twice created it, or a copy was
  /// interrupted. It is billed like the others. Its name is its id.
  bool isStray = false;
};

/// What a provider shall create. Everything that it creates carries labels or metadata swarm.id (the swarm), swarm.instance, swarm.owner.
struct InstanceSpec {
  PlaceId placeId;
  std::string name;
  std::string owner;
  InstanceConfig config;  ///< complete: name, image and storage are filled in
  std::string
      agentBoot;     ///< JSON object of the agent's settings, for its environment (agent::kSettingsVariable): nothing in it is a secret
  Secret agentFile;  ///< the same for an agent that knows no public keys, with the secret of its tokens: a file (agent::kConfigPath, mode
                     ///< 0400, root), never in env or labels
  /// The private key of the agent's TLS, raw bytes (agent::tlsKeyOf). A provider that reaches agents over networks of others adds it to
  /// agentBoot as "tlsKey" (hex) where the image's agent supports it, and then says so in AgentEndpoint.
  Secret agentTlsKey{};
  /// The target of a move: no existing volume may be taken, whatever name the storages request (its files would be replaced).
  /// A create then fails with Conflict where the name is taken, or creates another one of the name where names need not be unique (Fly).
  bool newVolumes = false;
  /// What earlier calls for this instance recorded, oldest first: of several things of one name these are its own. A volume among it that
  /// is gone had the instance's files: a create or a replacement fails with Conflict, and creates no empty one in its place.
  std::vector<ExternalResource> known{};
  bool emptyVolumes = false;                   ///< requested by the user: empty ones in the place of those that are gone
  ImageChoice imageChoice = ImageChoice::Any;  ///< checkRequest, previewInstance: what the user who requests it may choose
  /// replaceInstance: from the image that config.image names now, even if the configuration is the same. Where the provider does not know
  /// whether the image is another one, a repeated call replaces again.
  bool newestImage = false;
  /// The present owner of a volume, whose label keeps the one at the time of its creation.
  std::function<std::string(const VolumeInfo&)> volumeOwner = [](const VolumeInfo& volume) { return volume.owner; };
};

/// What the agent at a place verifies tokens with.
enum class AgentCredential {
  PublicKey,  ///< InstanceSpec::agentBoot
  Secret,     ///< InstanceSpec::agentFile
};

/// Where an agent listens, and which tokens it accepts.
struct AgentEndpoint : net::HttpEndpoint {
  using net::HttpEndpoint::HttpEndpoint;
  AgentCredential credential = AgentCredential::PublicKey;
  /// The place whose agentTlsKey the agent has: connections to it require TLS with that key. Empty: `connect` is all there is. The provider
  /// knows this from where it created the agent, never from the agent's responses.
  PlaceId tlsPlace{};
};

/// How a provider reports its progress. Calls are durable when they return: recorded() writes the id to the store before it
/// completes.
class Progress {
 public:
  virtual ~Progress() = default;
  /// An external resource was created (or found again). Call it as soon as the id is known, before the next external call.
  virtual awaitable<void> recorded(ExternalResource resource) = 0;
  /// The step begins; the one before it has ended. Not durable, cheap.
  virtual void step(Step step) = 0;
  virtual void detail(std::string text, std::int64_t bytes_done = 0, std::int64_t bytes_total = 0) = 0;
};
/// For callers without anything to record.
class NoProgress final : public Progress {
 public:
  awaitable<void> recorded(ExternalResource) override { co_return; }
  void step(Step) override {}
  void detail(std::string, std::int64_t, std::int64_t) override {}
};

/// An instance as its provider sees it.
struct ProviderInstance {
  PlaceId placeId;
  std::string name;
  std::string owner;
  InstanceStatus status = InstanceStatus::stopped;  ///< running, stopped, starting, stopping, creating (never started), failed
  std::string reason;                               ///< for failed: "exited with code 137 (out of memory)"
  SystemTime createdAt{};
  SystemTime startedAt{};
  ResourceConfig resources;  ///< effective
  NetworkInfo network;
  std::string region;  ///< where at the provider: Fly's region, a Docker host's name; empty where there is only one
  std::vector<ExternalResource> external;
  std::string image{};  ///< what it was created from, in the provider's terms (an Engine's image id, a reference at Fly); empty: not known
};

struct InstanceFilter {
  std::optional<PlaceId> placeId;
  std::optional<std::string> owner;
  std::optional<InstanceStatus> status;
  bool admits(const ProviderInstance& instance) const {
    return (!placeId || *placeId == instance.placeId) && (!owner || *owner == instance.owner) && (!status || *status == instance.status);
  }
};

/// A list that may lack entries is marked as incomplete; an absence in such a list means nothing.
struct InstanceList {
  std::vector<ProviderInstance> instances;
  bool complete = true;
};

/// What createInstance would create from a spec, determined without creating anything.
struct PlacementPreview {
  std::string region;        ///< as ProviderInstance::region would be
  ResourceConfig resources;  ///< effective: Fly rounds up to a size that it sells
  std::string image;         ///< as it would be pulled: the workspace image has another name at Fly
  bool imageFound = false;   ///< the provider or its registry has it
  std::string imageDetail;   ///< what was found, or what to do, as a sentence
  /// Room for all storages together, in bytes: what a file system of that size leaves for files. 0: the provider sets no limit.
  std::int64_t storageBytes = 0;
  std::vector<std::string> problems;   ///< why a create would fail, as sentences (image, region, size, storage); empty: it fits
  std::vector<std::string> costNotes;  ///< what is billed, as sentences; no figures where none are known
};

enum class DeleteVolumes { No, Yes };  ///< No: persistent volumes stay; volumes that are not persistent always go

/// An instance (or a place of one) that was deleted.
struct Departure {
  PlaceId placeId;
  std::string owner;
  ProviderType provider = ProviderType::docker;
  DeleteVolumes volumes = DeleteVolumes::No;  ///< as requested
  SystemTime since{};                         ///< when its deletion began
};

/// Whether a new allocation applies at once or after the next start.
enum class AllocationEffect { Live, NeedsRestart };

/// A volume that had files of an instance and does not exist any more.
struct LostVolume {
  std::string name;
  std::string mountPath;
};

/// One check of a provider's configuration against the real endpoint.
struct ValidationCheck {
  std::string name;  ///< "endpoint", "api version", "workspace image"
  bool ok = false;
  std::string detail;  ///< what was found, or what to do
};

/// KnownStorage: storage in use as it was measured last, since measuring it may read every file.
enum class UsageDepth { Full, KnownStorage };

/// What is true of a provider with every configuration.
struct ProviderInfo {
  int costRank = 0;               ///< placement by cost takes the provider with the lowest rank
  bool agentRunsCommands = true;  ///< false: executeCommand() is the only way to run a command in an instance
  bool isOneMachine = false;      ///< cpuTotal() and memoryTotal() are of machines of our own, which the instances share
  bool measuresUsage = true;      ///< false: getResourceUsage() knows only the limits, and the agent reports what is used
};

struct ProviderHealthReport {
  ProviderHealth status = ProviderHealth::healthy;
  std::string detail;
};

/// What happened at the provider, because of our calls or not: drives the observed state.
struct ProviderEvent {
  /// OutOfMemory: a process in the instance was killed at its memory limit; the instance may continue.
  enum class Kind { Changed, Removed, OutOfMemory, Reconnected, Disconnected };
  Kind kind = Kind::Changed;
  PlaceId placeId;     ///< empty for Reconnected and Disconnected, which concern all
  std::string detail;  ///< "die exitCode=137"
};
using ProviderEventSink = std::function<void(const ProviderEvent&)>;

/// Optional parts. A provider without one returns null from the accessor.
class LogSource {
 public:
  virtual ~LogSource() = default;
  class Reader {
   public:
    virtual ~Reader() = default;
    /// The next piece of text, empty at the end. With follow, waits for more.
    virtual awaitable<std::string> next(Deadline deadline) = 0;
  };
  struct Options {
    bool follow = false;
    std::optional<int> tail;
    std::optional<SystemTime> since;
  };
  virtual awaitable<std::unique_ptr<Reader>> openLogs(PlaceId place_id, Options options, Deadline deadline) = 0;
};

/// What a provider takes of an instance's volume on its own schedule, and deletes on it.
struct VolumeSnapshot {
  std::string id;
  SystemTime createdAt{};
  SystemTime expiresAt{};  ///< zero: not reported
  std::int64_t bytes = 0;  ///< stored
};

/// A place at which the files of such a snapshot can be read, and no process of the user runs.
struct SnapshotReader {
  std::string snapshotId;
  PlaceId placeId;  ///< the reader's own: getInstance, agentEndpoint and deleteInstance accept it like that of every other place
  InstanceSpec of;  ///< the instance of the snapshot, but with the agent's file of the reader, which demands hold
  std::vector<ExternalResource> external;  ///< the instance's
};

/// What setting the rules of a running instance's network has found there.
enum class EgressRules {
  Stood,    ///< these rules
  Changed,  ///< other ones: they were replaced
  New,      ///< none: until now the instance could reach everything
};

/// Limits what instances reach (docs/adr/0018-egress.md). The rules end with each run of an instance: its agent starts held, and is
/// released when they stand.
class EgressControl {
 public:
  virtual ~EgressControl() = default;
  /// The policy in effect for an instance with this configuration. Unless it is `open`, its agent has to start held.
  virtual EgressPolicy policyFor(const NetworkConfig& network) const = 0;
  /// Sets the rules in the network of the running instance, all at once. Throws Error(Conflict) when it does not run, and
  /// Error(Unprocessable) when rules cannot be set here.
  virtual awaitable<EgressRules> setRules(PlaceId place_id, NetworkConfig network, Deadline deadline) = 0;
  /// Packets that the rules have refused since they were set. Errors as above.
  virtual awaitable<std::int64_t> countDenied(PlaceId place_id, Deadline deadline) = 0;
};

/// The snapshots that a provider takes on its own schedule (docs/adr/0008-flys-volume-snapshots.md).
class VolumeSnapshots {
 public:
  virtual ~VolumeSnapshots() = default;
  /// By its form: no call is made.
  virtual bool isSnapshotId(std::string_view id) const = 0;
  /// Those of the instance's volumes, newest first. No instance: none.
  virtual awaitable<std::vector<VolumeSnapshot>> listSnapshots(PlaceId place_id, std::vector<ExternalResource> external,
                                                               Deadline deadline) = 0;
  /// Creates the reader and starts it. Idempotent by its placeId. Throws Error(Unprocessable) for a snapshot that does not exist any
  /// more. deleteInstance(reader's id) closes it and cannot affect the instance, in every state of either.
  virtual awaitable<ProviderInstance> openSnapshot(SnapshotReader reader, Progress& progress, Deadline deadline) = 0;
};

/// The token of a provider's API. An administrator can replace it while the server runs.
class ApiToken {
 public:
  virtual ~ApiToken() = default;
  virtual ProviderToken describeToken() const = 0;
  /// Checks a token that is not in use. Throws Error(InvalidArgument) for a text that is not a token, Error(Unprocessable) when the
  /// endpoint refuses it, Error(Unavailable) when that is not known. No error contains it, or text of the endpoint, which may repeat it.
  virtual awaitable<void> checkToken(Secret token, Deadline deadline) = 0;
  /// The next requests have this token instead of the configuration's; those in progress keep theirs. Empty: the configuration's again.
  virtual void useToken(Secret token, SystemTime set_at) = 0;
};

/// Thread-safety: one loop (the controller's) calls everything. Every call may be repeated after any failure or crash. Errors are
/// swarm::Error: Unavailable (endpoint unreachable), DeadlineExceeded, UpstreamFailed, Unprocessable (cannot be fulfilled),
/// OutOfResources, AlreadyExists, NotFound (a call on an instance that does not exist there, except where optional says so).
class Provider {
 public:
  virtual ~Provider() = default;
  virtual ProviderType type() const = 0;
  virtual ProviderInfo info() const { return {}; }

  /// Connects, negotiates and begins to follow the provider's events; `sink` is called on this loop. Never throws for an unreachable
  /// endpoint: it retries in the background and health() reports that.
  virtual awaitable<void> open(ProviderEventSink sink) = 0;
  virtual awaitable<void> close() = 0;

  /// Checks a new request before anything is created or a name is reserved: throws Error(Unprocessable) for what is not allowed, or is
  /// impossible by the known facts, and Error(InvalidArgument) for malformed values of the provider's own options. Makes no call. Empty
  /// members pass.
  virtual void checkRequest(const InstanceSpec&) const {}
  /// What an instance of these gets: Fly rounds up to a size that it sells. Makes no call.
  virtual ResourceConfig effectiveResources(const ResourceConfig& requested) const { return requested; }
  /// Where createInstance may put an instance, in the order of its attempts; empty: there is only one place, or it is not known. No call.
  virtual std::vector<std::string> possibleRegions(const NetworkConfig& network) const {
    return network.regions.empty() ? std::vector<std::string>() : std::vector{network.regions.front()};
  }
  /// Creates everything that the instance needs and starts it. Idempotent by placeId: what an interrupted call created is found,
  /// completed and used. On failure, what this call created may remain; the caller removes it with deleteInstance.
  virtual awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) = 0;
  /// What createInstance would create, by reading only. Reasons against it are in `problems`, never thrown; throws Unavailable and
  /// DeadlineExceeded when the endpoint cannot be queried. Room that is free now may be in use by the time of the create.
  virtual awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) = 0;
  /// Volumes among spec.known that are gone; nothing: this provider does not know.
  virtual awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec, Deadline) { co_return std::nullopt; }
  virtual awaitable<void> startInstance(PlaceId place_id, Progress& progress, Deadline deadline) = 0;  ///< already running: fine
  /// Sends the stop signal, waits `grace`, then kills. Already stopped: fine.
  virtual awaitable<void> stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) = 0;
  /// In any state, also incomplete. Gone already: fine. `external`: ids recorded by createInstance, for what cannot be found by labels.
  virtual awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                         Progress& progress, Deadline deadline) = 0;

  /// Before the deleteInstance of a server that was killed during a create or an update: waits until what the endpoint may still create
  /// exists, so that it is removed.
  virtual awaitable<void> settle(InstanceSpec, Deadline) { co_return; }
  /// Removes what was created for instances that had been deleted by then, as the effect of a call whose caller was gone; volumes as was
  /// requested for them. Never what is older than the deletion, or in use by another instance. Gives what was removed: "container x".
  virtual awaitable<std::vector<std::string>> sweep(std::vector<Departure>, Deadline) { co_return std::vector<std::string>(); }

  virtual awaitable<std::optional<ProviderInstance>> getInstance(PlaceId place_id, Deadline deadline) = 0;
  virtual awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) = 0;
  /// Whether `observed` was created from an older image than the reference `image` names now; false where that is not known. Makes no call:
  /// the last listInstances has read what is needed.
  virtual bool isImageOutdated(const ProviderInstance& /*observed*/, const std::string& /*image*/) const { return false; }

  virtual awaitable<AllocationEffect> allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) = 0;
  virtual awaitable<ResourceUsage> getResourceUsage(PlaceId place_id, UsageDepth depth, Deadline deadline) = 0;
  virtual awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) = 0;
  virtual awaitable<NetworkInfo> getNetworkInfo(PlaceId place_id, Deadline deadline) = 0;
  virtual awaitable<CommandResult> executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                                  Deadline deadline) = 0;
  virtual ProviderCapabilities getProviderCapabilities() const = 0;

  /// Applies a changed configuration that requires the instance to be replaced (env, image, ports, command), keeping its volumes. Leaves it
  /// running or stopped as it was. Idempotent by the spec.
  virtual awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) = 0;

  /// What replaceInstance would remove; nothing: this provider does not know.
  virtual awaitable<std::optional<ReplacementLoss>> previewReplacement(PlaceId, Deadline) { co_return std::nullopt; }

  /// Where the agent listens; may be used from any loop (it opens streams on the caller's executor). Throws Error(Conflict) when it does
  /// not run.
  virtual awaitable<AgentEndpoint> agentEndpoint(PlaceId place_id, Deadline deadline) = 0;

  virtual awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) = 0;
  virtual awaitable<void> deleteVolume(std::string name, Deadline deadline) = 0;  ///< Conflict when in use
  virtual ProviderHealthReport health() const = 0;                                ///< the last known, without a call
  virtual awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) = 0;
  virtual UsedTotal cpuTotal() const { return {}; }     ///< cores of the endpoint, 0 when unknown
  virtual UsedTotal memoryTotal() const { return {}; }  ///< MiB

  virtual ApiToken* apiToken() { return nullptr; }
  virtual LogSource* logs() { return nullptr; }
  virtual VolumeSnapshots* volumeSnapshots() { return nullptr; }
  virtual EgressControl* egress() { return nullptr; }
};

using ProviderPtr = std::unique_ptr<Provider>;

}  // namespace swarm

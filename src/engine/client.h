// Client: the Docker Engine's API as typed calls. The only place with the Engine's URL paths; one file per subject (containers.cc,
// images.cc, networks_volumes.cc, exec.cc).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/text/json_access.h"
#include "engine/format/streams.h"
#include "engine/transport/errors.h"
#include "engine/transport/transport.h"
#include "model/types/usage.h"

namespace swarm::engine {

using swarm::boolAt, swarm::integerAt, swarm::member, swarm::objectAt, swarm::stringAt, swarm::stringIn, swarm::textsAt;
inline std::string labelOf(const json::value& thing, std::string_view name) { return stringIn(thing, "Labels", name); }

/// Whether volumes that the Engine named go with their container.
enum class AnonymousVolumes { Remove, Keep };

struct LogOptions {
  enum class Follow { No, Yes };
  Follow follow = Follow::No;
  enum class Timestamps { No, Yes };
  Timestamps timestamps = Timestamps::No;
  std::optional<int> tail = {};
  std::optional<SystemTime> since = {};
};

struct ExecRequest {
  std::vector<std::string> command;
  std::string input = {};
  std::string user = {};  ///< empty: the container's
  std::string workingDirectory = {};
};

struct PartialText {
  std::string text;
  bool isCut = false;
};

/// Owned by one loop. `filters` and bodies are the Engine's own JSON. A method throws the Engine's refusal (engineError()) unless its
/// result says otherwise; Error(Unavailable | DeadlineExceeded) for failures of the connection. `subject`, where it is not empty: the
/// request continues when its caller is gone, and settled() waits for it.
class Client {
 public:
  explicit Client(Endpoint endpoint) : transport_(std::move(endpoint)) {}

  const Endpoint& endpoint() const { return transport_.endpoint(); }
  /// Negotiates the version and reads the facts, once; again after forget(). Called by every other method.
  awaitable<void> connect(Deadline deadline) { return transport_.connect(deadline); }
  void forget() { transport_.forget(); }  ///< after a disconnect: the Engine behind the endpoint may be another one
  bool connected() const { return transport_.connected(); }
  const Facts& facts() const { return transport_.facts(); }
  awaitable<void> ping(Deadline deadline) { return transport_.ping(deadline); }
  awaitable<void> settled(std::string subject, Deadline deadline) { return transport_.settled(std::move(subject), deadline); }
  /// JSON lines. `since`: "seconds.nanoseconds", or empty.
  awaitable<std::unique_ptr<net::HttpExchange>> openEvents(json::object filters, std::string since, Deadline deadline);

  // Containers, by id or name (containers.cc)
  awaitable<json::array> listContainers(json::object filters, Deadline deadline);  ///< running or not
  awaitable<std::optional<json::value>> inspectContainer(std::string container, Deadline deadline);
  /// Its id. An empty name: the Engine chooses one.
  awaitable<Outcome<std::string>> createContainer(std::string name, json::value body, std::string subject, Deadline deadline);
  awaitable<Outcome<void>> startContainer(std::string container, Deadline deadline);  ///< running already: fine
  awaitable<Outcome<void>> stopContainer(std::string container, std::chrono::seconds grace, Deadline deadline);
  awaitable<bool> killContainer(std::string container, std::string signal, Deadline deadline);  ///< false: it does not run
  awaitable<void> pauseContainer(std::string container, Deadline deadline);
  awaitable<void> unpauseContainer(std::string container, Deadline deadline);
  awaitable<std::optional<std::int64_t>> awaitExit(std::string container, Deadline deadline);  ///< its exit code; nothing: it is gone
  awaitable<void> renameContainer(std::string container, std::string name, Deadline deadline);
  /// Running or not. Gone already: fine. Returns when it is gone.
  awaitable<void> removeContainer(std::string container, AnonymousVolumes volumes, Deadline deadline);
  awaitable<Outcome<void>> updateContainer(std::string container, json::object limits, Deadline deadline);
  awaitable<void> unpackInContainer(std::string container, std::string archive, Deadline deadline);  ///< a tar archive, at /
  awaitable<Outcome<json::value>> sampleStatistics(std::string container, Deadline deadline);
  awaitable<PartialText> listChanges(std::string container, std::size_t max_bytes, Deadline deadline);  ///< of its own layer, as JSON
  awaitable<json::value> listProcesses(std::string container, std::string ps_arguments, Deadline deadline);
  awaitable<std::unique_ptr<net::HttpExchange>> openLogs(std::string container, LogOptions options, Deadline deadline);  ///< in frames
  awaitable<Outcome<std::vector<FrameReader::Frame>>> readLogs(std::string container, LogOptions options, Deadline deadline);

  // Commands in a container (exec.cc)
  awaitable<Outcome<std::string>> createExec(std::string container, const ExecRequest& request, Deadline deadline);  ///< its id
  /// Starts the exec, sends it `input`, and reads until it ends. Of stdout and of stderr `max_output` bytes are kept each. A program that
  /// is missing or not executable ends with 127 or 126 and the reason on stderr, as in a shell. Throws Error(DeadlineExceeded); the command
  /// may continue then.
  awaitable<CommandResult> runExec(std::string exec, std::string input, std::size_t max_output, Deadline deadline);

  // Images (images.cc)
  awaitable<json::array> listImages(Deadline deadline);
  awaitable<Outcome<json::value>> inspectImage(std::string image, Deadline deadline);
  awaitable<void> pullImage(std::string image, PullReport report, Deadline deadline);
  awaitable<Outcome<void>> findInRegistry(std::string image, Deadline deadline);  ///< the Engine queries the registry, as for a pull
  awaitable<void> importImage(std::string repository, std::string tag, std::string archive, Deadline deadline);

  // Volumes (networks_volumes.cc)
  awaitable<json::array> listVolumes(json::object filters, Deadline deadline);
  awaitable<std::optional<json::value>> inspectVolume(std::string volume, Deadline deadline);
  /// The volume of that name, which may have existed before.
  awaitable<json::value> createVolume(json::object body, std::string subject, Deadline deadline);
  awaitable<bool> removeVolume(std::string volume, Deadline deadline);  ///< gone already: fine; false: in use

  // Networks (networks_volumes.cc)
  awaitable<json::array> listNetworks(json::object filters, Deadline deadline);
  awaitable<Outcome<json::value>> inspectNetwork(std::string network, Deadline deadline);
  /// Its id. `held` is kept until the Engine has responded.
  awaitable<Outcome<std::string>> createNetwork(json::object body, std::string subject, std::shared_ptr<void> held, Deadline deadline);
  /// By the network's id, which the endpoint keeps: a container that does not run would join at its next start by the name.
  awaitable<void> connectNetwork(std::string network_id, std::string container, Deadline deadline);
  awaitable<Outcome<void>> disconnectNetwork(std::string network, std::string container, Deadline deadline);
  awaitable<bool> removeNetwork(std::string network_id, Deadline deadline);  ///< gone already: fine; false: in use

 private:
  /// Sends it; to the end where `subject` is not empty.
  awaitable<Reply> send(Request request, Deadline deadline, std::string subject = {}, std::shared_ptr<void> held = {});
  awaitable<Outcome<void>> perform(Request request, Deadline deadline);  ///< the body of the response is ignored
  awaitable<Outcome<json::value>> query(Request request, Deadline deadline, std::string subject = {}, std::shared_ptr<void> held = {});
  awaitable<json::array> list(Request request, Deadline deadline);

  awaitable<std::int64_t> exitCodeOf(std::string exec, Deadline deadline);

  Transport transport_;
};

/// "?filters=…", as a part of a target.
std::string filterQuery(const json::object& filters);

/// What is thrown for bytes that are not a framed stream.
Error brokenStream();

}  // namespace swarm::engine

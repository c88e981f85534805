// A Docker Engine for tests: the machine's own, reached by raw requests, and a tiny image made from busybox.
#pragma once

#include <string>
#include <vector>

#include "conformance/provider/coroutine_runner.h"
#include "engine/client.h"
#include "provider/docker/docker_config.h"

namespace swarm::testing {

/// Where the tests' Engine is: SWARM_TEST_DOCKER_SOCKET, else /var/run/docker.sock.
DockerProviderConfig testEngineConfig();

/// Raw access to an Engine, for what tests do behind the provider's back and for cleaning up.
class TestEngine {
 public:
  TestEngine(CoroutineRunner& runner, DockerProviderConfig config) : runner_(runner), transport_(std::move(config)) {}

  engine::Reply send(std::string method, std::string target, std::optional<boost::json::value> body = {});
  boost::json::value get(std::string target);

  /// An image of busybox that writes "ready", answers HTTP on port 7777 and ends at SIGTERM. Made once per Engine; the name holds a hash of
  /// what it is made from. Throws when /bin/busybox is missing (Debian: busybox-static).
  std::string ensureImage();
  std::string ensureImageOfSecrets();  ///< the same, marked as one whose agent knows no public keys
  /// An image of these files, with changes in the words of a Dockerfile. Its tag is a hash of the archive: one that is there is used.
  std::string importImage(std::string_view repository, const std::string& archive, const std::vector<std::string>& changes);

  std::string tag(const std::string& swarm_id, const std::string& image);  ///< gives the image a name of the test's own, or moves it to it
  void untag(const std::string& swarm_id);

  std::string containerOf(const std::string& swarm_id, const PlaceId& place_id);  ///< its id, or empty
  /// Until the test image's program handles signals: process 1 ignores them before.
  void awaitProgram(const std::string& swarm_id, const PlaceId& place_id);
  /// Makes that program end with code 3.
  void endWithFailure(const std::string& swarm_id, const PlaceId& place_id);
  std::vector<std::string> leftovers(const std::string& swarm_id);
  void removeAll(const std::string& swarm_id);

 private:
  std::vector<std::string> listed(const std::string& kind, const std::string& swarm_id);
  CoroutineRunner& runner_;
  engine::Transport transport_;
};

}  // namespace swarm::testing

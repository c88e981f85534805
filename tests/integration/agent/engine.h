// The few Engine calls that the agent's tests need, made bare: nothing here depends on the Docker provider.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "support/coroutine_test.h"

namespace swarm::test {

struct FileInContainer {
  std::string path;  ///< without the first "/"
  std::string content;
  unsigned mode = 0644;
};

/// One container of an image, removed with its volumes (but those that have a name) when this goes.
class Container {
 public:
  /// Made but not started. `config` is the Engine's own; throws when the Engine or the image is missing.
  Container(TestLoop& loop, boost::json::object config, const std::vector<FileInContainer>& files);
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  void start();
  void stop(int seconds);                     ///< SIGTERM; SIGKILL after `seconds`
  async::awaitable<void> kill();              ///< SIGKILL, and waits for its end; for coroutines of the test
  std::int64_t exitCode();                    ///< of a container that has ended
  std::uint16_t publishedPort(int internal);  ///< on 127.0.0.1
  std::string logs();
  std::vector<std::string> processes();                 ///< their command lines, as the Engine sees them
  void execDetached(std::vector<std::string> command);  ///< beside the agent, as `docker exec --detach`

 private:
  boost::json::value call(std::string method, std::string path, std::string body = "", std::string type = "application/json");
  TestLoop& loop_;
  std::string id_;
};

/// One that has a name, and no container any more.
void removeVolume(TestLoop& loop, const std::string& name);

}  // namespace swarm::test

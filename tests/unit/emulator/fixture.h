// EmulatorFixture: an emulator with the memory backend behind a real listener, which can be stopped, dropped and opened again.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string>

#include "base/clock.h"
#include "emulator/emulator.h"
#include "emulator/memory/memory_backend.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/temp_dir.h"

namespace swarm::test {

namespace json = boost::json;

struct ApiResponse {
  int status = 0;  ///< 0: the connection was closed
  std::string text;
  json::value body;
  net::Headers headers;
  /// A string's text, else the value as JSON; empty if absent.
  std::string at(std::string_view pointer) const;
};

class EmulatorFixture : public ::testing::Test {
 protected:
  EmulatorFixture();
  ~EmulatorFixture() override;

  void open();
  void close();
  /// Like kill -9: no orderly shutdown, and the loop is destroyed with it.
  void crash();
  emulator::Emulator& emulator();

  ApiResponse send(std::string method, std::string target, std::string body = "", net::Headers headers = {});
  ApiResponse get(std::string target) { return send("GET", std::move(target)); }
  ApiResponse post(std::string target, const json::value& body);
  ApiResponse post(std::string target) { return send("POST", std::move(target)); }
  /// Several concurrent requests.
  std::vector<ApiResponse> sendAll(std::vector<net::HttpRequest> requests);
  void addFault(std::string_view text);
  json::value state() { return get("/emulator/state").body; }

  void createApp(const std::string& name = "a1");
  /// In app a1; the path of the Machine.
  std::string createMachine(json::object config = {}, json::object more = {});
  std::string createStarted(json::object config = {}, json::object more = {});
  void waitFor(const std::string& machine, const std::string& state);
  std::string stateOf(const std::string& machine) { return get(machine).at("/state"); }
  ApiResponse exec(const std::string& machine, const std::string& script);
  /// Runs the loop until `done` returns true.
  void eventually(const std::function<bool()>& done);

  emulator::EmulatorOptions options;
  emulator::MemoryOptions memory;
  /// Wraps the memory backend.
  std::function<emulator::BackendPtr(emulator::BackendPtr)> wrap = [](emulator::BackendPtr backend) { return backend; };
  ManualClock clock;
  std::unique_ptr<TestLoop> loop = std::make_unique<TestLoop>();

 private:
  struct Running;
  awaitable<void> exchange(net::HttpRequest request, ApiResponse& response);
  std::unique_ptr<Running> running_;
};

}  // namespace swarm::test

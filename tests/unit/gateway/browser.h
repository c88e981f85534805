// A browser for tests: cookies by host and domain, redirects and automatic refreshes.
#pragma once

#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {

class BrowserTest : public GatewayTest {
 protected:
  using Jar = std::map<std::string, std::map<std::string, std::string>>;  ///< by host, or by "." and a domain

  awaitable<Response> visit(std::string url, std::string fields = "Accept: text/html\r\n");
  awaitable<Response> post(std::string path, std::string fields, std::string form);
  /// Follows redirects and refreshes to the end; fails after ten.
  awaitable<Response> browse(std::string url);
  std::string base(const std::string& path) const { return "http://" + hostName("") + path; }
  std::string instance(const std::string& path, const std::string& label = "ws") const { return "http://" + hostName(label) + path; }
  void signInAs(const std::string& user);
  /// The challenge's query field, decoded.
  static std::string field(const Response& redirect, std::string_view name);
  /// Begins a sign-in at `label`; returns its binding to this browser.
  awaitable<std::string> beginAt(std::string label);

  void store(const std::string& host, const Response& response);
  std::string cookiesFor(const std::string& host) const;

  Jar jar_;
  std::vector<std::string> trail_;
  bool keepsCookies_ = true;
};

}  // namespace swarm::gateway::testing

// ProgramSignIn: the pages on which a signed-in user lets a program (`swarm login`) sign in as them.
#pragma once

#include <string_view>

#include "async/awaitable.h"
#include "auth/browser/browser_session.h"
#include "auth/limits/open_budget.h"
#include "auth/programs/program_sign_ins.h"
#include "gateway/pages/pages.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

inline constexpr std::string_view kProgramPath = "/login/program";  ///< base host: a program on the browser's machine
inline constexpr std::string_view kDevicePath = "/login/device";    ///< base host: one elsewhere, whose code the user types

class ProgramSignIn {
 public:
  ProgramSignIn(const BrowserSession& browser, Auth& auth, OpenBudget* forms) : browser_(browser), auth_(auth), forms_(forms) {}

  static bool takes(std::string_view path) { return path == kProgramPath || path == kDevicePath; }
  async::awaitable<void> handle(net::Exchange& exchange);

 private:
  async::awaitable<void> respondToProgram(net::Exchange& exchange, Principal principal, std::string fields, bool confirmed);
  async::awaitable<void> respondToDevice(net::Exchange& exchange, Principal principal, std::string form);

  const BrowserSession& browser_;
  Auth& auth_;
  OpenBudget* forms_;
};

}  // namespace swarm::gateway

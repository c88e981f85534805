// Fly's error responses: bodies of every shape, classification, and advice for users (docs/reference/fly-machines.md §1, §12). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace swarm::flyio {

/// The content of an error body. `code` is the body's "status" when it is one of the API's codes, else empty.
struct FlyFault {
  int status = 0;
  std::string text;
  std::string code;
  std::string requestId;
};

/// Takes {"error"}, {"message"}, lease envelopes, HTML, plain text and nothing; never throws.
FlyFault readFault(int status, std::string_view body, std::string request_id);

/// Where capacity is missing: on the Machine's host, on the volume's host, or in the whole region.
enum class Shortage { None, Host, VolumeHost, Region };
Shortage shortageOf(const FlyFault& fault);

bool isLeaseHeld(const FlyFault& fault);
bool isNameTaken(const FlyFault& fault);         ///< of an app
bool isMachineNameTaken(const FlyFault& fault);  ///< in its app
bool isNotRunning(const FlyFault& fault);        ///< a command needs a running Machine
/// The id in "machine ID <id> already exists with name", "volume is currently bound to machine: <id>"; empty without one.
std::string machineIdIn(std::string_view text);
/// A temporary 412: the Machine is still starting, stopping or being replaced, or its volume is still attached (E10 … E13, E25, E26).
bool isTemporary(const FlyFault& fault);

/// A 404 of the server for a path that the API does not have, or a proxy's page.
bool isUnroutedPath(std::string_view body);
/// The body of a response to a command that Fly's init refused without an error.
bool isRejectedCommand(std::string_view body);
/// The app has something, but lists nothing.
Error contradictoryLists(const std::string& app, std::string_view what);

/// "Fly could not <doing>: <text>", with advice where available. The upstream facts hold status and request id.
Error flyError(const FlyFault& fault, std::string_view doing);

}  // namespace swarm::flyio

// The API's objects as JSON (Appendix A), and the pages of lists.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "emulator/api/call.h"
#include "emulator/rules/core.h"

namespace swarm::emulator {

enum class Detail { Full, Summary };

struct MachineView {
  Detail detail = Detail::Full;
  bool withLease = false;
  std::string nonce = "";  ///< of a lease created by this call
};
json::object machineToJson(const Core& core, const Machine& machine, const MachineView& view = {});
json::object eventToJson(const MachineEvent& event);
json::object volumeToJson(const Core& core, const Volume& volume);
json::object appToJson(const App& app);
json::object ipToJson(const IpAssignment& ip);
json::object snapshotToJson(const Snapshot& snapshot);
std::string secretDigest(const AppSecret& secret);  ///< 16 hex digits

/// limit and cursor of a list (§2, §3). I: a cursor without a limit is a 400; the cursor is opaque.
struct Page {
  std::int64_t limit = 0;  ///< 0: everything
  std::int64_t after = 0;  ///< the number of the last entry of the previous page
};
Page readPage(const Call& call, std::int64_t most);
std::string cursorOf(std::int64_t number);

/// Whether the Machine is visible to this caller yet (§12 pitfall 4).
bool isVisible(const Core& core, const Call& call, const Machine& machine);
/// Before GET's response changes from `destroyed` to 404.
bool isRemembered(const Core& core, const Machine& machine);

}  // namespace swarm::emulator

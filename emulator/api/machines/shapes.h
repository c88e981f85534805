// The API's objects as JSON (Appendix A), and the pages of lists.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/id.h"
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
json::object snapshotToJson(const VolumeSnapshot& snapshot);
/// `object` with the version of the app's secrets, under both names that clients read.
json::object withSecretsVersion(const App& app, json::object object);
std::string secretDigest(const AppSecret& secret);  ///< 16 hex digits

/// limit and cursor of a list (§2, §3). I: a cursor without a limit is a 400; the cursor is opaque.
struct Page {
  std::int64_t limit = 0;  ///< 0: everything
  std::int64_t after = 0;  ///< the number of the last entry of the previous page
};
Page readPage(const Call& call, std::int64_t most);

/// Appends a page of `in_order`, an index by number; returns the cursor of the next page. `show` returns nothing for an entry that is not
/// listed.
template <typename Index, typename Show>
std::optional<std::string> addPage(json::array& list, const Index& in_order, const Page& page, Show show) {
  std::int64_t last = 0;
  for (auto next = in_order.upper_bound(page.after); next != in_order.end(); ++next) {
    std::optional<json::object> shown = show(*next->second);
    if (!shown) continue;
    if (page.limit != 0 && static_cast<std::int64_t>(list.size()) == page.limit) return toBase64Url(std::to_string(last));
    list.push_back(std::move(*shown));
    last = next->first;
  }
  return std::nullopt;
}
/// The list as the response, with the cursor in its header.
Response pageResponse(const json::array& list, std::optional<std::string> cursor);

/// Whether the Machine is visible to this caller yet (§12 pitfall 4).
bool isVisible(const Core& core, const Call& call, const Machine& machine);
/// Before GET's response changes from `destroyed` to 404.
bool isRemembered(const Core& core, const Machine& machine);

}  // namespace swarm::emulator

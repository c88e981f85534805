// Watch: observes Fly. There is no event stream, so the organization's list is polled every few seconds for changes: one request, however
// many Machines exist.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>
#include <string>

#include "async/background/background_task.h"
#include "provider/flyio/app/regions.h"
#include "provider/flyio/machine/machine_cache.h"
#include "provider/flyio/watch/organization.h"

namespace swarm::flyio {

/// close() before destruction, once open() was called.
class Watch {
 public:
  Watch(MachinesClient& client, MachinesClient& web, MachineCache& cache, Organization& organization, Regions& regions, const Clock& clock);

  awaitable<void> open(ProviderEventSink sink);
  awaitable<void> close();
  ProviderHealthReport health() const;
  void pollNow();  ///< instead of after the present pause: the token is another one
  bool isHostDead(const std::string& machine_id) const { return dead_hosts_.contains(machine_id); }

 private:
  struct Seen {
    PlaceId placeId;
    OpenEnum<MachineState> state;
    std::string version;
    SystemTime updatedAt{};
    bool isGone = false;
  };

  awaitable<void> follow();
  awaitable<void> poll();
  awaitable<void> pollEverything();
  awaitable<void> pollChanges();
  awaitable<void> pollHosts();
  void noteChange(const Machine& machine);
  void noteTrouble(std::string trouble);
  void notify(ProviderEvent::Kind kind, PlaceId place_id, std::string detail);
  PlaceId placeOf(const std::string& machine_id) const;
  bool anythingExists() const { return !seen_.empty() || !cache_.places().empty(); }

  MachinesClient& client_;
  MachinesClient& web_;
  MachineCache& cache_;
  Organization& organization_;
  Regions& regions_;
  const Clock& clock_;

  ProviderEventSink sink_;
  async::BackgroundTask task_;
  boost::asio::steady_timer* pause_ = nullptr;  ///< between two polls
  bool is_idle_ = false;                        ///< of a pause: nothing exists, and it ends when something does
  std::map<std::string, Seen> seen_;            ///< by Machine
  SystemTime seen_until_{};                     ///< changes up to here were observed
  std::set<std::string> dead_hosts_;            ///< Machines whose volume's host is unreachable
  SteadyTime hosts_polled_{};
  bool connected_ = false;
  bool partial_ = false;  ///< the last poll lacked a region
  std::string trouble_;
};

}  // namespace swarm::flyio

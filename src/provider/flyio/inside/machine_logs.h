// MachineLogs: logs from Fly's web API. They are available also after the Machine has ended, shortly after they were written.
#pragma once

#include "provider/flyio/machine/machine_finder.h"

namespace swarm::flyio {

class MachineLogs final : public LogSource {
 public:
  /// `web`: a client of Fly's web API; must outlive the readers.
  MachineLogs(MachinesClient& web, MachineFinder& machines) : web_(web), machines_(machines) {}
  awaitable<std::unique_ptr<Reader>> openLogs(PlaceId place_id, Options options, Deadline deadline) override;

 private:
  MachinesClient& web_;
  MachineFinder& machines_;
};

}  // namespace swarm::flyio

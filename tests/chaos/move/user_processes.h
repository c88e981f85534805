// UserProcesses: watches the machine's processes for those that an instance's user has (the stand-in for code-server), and remembers in how
// many places there were some at the same time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace swarm::test {

class UserProcesses {
 public:
  /// Those whose environment says CHAOS_WORLD=`world`.
  explicit UserProcesses(std::string world);
  ~UserProcesses();
  UserProcesses(const UserProcesses&) = delete;
  UserProcesses& operator=(const UserProcesses&) = delete;

  int placesNow() const;  ///< in how many containers there are some
  int mostPlaces() const { return most_; }

 private:
  void watch();

  std::string mark_;
  const std::set<std::string> others_;  ///< pids of earlier processes, not read again
  std::atomic<int> most_ = 0;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace swarm::test

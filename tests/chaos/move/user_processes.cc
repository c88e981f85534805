// By /proc: the Engine of these tests is on this machine.
#include "chaos/move/user_processes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace swarm::test {
namespace {

constexpr std::chrono::milliseconds kLookEvery{5};

/// As much as there is: a process may end while we read.
std::string contentOf(const std::filesystem::path& path) {
  std::string content;
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char piece[4096];
  for (ssize_t got = 0; file >= 0 && (got = ::read(file, piece, sizeof piece)) > 0;) content.append(piece, static_cast<std::size_t>(got));
  if (file >= 0) ::close(file);
  return content;
}

std::set<std::string> allProcesses() {
  std::set<std::string> pids;
  std::error_code gone;  // processes may end during the scan
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    std::string pid = entry.path().filename();
    if (std::ranges::all_of(pid, [](char c) { return c >= '0' && c <= '9'; })) pids.insert(std::move(pid));
  }
  return pids;
}

}  // namespace

UserProcesses::UserProcesses(std::string world)
    : mark_("CHAOS_WORLD=" + std::move(world)), others_(allProcesses()), thread_([this] { watch(); }) {}

UserProcesses::~UserProcesses() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  ending_.notify_all();
  thread_.join();
}

int UserProcesses::placesNow() const {
  std::set<std::string> places;
  for (const std::string& pid : allProcesses()) {
    if (others_.contains(pid)) continue;
    std::filesystem::path process = "/proc/" + pid;
    if (contentOf(process / "comm") != "code-server\n") continue;
    if (contentOf(process / "environ").find(mark_) == std::string::npos) continue;
    std::error_code gone;
    std::string place = std::filesystem::read_symlink(process / "ns" / "pid", gone);
    if (!place.empty()) places.insert(place);
  }
  return static_cast<int>(places.size());
}

void UserProcesses::watch() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    lock.unlock();
    most_ = std::max(most_.load(), placesNow());
    lock.lock();
    ending_.wait_for(lock, kLookEvery, [this] { return is_ending_; });
  }
}

}  // namespace swarm::test

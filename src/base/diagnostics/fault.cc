// Reads SWARM_FAULT and acts at the named point; empty in release builds.
#include "base/diagnostics/fault.h"

#ifdef SWARM_FAULT_POINTS
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "base/error.h"

namespace swarm {
namespace {

enum class Deed { Kill, Stop, Throw };

struct Fault {
  int pass = 1;
  Deed deed = Deed::Kill;
};

Deed deedOf(std::string_view word) {
  if (word == "error") return Deed::Throw;
  return word == "stop" ? Deed::Stop : Deed::Kill;
}

std::map<std::string, Fault, std::less<>> readFaults() {
  std::map<std::string, Fault, std::less<>> faults;
  const char* setting = std::getenv("SWARM_FAULT");
  std::string_view rest = setting ? setting : "";
  while (!rest.empty()) {
    std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    auto equals = one.find('=');
    Fault fault;
    if (equals != std::string_view::npos) fault.deed = deedOf(one.substr(equals + 1));
    std::string_view name = one.substr(0, equals);
    if (auto colon = name.find(':'); colon != std::string_view::npos) {
      fault.pass = std::atoi(std::string(name.substr(colon + 1)).c_str());
      name = name.substr(0, colon);
    }
    faults[std::string(name)] = fault;
  }
  return faults;
}

void appendToList(const char* path, std::string_view name) {
  int file = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  std::string line = std::string(name) + "\n";
  [[maybe_unused]] ssize_t written = ::write(file, line.data(), line.size());
  ::close(file);
}

}  // namespace

void faultPoint(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, Fault, std::less<>> faults = readFaults();
  static const char* list = std::getenv("SWARM_FAULT_LIST");
  std::lock_guard lock(mutex);
  if (list) appendToList(list, name);
  auto fault = faults.find(name);
  if (fault == faults.end() || --fault->second.pass != 0) return;
  if (fault->second.deed == Deed::Stop) {
    ::raise(SIGSTOP);  // this thread stops here; the test that watches the process acts now and then resumes it
    return;
  }
  if (fault->second.deed == Deed::Kill) {
    ::kill(::getpid(), SIGKILL);
    ::pause();
  }
  throw Error(ErrorCode::Internal, "A fault was injected at " + std::string(name) + ".");
}

}  // namespace swarm
#endif

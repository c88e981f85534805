// Starting and ending a dockerd of one's own.
#include "integration/docker/own_engine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

extern char** environ;

namespace swarm::testing {
namespace {

bool accepts(const std::filesystem::path& path) {
  int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  bool connected = ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return connected;
}

/// Everything still mounted below `folder`, innermost first.
void unmountBelow(const std::filesystem::path& folder) {
  std::ifstream mounts("/proc/self/mounts");
  std::vector<std::string> found;
  std::string device, target, rest;
  while (mounts >> device >> target && std::getline(mounts, rest)) {
    if (target.starts_with(folder.string())) found.push_back(target);
  }
  for (auto mount = found.rbegin(); mount != found.rend(); ++mount) ::umount2(mount->c_str(), MNT_DETACH);
}

void setFlags(int control, const std::string& name, bool up) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  ::ioctl(control, SIOCGIFFLAGS, &request);
  request.ifr_flags = static_cast<short>(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
  ::ioctl(control, SIOCSIFFLAGS, &request);
}

/// A bridge for dockerd's default network. With --bridge=none it would remove docker0, which belongs to the machine's Engine. Its address
/// is this process's: several tests may have one at the same time.
void makeBridge(const std::string& name) {
  int control = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  auto address = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
  address->sin_family = AF_INET;
  auto number = static_cast<unsigned>(::getpid());
  std::string own = "10." + std::to_string(200 + number / 250 % 50) + "." + std::to_string(number % 250) + ".1";
  ::inet_pton(AF_INET, own.c_str(), &address->sin_addr);
  bool made = ::ioctl(control, SIOCBRADDBR, name.c_str()) == 0 && ::ioctl(control, SIOCSIFADDR, &request) == 0;
  ::inet_pton(AF_INET, "255.255.255.0", &address->sin_addr);
  made = made && ::ioctl(control, SIOCSIFNETMASK, &request) == 0;
  setFlags(control, name, true);
  ::close(control);
  if (!made) throw std::runtime_error("no network bridge can be made");
}

void removeBridge(const std::string& name) {
  int control = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  setFlags(control, name, false);
  ::ioctl(control, SIOCBRDELBR, name.c_str());
  ::close(control);
}

/// The command in a mount namespace with an /etc of its own, where dockerd's user "daemon" has a range of ids: the machine's stays as it
/// is. The shell becomes dockerd, with the same pid.
std::vector<std::string> inOwnMounts(std::vector<std::string> command, const std::filesystem::path& folder) {
  const std::string script =
      "rm -rf \"$0\"; cp -a /etc \"$0\"; chmod o+x \"$0/..\"; echo daemon:100000:65536 | tee \"$0/subuid\" >\"$0/subgid\"; "
      "mount --bind \"$0\" /etc; exec \"$@\"";
  std::vector<std::string> arguments{"/usr/bin/unshare", "--mount", "/bin/sh", "-ec", script, (folder / "etc").string()};
  command.push_back("--userns-remap=daemon:daemon");
  arguments.insert(arguments.end(), command.begin(), command.end());
  return arguments;
}

/// The containerd of a dockerd: its pid is in the exec-root. 0: none runs.
pid_t containerdOf(const std::filesystem::path& exec_root) {
  std::ifstream file(exec_root / "containerd" / "containerd.pid");
  pid_t pid = 0;
  if (!(file >> pid) || pid <= 1) return 0;
  std::ifstream name("/proc/" + std::to_string(pid) + "/comm");
  std::string comm;
  std::getline(name, comm);
  return comm == "containerd" ? pid : 0;
}

/// A killed dockerd takes its containerd along, a moment later. One that comes back within that moment would take it for alive.
void endContainerd(const std::filesystem::path& exec_root) {
  Deadline deadline = Deadline::after(std::chrono::seconds(10));
  while (pid_t pid = containerdOf(exec_root)) {
    ::kill(pid, SIGKILL);
    if (deadline.hasPassed()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

OwnEngine::OwnEngine(Options options) : options_(std::move(options)) {
  char name[] = "/tmp/swarm-test-engine-XXXXXX";
  folder_ = ::mkdtemp(name);
  std::filesystem::create_directories(dataFolder());
  std::filesystem::create_directories(folder_ / "exec");
  std::string size = "size=" + std::to_string(options_.tmpfsMib) + "m";
  if (::mount("tmpfs", dataFolder().c_str(), "tmpfs", 0, size.c_str()) != 0) throw std::runtime_error("no tmpfs can be mounted");
  bridge_ = "swt" + std::to_string(::getpid());
  makeBridge(bridge_);
  start();
}

OwnEngine::~OwnEngine() {
  stop();
  endContainerd(folder_ / "exec");
  unmountBelow(folder_);
  removeBridge(bridge_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool OwnEngine::possible() { return ::geteuid() == 0 && std::filesystem::exists("/usr/sbin/dockerd"); }

void OwnEngine::start() {
  std::error_code ignored;
  std::filesystem::remove(folder_ / "docker.pid", ignored);  // of one that was killed
  // No iptables: their chains belong to the machine's Engine. No address pools: with them, a restart removes docker0, which is not ours
  // either.
  std::vector<std::string> arguments{"/usr/sbin/dockerd",
                                     "--host=unix://" + socket().string(),
                                     "--data-root=" + dataFolder().string(),
                                     "--exec-root=" + (folder_ / "exec").string(),
                                     "--pidfile=" + (folder_ / "docker.pid").string(),
                                     "--iptables=false",
                                     "--ip-masq=false",
                                     "--bridge=" + bridge_};
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  if (options_.remapsUsers) arguments = inOwnMounts(std::move(arguments), folder_);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  std::string log = (folder_ / "log").string();
  ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  int failed = ::posix_spawn(&process_, pointers[0], &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("dockerd can't be started");
}

void OwnEngine::kill() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
  endContainerd(folder_ / "exec");
}

void OwnEngine::stop() {
  if (process_ == 0) return;
  ::kill(process_, SIGTERM);
  Deadline deadline = Deadline::after(std::chrono::seconds(20));
  while (::waitpid(process_, nullptr, WNOHANG) == 0) {
    if (deadline.hasPassed()) {
      kill();
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  process_ = 0;
}

bool OwnEngine::waitForSocket() {
  Deadline deadline = Deadline::after(std::chrono::seconds(30));
  while (!accepts(socket())) {
    if (deadline.hasPassed()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

DockerProviderConfig OwnEngine::config() const {
  DockerProviderConfig config;
  config.socketPath = socket();
  return config;
}

std::string OwnEngine::log() const {
  std::ifstream file(folder_ / "log");
  std::stringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  return all.size() > 2000 ? all.substr(all.size() - 2000) : all;
}

std::uint16_t freePort() {
  int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(probe, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  return ntohs(address.sin_port);
}

}  // namespace swarm::testing

#include "cli/doctor/checks.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "async/attempt.h"
#include "async/deadline.h"
#include "async/loop.h"
#include "base/error.h"
#include "base/text/duration_text.h"
#include "base/text/format.h"
#include "cli/output/quantities.h"
#include "net/connect.h"
#include "net/http/http_client.h"
#include "net/resolve.h"
#include "net/tls/server_certificate.h"

namespace swarm::cli {
namespace {

using Result = DoctorCheck::Result;

constexpr std::int64_t kGibibyte = std::int64_t{1} << 30;
constexpr std::int64_t kFewMemory = 2 * kGibibyte;  ///< a workspace with VS Code takes some hundred MiB, the build of the image more
constexpr rlim_t kFewFiles = 4096;
constexpr std::int64_t kFullDisk = kGibibyte / 4;
constexpr std::int64_t kNearlyFullDisk = 2 * kGibibyte;
constexpr std::chrono::days kSoon{14};
constexpr std::chrono::seconds kPatience{10};

template <typename T>
T runToEnd(boost::asio::awaitable<T> work) {
  async::Loop loop("swarm-doctor");
  return boost::asio::co_spawn(loop.executor(), std::move(work), boost::asio::use_future).get();
}

std::string sizeText(std::int64_t bytes) { return bytesText(bytes); }

DoctorCheck diskCheck(const std::filesystem::path& folder) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0)
    return {"disk", Result::Failed, format("The disk of {} cannot be read: {}.", folder.string(), std::generic_category().message(errno))};
  const auto free_bytes = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  const std::string found = format("{} of {} are free at {}", sizeText(free_bytes),
                                   sizeText(static_cast<std::int64_t>(disk.f_blocks * disk.f_frsize)), folder.string());
  if (free_bytes < kFullDisk) return {"disk", Result::Failed, found + ": changes cannot be saved. Delete files, or enlarge the disk."};
  if (free_bytes < kNearlyFullDisk)
    return {"disk", Result::Warning, found + ". Delete files, or enlarge the disk, before changes cannot be saved."};
  return {"disk", Result::Ok, found};
}

/// Of something that only the server's user may read.
DoctorCheck privateCheck(const char* name, const std::filesystem::path& path, mode_t expected) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0)
    return {name, Result::Failed,
            format("{} cannot be read: {}. Run this as the user of the server.", path.string(), std::generic_category().message(errno))};
  if (found.st_uid != ::geteuid())
    return {name, Result::Warning,
            format("{} belongs to the user {}, not to {}, who runs this. Run it as the user of the server.", path.string(), found.st_uid,
                   ::geteuid())};
  if ((found.st_mode & 077) != 0)
    return {name, Result::Failed,
            format("Other users of this machine can read {}. Run: chmod {:o} {}", path.string(), expected, path.string())};
  return {name, Result::Ok, path.string()};
}

boost::asio::awaitable<bool> isOurServer(net::HostPort address, bool tls) {
  const Deadline deadline = Deadline::after(kPatience);
  // The port alone says it: with TLS, the certificate is the server's, for other names.
  if (tls) co_return true;
  net::HttpClientOptions options;
  options.host = "localhost";
  options.maxBody = 4096;
  net::HttpClient client([address](Deadline until) { return net::connectTcp(address, until); }, std::move(options));
  net::HttpRequest request;
  request.target = "/healthz";
  const auto response = co_await async::attempt(client.send(std::move(request), deadline));
  co_return response && response->status == 200 && response->body.find("\"status\":\"ok\"") != std::string::npos;
}

/// Empty: it can listen there.
std::string faultOfListening(const net::HostPort& address) {
  try {
    boost::asio::io_context loop{1};
    net::listenTcp(loop.get_executor(), address)->close();
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

}  // namespace

DoctorChecks checkMachine() {
  DoctorChecks checks;
  const unsigned cores = std::max(std::thread::hardware_concurrency(), 1U);
  const std::int64_t memory = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  const std::string found = format("{} cores, {} of memory", cores, sizeText(memory));
  if (memory < kFewMemory)
    checks.push_back({"machine", Result::Warning, found + ": few for workspaces; 4 GB and more are comfortable."});
  else
    checks.push_back({"machine", Result::Ok, found});
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < kFewFiles)
    checks.push_back(
        {"open files", Result::Warning,
         format("The limit is {}: each connection takes two or three. Raise it (LimitNOFILE= of a service, ulimit -Hn).", files.rlim_max)});
  else
    checks.push_back({"open files", Result::Ok, format("at most {}", files.rlim_max)});
  return checks;
}

DoctorChecks checkDataFolder(const std::filesystem::path& folder, const std::filesystem::path& key_file) {
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored)) {
    std::filesystem::path parent = folder;
    while (!parent.empty() && parent != parent.parent_path() && !std::filesystem::exists(parent, ignored)) parent = parent.parent_path();
    if (::access(parent.c_str(), W_OK) != 0)
      return {{"data folder", Result::Failed,
               format("{} cannot be made: this user may not write to {}. Set dataDir, or run the server as another user.", folder.string(),
                      parent.string())}};
    return {{"data folder", Result::Ok, folder.string() + " is made at the first start"}, diskCheck(parent)};
  }
  DoctorChecks checks{privateCheck("data folder", folder, 0700), diskCheck(folder)};
  const bool has_database = std::filesystem::exists(folder / "swarm.db", ignored);
  if (std::filesystem::exists(key_file, ignored))
    checks.push_back(privateCheck("secrets", key_file, 0600));
  else if (has_database)
    checks.push_back({"secrets", Result::Failed,
                      format("{} is not there, and the server does not start without it: restore it from a backup, or name its place with "
                             "secretsKeyFile.",
                             key_file.string())});
  return checks;
}

DoctorCheck checkClock() {
  timex state{};
  const std::string now = formatTime(RealClock().now());
  if (::adjtimex(&state) < 0) return {"clock", Result::Warning, now + "; this user may not read whether it is synchronized."};
  if ((state.status & STA_UNSYNC) != 0)
    return {"clock", Result::Warning,
            now +
                "; no program keeps it right. Codes of authenticator apps, tokens and certificates depend on it: run systemd-timesyncd, or "
                "chrony."};
  return {"clock", Result::Ok, now + ", synchronized"};
}

AddressState checkAddress(const std::string& listen, bool tls) {
  net::HostPort address;
  try {
    address = net::parseHostPort(listen);
  } catch (const Error& error) {
    return {{"address", Result::Failed, error.message()}};
  }
  net::HostPort target = address;
  if (target.host == "0.0.0.0") target.host = "127.0.0.1";
  if (target.host == "::") target.host = "::1";
  const auto connected = runToEnd([](net::HostPort where) -> boost::asio::awaitable<bool> {
    co_return (co_await async::attempt(net::connectTcp(std::move(where), Deadline::after(kPatience)))).has_value();
  }(target));
  if (connected) {
    if (runToEnd(isOurServer(target, tls))) return {{"address", Result::Ok, format("the server responds at {}", listen)}, true};
    return {{"address", Result::Failed,
             format("Another program listens at {}. End it (ss -ltnp shows it), or give the server another address: [server] listen.",
                    listen)}};
  }
  if (const std::string fault = faultOfListening(address); !fault.empty()) return {{"address", Result::Failed, fault}};
  return {{"address", Result::Warning, format("The server does not run; {} is free. Start it with scripts/up or swarm serve.", listen)}};
}

DoctorChecks checkNames(const std::string& base_domain, const std::string& instance_domain) {
  DoctorChecks checks;
  for (const std::string& host : {base_domain, "x." + instance_domain}) {
    const bool is_base = host == base_domain;
    const char* name = is_base ? "base host" : "workspaces";
    const std::string shown = is_base ? host : "*." + instance_domain;
    if (!net::literalAddresses(host, 0).empty()) {
      checks.push_back({name, Result::Ok, shown + ": browsers on this machine reach it without DNS; those on others do not"});
      continue;
    }
    const auto found = runToEnd([](std::string which) -> boost::asio::awaitable<std::string> {
      const auto addresses = co_await async::attempt(net::resolveName(std::move(which), 443, Deadline::after(kPatience)));
      co_return addresses ? std::string() : addresses.error().message();
    }(host));
    if (found.empty())
      checks.push_back({name, Result::Ok, shown + " has an address"});
    else
      checks.push_back(
          {name, Result::Failed, format("{} has no address ({}) Add an A or AAAA record for {} to its DNS zone.", shown, found, shown)});
  }
  return checks;
}

DoctorCheck checkCertificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                             const std::vector<std::string>& hosts, const Clock& clock) {
  try {
    const net::ServerCertificate loaded(certificate, key, clock);
    for (const std::string& host : hosts)
      if (!loaded.covers(host))
        return {"certificate", Result::Failed,
                format("{} is not valid for {}: browsers will refuse it. It needs the names {}.", certificate.string(), host,
                       format("{} and {}", hosts.front(), hosts.back()))};
    const auto left = loaded.expiresAt() - clock.now();
    const std::string found =
        format("{} expires in {}", certificate.string(), durationText(std::chrono::duration_cast<std::chrono::seconds>(left).count()));
    if (left < kSoon) return {"certificate", Result::Warning, found + ". Renew it; the server reads the files again without a restart."};
    return {"certificate", Result::Ok, found};
  } catch (const Error& error) {
    return {"certificate", Result::Failed, error.message()};
  }
}

}  // namespace swarm::cli

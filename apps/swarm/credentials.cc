#include "credentials.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "auth/accounts/accounts.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "cli/context.h"
#include "net/url.h"

namespace swarm {
namespace {

constexpr std::chrono::hours kLife{24 * 90};
constexpr std::string_view kSessionSetting = "cli.session";

/// False: the file already exists.
bool writeNewPrivateFile(const std::filesystem::path& path, const Secret& content) {
  std::filesystem::create_directories(path.parent_path());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) return false;
  const std::string text = content.reveal() + "\n";
  const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int problem = errno;
  if (file >= 0) ::close(file);
  if (!written) throw Error(ErrorCode::OutOfResources, format("Cannot write {}: {}.", path.string(), std::strerror(problem)));
  return true;
}

/// Whether both lead to this machine, by the same port.
bool isSamePlace(std::string_view one, std::string_view other) {
  const auto first = net::parseUrl(one), second = net::parseUrl(other);
  if (!first || !second || first->tls) return false;
  const bool is_here = first->host == "localhost" || first->host.starts_with("127.") || first->host == "swarm.localhost";
  return is_here && first->port == second->port;
}

}  // namespace

std::filesystem::path keepFirstPassword(const CredentialPlaces& places, const Secret& password) {
  // A second server with the same folder must not overwrite the password of the first.
  for (const auto& folder : {places.folder, places.dataDir}) {
    const auto path = folder / "admin-password";
    if (writeNewPrivateFile(path, password)) return path;
  }
  throw Error(
      ErrorCode::Conflict,
      format("Cannot store the password of the first user: {} and {} already exist. Move them away, remove the new data folder, and "
             "start again.",
             (places.folder / "admin-password").string(), (places.dataDir / "admin-password").string()));
}

std::filesystem::path keepRecoveredPassword(const CredentialPlaces& places, const Secret& password) {
  const auto path = places.dataDir / "admin-password";
  std::filesystem::remove(path);
  writeNewPrivateFile(path, password);
  return path;
}

MachineCredential::MachineCredential(CredentialPlaces places, std::string url, std::string server_id, Store& store, Auth& auth,
                                     const Clock& clock)
    : places_(std::move(places)), url_(std::move(url)), server_id_(std::move(server_id)), store_(store), auth_(auth), clock_(clock) {}

/// Whether the existing file was written by this server, also before servers wrote their id, or is of no use to any server.
bool MachineCredential::isOurs(const std::filesystem::path& file) const {
  const auto known = cli::readCredentials(file);
  if (!known || known->server == server_id_) return true;
  if (!known->server.empty()) return false;
  return auth_.verifyApiToken(known->token.reveal()) || isSamePlace(known->url, url_);
}

std::filesystem::path MachineCredential::file() const {
  const auto usual = places_.folder / "credentials.json";
  return isOurs(usual) ? usual : places_.dataDir / "credentials.json";
}

awaitable<std::string> MachineCredential::administrator() const {
  std::string found;
  for (const UserRecord& user : co_await auth_.accounts().list()) {
    if (user.disabled || user.kind == UserKind::service || user.role != Role::admin) continue;
    if (found.empty() || user.name == "admin") found = user.name;
  }
  co_return found;
}

awaitable<void> MachineCredential::keep() {
  const std::string user = co_await administrator();
  const auto path = file();
  if (path.parent_path() != places_.folder)
    log::warning("the command line is signed in to another server",
                 {{"its", (places_.folder / "credentials.json").string()}, {"ours", path.string()}});
  const auto known = cli::readCredentials(path);
  const auto principal = known ? auth_.verifyApiToken(known->token.reveal()) : std::nullopt;
  const bool lasts = principal && principal->expiresAt - clock_.now() > kLife / 2 && principal->user == user;
  if (lasts && known->url == url_ && known->server == server_id_) co_return;
  if (lasts) co_return cli::writeCredentials(path, {url_, known->token, user, server_id_});
  const LoginResult login = co_await auth_.issue(user, kLife);
  cli::writeCredentials(path, {url_, login.token, user, server_id_});
  // One per machine: this invalidates the earlier one.
  const auto former = co_await store_.getSetting(std::string(kSessionSetting));
  co_await store_.putSetting(std::string(kSessionSetting), login.principal.sessionId);
  for (const SessionRecord& session : auth_.listSessions(""))
    if (former && session.id == *former) co_await auth_.endSession(session);
}

}  // namespace swarm

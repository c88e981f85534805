// Trees, sessions, and the listing used for comparison.
#include "unit/transfer/fixture.h"
#include "async/awaitable.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>

namespace swarm::transfer {
namespace {

std::string attributesOf(const fs::path& path) {
  char names[65536];
  const ssize_t size = ::llistxattr(path.c_str(), names, sizeof names);
  std::map<std::string, std::string> values;
  for (ssize_t at = 0; at < size; at += static_cast<ssize_t>(std::strlen(names + at)) + 1) {
    const std::string name = names + at;
    if (name.starts_with("security.selinux") || name.starts_with("trusted.")) continue;
    char value[65536];
    const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value, sizeof value);
    values[name] = std::string(value, length < 0 ? 0 : static_cast<std::size_t>(length));
  }
  std::string text;
  for (const auto& [name, value] : values) text += " " + name + "=" + std::to_string(std::hash<std::string>()(value));
  return text;
}

void list(const fs::path& top, const fs::path& relative, std::map<ino_t, std::string>& first, std::ostream& out) {
  const fs::path path = relative.empty() ? top : top / relative;
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) throw std::system_error(errno, std::generic_category(), path);
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)) return;
  out << relative.native() << ": " << std::oct << status.st_mode << std::dec << ' ' << status.st_uid << ':' << status.st_gid << ' '
      << status.st_mtim.tv_sec << '.' << status.st_mtim.tv_nsec << attributesOf(path);
  if (S_ISLNK(status.st_mode)) out << " -> " << fs::read_symlink(path).native();
  if (S_ISREG(status.st_mode)) {
    const auto [known, is_first] = first.try_emplace(status.st_ino, relative.native());
    out << ' ' << status.st_size << ' ' << status.st_nlink;
    if (is_first) {
      out << ' ' << std::hash<std::string>()(readFile(path));
    } else {
      out << " = " << known->second;
    }
  }
  out << '\n';
  if (!S_ISDIR(status.st_mode)) return;
  std::vector<fs::path> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  for (const fs::path& name : names) list(top, relative / name, first, out);
}

}  // namespace

std::string listTree(const fs::path& top) {
  std::ostringstream out;
  std::map<ino_t, std::string> first;
  list(top, {}, first, out);
  return out.str();
}

std::int64_t occupied(const fs::path& top) {
  std::int64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(top)) {
    struct stat status{};
    if (::lstat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) bytes += status.st_blocks * 512;
  }
  return bytes;
}

void writeFile(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw std::runtime_error("could not write " + path.native());
}

std::string readFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(static_cast<std::size_t>(fs::file_size(path)), '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

void setTime(const fs::path& path, std::int64_t seconds, long nanoseconds) {
  const timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
  if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) throw std::system_error(errno, std::generic_category(), path);
}

std::string noise(std::size_t bytes, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < bytes; at += 8) {
    const std::uint64_t value = random();
    std::memcpy(text.data() + at, &value, std::min<std::size_t>(8, bytes - at));
  }
  return text;
}

std::size_t countThreads() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/task")) ++count;
  return count;
}

namespace {
fs::path memoryIfEnough() {
  std::error_code none;
  constexpr std::uintmax_t kEnough = 1024 * 1024 * 1024;
  const auto memory = fs::space("/dev/shm", none);
  return !none && memory.available > kEnough ? fs::path("/dev/shm") : fs::temp_directory_path();
}
}  // namespace

Move::Move() : root_(memoryIfEnough()) {
  fs::create_directories(source());
  fs::create_directories(target());
}

net::StreamPtr Move::session(Role role, const Wrap& wrap) {
  auto [server, agent] = net::makePipe(loop_.executor(), pipeBytes);
  SessionOptions options;
  options.role = role;
  options.hashes = role == Role::Source ? source_hashes_.get() : target_hashes_.get();
  options.root = role == Role::Source ? sourceRoot() : targetRoot();
  ++*running_;
  const auto serve = [](net::StreamPtr stream, SessionOptions its_options, std::shared_ptr<int> count) -> async::awaitable<void> {
    co_await runSession(std::move(stream), std::move(its_options));
    --*count;
  };
  loop_.spawn(serve(std::move(agent), std::move(options), running_));
  return wrap ? wrap(std::move(server)) : std::move(server);
}

std::unique_ptr<Link> Move::connect(LinkOptions options, Wrap source_wrap, Wrap target_wrap) {
  auto source_end = session(Role::Source, source_wrap);
  auto target_end = session(Role::Target, target_wrap);
  return loop_.run(openLink(std::move(source_end), std::move(target_end), "op-test", scope, options));
}

RoundReport Move::round(RoundKind kind) {
  auto link = connect();
  auto report = loop_.run(link->round(kind, {}), std::chrono::seconds(60));
  loop_.run(link->close());
  link.reset();
  loop_.runUntil([this] { return running() == 0; });
  return report;
}

std::pair<DigestReport, DigestReport> Move::digests() {
  auto link = connect();
  auto both = loop_.run(link->digests({}), std::chrono::seconds(60));
  loop_.run(link->close());
  link.reset();
  loop_.runUntil([this] { return running() == 0; });
  return both;
}

void Move::expectEqual() {
  EXPECT_EQ(listTree(source()), listTree(target()));
  const auto [left, right] = digests();
  EXPECT_EQ(left.digest, right.digest);
  EXPECT_EQ(left.files, right.files);
}

RoundReport Move::moveAndCheck(RoundKind kind) {
  auto report = round(kind);
  expectEqual();
  return report;
}

void Move::forgetHashes() {
  source_hashes_ = std::make_unique<HashCache>();
  target_hashes_ = std::make_unique<HashCache>();
}

}  // namespace swarm::transfer

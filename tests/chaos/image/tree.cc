// Fills a folder with files of all kinds, and lists a folder with everything that a move must keep. Shares no code with what is tested.
//   tree fill DIR [FILES BYTES]   FILES more files of about BYTES each
//   tree big FILE MIB             a file of so many MiB
//   tree list DIR                 one line for each entry, in order
//   tree sum DIR                  how many lines that would be, and a hash of them
//   tree judge DIR                whether what /bin/writer left in DIR is what one moment had
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& what) {
  perror(what.c_str());
  exit(1);
}

void write(const std::string& path, const std::string& content, off_t at = 0) {
  int file = open(path.c_str(), O_WRONLY | O_CREAT, 0644);
  if (file < 0 || pwrite(file, content.data(), content.size(), at) != static_cast<ssize_t>(content.size())) fail(path);
  close(file);
}

void folder(const std::string& path) {
  if (mkdir(path.c_str(), 0755) != 0) fail(path);
}

/// The same for the same seed; does not shrink.
std::string noise(std::uint64_t seed, std::size_t bytes) {
  std::string content(bytes, '\0');
  for (char& byte : content) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>(seed >> 56);
  }
  return content;
}

void fill(const std::string& top, int files, std::size_t bytes) {
  folder(top);
  folder(top + "/deep");
  folder(top + "/deep/er and");
  folder(top + "/deep/er and/new\nline");
  folder(top + "/empty");
  write(top + "/notes", "precious");
  write(top + "/deep/raw\351", "bytes in a name");
  write(top + "/deep/er and/new\nline/file", "at the bottom");
  write(top + "/nothing", "");
  write(top + "/big", noise(1, 3 << 20));
  write(top + "/sparse", "in the middle", 9'000'000);
  if (truncate((top + "/sparse").c_str(), 20'000'000) != 0) fail("sparse");
  if (link((top + "/notes").c_str(), (top + "/deep/er and/hard").c_str()) != 0) fail("hard link");
  if (symlink("../notes", (top + "/deep/soft").c_str()) != 0 || symlink("/nowhere", (top + "/dangling").c_str()) != 0) fail("symlink");
  if (chmod((top + "/nothing").c_str(), 04750) != 0 || chmod((top + "/empty").c_str(), 02770) != 0) fail("chmod");
  if (setxattr((top + "/notes").c_str(), "user.note", "kept", 4, 0) != 0) fail("xattr");
  timespec old[2] = {{1'000'000'000, 123'456'789}, {1'000'000'000, 123'456'789}};
  if (utimensat(AT_FDCWD, (top + "/deep/er and/hard").c_str(), old, 0) != 0) fail("time");
  if (files > 0) folder(top + "/many");
  for (int n = 0; n < files; ++n) {
    std::string below = top + "/many/" + std::to_string(n / 100);
    if (n % 100 == 0) folder(below);
    write(below + "/" + std::to_string(n),
          noise(static_cast<std::uint64_t>(n) + 2, bytes / 2 + static_cast<std::size_t>(n) * 7919 % (bytes + 1)));
  }
}

std::string readable(const std::string& text) {
  std::string shown;
  for (unsigned char byte : text) {
    char code[8];
    snprintf(code, sizeof code, byte > 32 && byte < 127 && byte != '\\' && byte != '|' ? "%c" : "\\x%02x", byte);
    shown += code;
  }
  return shown;
}

/// FNV-1a.
constexpr std::uint64_t kNoBytes = 14695981039346656037ULL;
std::uint64_t hashOf(const void* bytes, std::size_t length, std::uint64_t hash) {
  for (std::size_t at = 0; at < length; ++at) hash = (hash ^ static_cast<const unsigned char*>(bytes)[at]) * 1099511628211ULL;
  return hash;
}

std::uint64_t contentHash(const std::string& path) {
  std::uint64_t hash = kNoBytes;
  int file = open(path.c_str(), O_RDONLY | O_NOFOLLOW);
  if (file < 0) fail(path);
  static std::vector<unsigned char> buffer(1 << 20);
  for (ssize_t got = 0; (got = read(file, buffer.data(), buffer.size())) > 0;)
    hash = hashOf(buffer.data(), static_cast<std::size_t>(got), hash);
  close(file);
  return hash;
}

std::string attributes(const std::string& path) {
  char names[4096], value[4096];
  ssize_t bytes = llistxattr(path.c_str(), names, sizeof names);
  std::vector<std::string> found;
  for (ssize_t at = 0; at < bytes; at += static_cast<ssize_t>(strlen(names + at)) + 1) {
    std::string name = names + at;
    if (!name.starts_with("user.")) continue;
    ssize_t size = lgetxattr(path.c_str(), name.c_str(), value, sizeof value);
    found.push_back(name + "=" + std::string(value, size > 0 ? static_cast<std::size_t>(size) : 0));
  }
  std::ranges::sort(found);
  std::string text;
  for (const std::string& one : found) text += readable(one) + ";";
  return text;
}

std::map<ino_t, std::string> links;
long entries = 0;
std::uint64_t lines_hash = kNoBytes;
bool only_sum = false;

void list(const std::string& path, const std::string& shown) {
  struct stat facts{};
  if (lstat(path.c_str(), &facts) != 0) fail(path);
  char target[4096];
  ssize_t length = S_ISLNK(facts.st_mode) ? readlink(path.c_str(), target, sizeof target) : 0;
  bool is_folder = S_ISDIR(facts.st_mode);
  std::string first = !is_folder && facts.st_nlink > 1 ? links.try_emplace(facts.st_ino, shown).first->second : "";
  static char line[64 * 1024];
  int bytes = snprintf(line, sizeof line, "%s|%o|%u:%u|%lld|%lld.%09ld|%s|%s|%s|%016llx\n", readable(shown).c_str(), facts.st_mode,
                       facts.st_uid, facts.st_gid, is_folder ? 0LL : static_cast<long long>(facts.st_size),
                       static_cast<long long>(facts.st_mtim.tv_sec), facts.st_mtim.tv_nsec, readable(first).c_str(),
                       readable(std::string(target, static_cast<std::size_t>(std::max<ssize_t>(length, 0)))).c_str(),
                       attributes(path).c_str(), S_ISREG(facts.st_mode) ? static_cast<unsigned long long>(contentHash(path)) : 0ULL);
  ++entries;
  lines_hash = hashOf(line, static_cast<std::size_t>(bytes), lines_hash);
  if (!only_sum) fputs(line, stdout);
  if (!is_folder) return;
  DIR* opened = opendir(path.c_str());
  if (!opened) fail(path);
  std::vector<std::string> names;
  while (dirent* one = readdir(opened)) names.emplace_back(one->d_name);
  closedir(opened);
  std::ranges::sort(names);
  for (const std::string& name : names)
    if (name != "." && name != "..") list(path + "/" + name, shown + "/" + name);
}

std::vector<std::string> linesOf(const std::string& path) {
  std::vector<std::string> lines;
  FILE* file = fopen(path.c_str(), "r");
  if (!file) fail(path);
  char line[256];
  while (fgets(line, sizeof line, file)) lines.push_back(line);
  fclose(file);
  return lines;
}

[[noreturn]] void wrong(const std::string& what) {
  printf("wrong: %s\n", what.c_str());
  exit(0);
}

/// The writer makes data/N, appends N to the file `all`, then to the log; it renames N to N.old, then logs "rN"; it removes N.old, then
/// logs "-N". So whatever the log says has happened to its data, and at most the one step behind it may have.
void judge(const std::string& top) {
  std::map<long, char> known;  // what the log says of each number
  std::vector<std::string> log = linesOf(top + "/log"), all = linesOf(top + "/all");
  for (const std::string& line : log) {
    if (line.back() != '\n') wrong("half a line in the log: " + line);
    char kind = line[0] == 'r' || line[0] == '-' ? line[0] : '+';
    known[atol(line.c_str() + (kind != '+'))] = kind;
  }
  if (log.empty()) wrong("nothing was logged");
  long last = known.rbegin()->first;
  int behind = 0;  // changes that the log does not know yet
  for (auto [n, kind] : known) {
    std::string name = top + "/data/" + std::to_string(n);
    bool is_new = access(name.c_str(), F_OK) == 0, is_old = access((name + ".old").c_str(), F_OK) == 0;
    bool as_logged = kind == '+' ? is_new && !is_old : kind == 'r' ? is_old && !is_new : !is_old && !is_new;
    bool one_further = kind == '+' ? is_old && !is_new : kind == 'r' && !is_old && !is_new;
    if (!as_logged && !one_further) wrong("data of " + std::to_string(n) + ", of which the log says " + kind);
    behind += !as_logged;
    if ((is_new || is_old) && linesOf(is_new ? name : name + ".old") != std::vector<std::string>{"content of " + std::to_string(n) + "\n"})
      wrong("content of " + std::to_string(n));
  }
  behind += access((top + "/data/" + std::to_string(last + 1)).c_str(), F_OK) == 0;
  if (behind > 1) wrong(std::to_string(behind) + " changes are there that the log does not know");
  if (static_cast<long>(all.size()) < last || static_cast<long>(all.size()) > last + 1) wrong("what was appended");
  for (std::size_t n = 0; n < static_cast<std::size_t>(last); ++n)
    if (atol(all[n].c_str()) != static_cast<long>(n) + 1) wrong("what was appended, at " + std::to_string(n + 1));
  printf("right: %ld\n", last);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && strcmp(argv[1], "fill") == 0) {
    fill(argv[2], argc > 4 ? atoi(argv[3]) : 0, argc > 4 ? static_cast<std::size_t>(atol(argv[4])) : 0);
    return 0;
  }
  if (argc == 4 && strcmp(argv[1], "big") == 0) {
    for (int mib = 0; mib < atoi(argv[3]); ++mib) write(argv[2], noise(static_cast<std::uint64_t>(mib), 1 << 20), off_t{mib} << 20);
    return 0;
  }
  if (argc == 3 && (strcmp(argv[1], "list") == 0 || strcmp(argv[1], "sum") == 0)) {
    only_sum = strcmp(argv[1], "sum") == 0;
    list(argv[2], ".");
    if (only_sum) printf("%ld entries, %016llx\n", entries, static_cast<unsigned long long>(lines_hash));
    return 0;
  }
  if (argc == 3 && strcmp(argv[1], "judge") == 0) {
    judge(argv[2]);
    return 0;
  }
  return 2;
}

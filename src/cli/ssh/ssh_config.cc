// The block and its marks.
#include "cli/ssh/ssh_config.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "cli/ssh/ssh_files.h"

namespace swarm::cli {
namespace {

constexpr std::string_view kBegin = "# >>> swarm: written by `swarm config-ssh`, removed by `swarm config-ssh --remove` >>>";
constexpr std::string_view kEnd = "# <<< swarm <<<";

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;  ///< behind the line break
};

/// The only line with this text, if there is one.
std::optional<Range> findLine(std::string_view config, std::string_view text) {
  std::optional<Range> found;
  for (std::size_t begin = 0; begin < config.size();) {
    const std::size_t end = std::min(config.find('\n', begin), config.size() - 1) + 1;
    std::string_view line = config.substr(begin, end - begin);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line == text) {
      if (found)
        throw Error(ErrorCode::InvalidArgument, "The configuration of ssh has several blocks of swarm. Remove all but one of them.");
      found = Range{begin, end};
    }
    begin = end;
  }
  return found;
}

std::optional<Range> findBlock(std::string_view config) {
  const auto begin = findLine(config, kBegin), end = findLine(config, kEnd);
  if (!begin && !end) return std::nullopt;
  if (!begin || !end || end->begin < begin->end)
    throw Error(ErrorCode::InvalidArgument,
                "The block of swarm in the configuration of ssh lacks its first or its last line. Remove its rest.");
  return Range{begin->begin, end->end};
}

}  // namespace

std::string sshBlock(const std::vector<std::string>& hosts, const SshOptions& options, const SshOptions& jump) {
  std::string text = std::string(kBegin) + "\nHost";
  const auto add = [&text](const SshOptions& those) {
    for (const auto& [name, value] : those) text += "  " + name + ' ' + value + '\n';
  };
  for (const std::string& host : hosts) text += ' ' + host;
  // Each name becomes a quoted word of a command: one with a quote, as a link may have it, must not match.
  text += " *" + std::string(kSshDomain) + " \"!*'*\"\n";
  add(options);
  if (!jump.empty()) text += "Host " + std::string(kJumpHost) + '\n';
  add(jump);
  // What follows is not for our hosts alone.
  return text + "Match all\n" + std::string(kEnd) + '\n';
}

bool hasSshBlock(std::string_view config) { return findBlock(config).has_value(); }

std::string replaceSshBlock(std::string_view config, std::string_view block) {
  const Range place = findBlock(config).value_or(Range{});
  return std::string(config.substr(0, place.begin)) + std::string(block) + std::string(config.substr(place.end));
}

}  // namespace swarm::cli

#include "auth/certificates/key_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "net/http/http.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxFile = 4 * 1024 * 1024;

}  // namespace

void forEachLine(std::string_view text, const std::function<void(std::string_view line)>& use) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = net::trim(line);
    try {
      if (!line.empty() && !line.starts_with('#')) use(line);
    } catch (const Error& error) {
      throw Error(error.code(), format("line {}: {}", number, error.message()));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string readKeyText(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(ErrorCode::InvalidArgument, std::strerror(errno));
  std::string text(kMaxFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) throw Error(ErrorCode::InvalidArgument, "it cannot be read");
  if (text.size() > kMaxFile) throw Error(ErrorCode::InvalidArgument, "it is larger than 4 MiB");
  return text;
}

}  // namespace swarm

// Parses /proc/net/tcp and tcp6.
#include "agent/monitor/listeners.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace swarm::agent {
namespace {

constexpr std::string_view kListening = "0A";
constexpr std::size_t kWordDigits = 8;

std::string_view takeWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

template <typename Number>
bool readHex(std::string_view digits, Number& number) {
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
}

/// One or four 32-bit words, each printed in this machine's byte order.
std::optional<std::string> addressOf(std::string_view digits) {
  std::array<std::uint32_t, 4> words{};
  if (digits.size() != kWordDigits && digits.size() != 4 * kWordDigits) return std::nullopt;
  for (std::size_t i = 0; i * kWordDigits < digits.size(); ++i)
    if (!readHex(digits.substr(i * kWordDigits, kWordDigits), words[i])) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(digits.size() == kWordDigits ? AF_INET : AF_INET6, words.data(), text.data(), text.size()) == nullptr)
    return std::nullopt;
  return std::string(text.data());
}

bool isReachedByLoopback(std::string_view address) {
  return address == "0.0.0.0" || address == "::" || address == "::1" || address.starts_with("127.");
}

std::string contentOf(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<std::string> listenersIn(std::string_view table, std::uint16_t port) {
  std::vector<std::string> addresses;
  while (!table.empty()) {
    std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    takeWord(line);  // its number
    const std::string_view local = takeWord(line);
    takeWord(line);  // the remote end
    const std::size_t colon = local.find(':');
    std::uint16_t found = 0;
    if (colon == std::string_view::npos || takeWord(line) != kListening || !readHex(local.substr(colon + 1), found) || found != port)
      continue;
    const auto address = addressOf(local.substr(0, colon));
    if (address && !isReachedByLoopback(*address)) addresses.push_back(*address);
  }
  return addresses;
}

std::vector<std::string> listenersOf(std::uint16_t port) {
  std::vector<std::string> addresses;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    for (std::string& address : listenersIn(contentOf(table), port)) addresses.push_back(std::move(address));
  }
  return addresses;
}

}  // namespace swarm::agent

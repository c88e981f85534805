#include "auth/certificates/revoked_key_list.h"

#include <algorithm>

#include "auth/certificates/key_file.h"
#include "base/error.h"
#include "base/text/number.h"
#include "net/http/http.h"

namespace swarm {
namespace {

constexpr std::string_view kHash = "SHA256:";
constexpr std::size_t kHashDigits = 43;

[[noreturn]] void fail(std::string_view expected) { throw Error(ErrorCode::InvalidArgument, std::string(expected)); }

}  // namespace

RevokedKeyList RevokedKeyList::parse(std::string_view text) {
  RevokedKeyList list;
  forEachLine(text, [&](std::string_view line) { list.addLine(line); });
  return list;
}

void RevokedKeyList::addLine(std::string_view line) {
  const auto colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon), value = net::trim(line.substr(std::min(colon + 1, line.size())));
  if (name == "serial") {
    const auto dash = value.find('-');
    const auto first = parseNumber<std::uint64_t>(value.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parseNumber<std::uint64_t>(value.substr(dash + 1));
    if (!first || !last || *first > *last) fail("expected a serial number, or a range such as 10-20");
    serials_.emplace_back(*first, *last);
  } else if (name == "id") {
    if (value.empty()) fail("expected a key id");
    key_ids_.emplace(value);
  } else if (name == "hash") {
    if (!value.starts_with(kHash) || value.size() != kHash.size() + kHashDigits)
      fail("expected the fingerprint of a key, as `ssh-keygen -l` prints it: SHA256:…");
    fingerprints_.emplace(value);
  } else {
    fail("expected \"serial: …\", \"id: …\" or \"hash: …\"");
  }
}

bool RevokedKeyList::has(const SshCertificate& certificate) const {
  return key_ids_.contains(certificate.keyId) || hasKey(certificate.key.fingerprint) || hasKey(certificate.authority.fingerprint) ||
         std::ranges::any_of(serials_,
                             [&](const auto& range) { return range.first <= certificate.serial && certificate.serial <= range.second; });
}

}  // namespace swarm

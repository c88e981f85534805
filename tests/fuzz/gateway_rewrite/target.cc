// Any head that the gate accepts is rewritten into one that the gate accepts too, that has the same meaning, and that contains none of our
// cookies and headers.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/browser/cookies.h"
#include "base/diagnostics/check.h"
#include "gateway/host.h"
#include "gateway/proxy/rewrite.h"

namespace {

using namespace swarm;
using namespace swarm::gateway;

std::size_t countOf(const net::HeaderViews& headers, std::string_view name) {
  std::size_t count = 0;
  for (const auto& field : headers.all()) count += net::equalsIgnoreCase(field.name, name) ? 1 : 0;
  return count;
}

void checkRequest(std::string_view bytes) {
  net::RequestHead head;
  if (!net::parseRequestHead(bytes, head, net::OddPaths::Mark)) return;
  (void)parseHost(head.host, {});
  // The gateway adds fields: a head at the gate's limit may exceed it afterwards.
  constexpr std::size_t kAddedFields = 8;
  if (head.headers.all().size() + kAddedFields > net::kMaxFields) return;
  std::string out;
  appendUpstreamRequest(head, {.clientAddress = "127.0.0.1", .scheme = "http", .port = "7420", .trustedProxy = false}, out);
  net::RequestHead rewritten;
  SWARM_CHECK(out.find("\r\n\r\n") == out.size() - 4);  // one head, and nothing behind it
  SWARM_CHECK(net::parseRequestHead(out, rewritten, net::OddPaths::Mark).has_value());
  SWARM_CHECK(rewritten.oddPath == head.oddPath);
  SWARM_CHECK(rewritten.method == head.method && rewritten.target == head.target && rewritten.hostPort == head.hostPort);
  SWARM_CHECK(rewritten.body.length == head.body.length);
  SWARM_CHECK((rewritten.body.kind == net::BodyKind::Chunked) == (head.body.kind == net::BodyKind::Chunked));
  SWARM_CHECK(countOf(rewritten.headers, "Host") == 1 && countOf(rewritten.headers, "X-Forwarded-For") == 1);
  SWARM_CHECK(countOf(rewritten.headers, "Swarm-Token") == 0 && countOf(rewritten.headers, "TE") == 0);
  SWARM_CHECK(*rewritten.headers.find("X-Forwarded-For") == "127.0.0.1");
  for (const auto& field : rewritten.headers.all()) {
    if (!net::equalsIgnoreCase(field.name, "Cookie")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      SWARM_CHECK(!isOurCookie(rest.substr(0, rest.find_first_of("=;"))));
      const auto end = rest.find("; ");
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    }
  }
}

void checkResponse(std::string_view bytes, std::string_view method, int version) {
  net::ResponseHead head;
  if (!net::parseResponseHead(bytes, method, head) || head.status < 200) return;
  const auto plan = planClientResponse(head, version, true);
  std::string out;
  appendClientResponse(head, plan, version, {}, out);
  net::ResponseHead rewritten;
  SWARM_CHECK(out.find("\r\n\r\n") == out.size() - 4);
  SWARM_CHECK(net::parseResponseHead(out, method, rewritten).has_value());
  SWARM_CHECK(rewritten.status == head.status && rewritten.keepAlive == plan.keepAlive);
  SWARM_CHECK((rewritten.body.kind == net::BodyKind::Chunked) == (plan.framing == ClientFraming::Chunked));
  if (plan.framing == ClientFraming::Length) SWARM_CHECK(rewritten.body.length == head.body.length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  checkRequest(bytes);
  for (const std::string_view method : {"GET", "HEAD"}) checkResponse(bytes, method, 1);
  return 0;
}

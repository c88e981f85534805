// Bytes of an agent's response: parsed in pieces they end in a value or an Error, and every text of it comes out printable and short.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>

#include "agent/client/client_responses.h"
#include "base/diagnostics/check.h"
#include "base/text/untrusted_text.h"
#include "base/text/utf8.h"

namespace swarm::agent {
namespace {

constexpr JsonLimits kLimits{.bytes = 4096, .values = 64, .depth = 4, .string = 64};

/// In two pieces, cut where the first byte says.
std::optional<boost::json::value> parsed(std::string_view bytes) {
  const std::size_t cut = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]) % bytes.size();
  try {
    UntrustedJson json(kLimits);
    json.add(bytes.substr(0, cut));
    json.add(bytes.substr(cut));
    boost::json::value value = json.finish();
    boost::system::error_code error;
    boost::json::value whole = boost::json::parse(bytes, error);
    SWARM_CHECK(!error);
    if (!json.cut()) SWARM_CHECK(value == whole);
    return value;
  } catch (const Error& error) {
    SWARM_CHECK(error.code() == ErrorCode::UpstreamFailed);
    return std::nullopt;
  }
}

void checkText(std::string_view bytes) {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{5}, std::size_t{100}}) {
    for (const LineBreaks breaks : {LineBreaks::Replace, LineBreaks::Keep}) {
      const std::string text = printable(bytes, limit, breaks);
      SWARM_CHECK(text.size() <= limit && isUtf8(text) && printable(text, limit, breaks) == text);
    }
  }
  SWARM_CHECK(isUtf8(toValidUtf8(bytes)));
}

template <typename Read>
void readAs(const boost::json::value& value, Read read) {
  try {
    read(value);
  } catch (const Error& error) {
    SWARM_CHECK(error.code() == ErrorCode::UpstreamFailed);
    SWARM_CHECK(error.message() == printable(error.message(), Error::kMaxText));
  }
}

}  // namespace

void fuzzAgentResponses(std::string_view bytes) {
  checkText(bytes);
  const auto value = parsed(bytes);
  if (!value || !value->is_object()) return;
  readAs(*value, [](const boost::json::value& response) { SWARM_CHECK(isUtf8(execResponseOf(response).command.stdoutText)); });
  readAs(*value, [](const boost::json::value& response) { usageOf(response); });
  readAs(*value, [](const boost::json::value& response) { SWARM_CHECK(isUtf8(boost::json::serialize(importReportOf(response)))); });
}

}  // namespace swarm::agent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::agent::fuzzAgentResponses({reinterpret_cast<const char*>(data), size});
  return 0;
}

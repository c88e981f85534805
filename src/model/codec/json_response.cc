// One thread for each large response: they are rare, and a thread is cheap beside them.
#include "model/codec/json_response.h"

#include <boost/asio/this_coro.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <optional>

#include "async/blocking_work.h"
#include "base/error.h"
#include "model/codec/untrusted_json.h"

namespace swarm {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Parsed = std::expected<json::value, std::string>;

constexpr JsonLimits kResponseLimits{.bytes = kMaxJsonResponse, .values = kMaxResponseValues, .depth = 32};

Parsed parseNow(std::string_view text, json::storage_ptr storage) {
  try {
    UntrustedJson document(kResponseLimits, std::move(storage));
    document.add(text);
    return document.finish();
  } catch (const Error& error) {
    return std::unexpected(error.message());
  }
}

}  // namespace

asio::awaitable<Parsed> parseJsonResponse(std::string_view text) {
  if (text.size() <= kParsedInPlace) co_return parseNow(text, {});
  std::optional<Parsed> parsed;
  async::BlockingWork parser(co_await asio::this_coro::executor, "json", [text, &parsed] {
    // With the resource, releasing millions of small parts does not stall the caller.
    parsed.emplace(parseNow(text, json::make_shared_resource<json::monotonic_resource>(text.size())));
  });
  co_await parser.wait();
  co_return std::move(*parsed);
}

}  // namespace swarm

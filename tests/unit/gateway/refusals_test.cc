// The responses to requests that no handler receives, for browsers and programs.
#include "gateway/refusals.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace swarm::gateway {
namespace {

std::string_view field(const net::RefusalResponse& response, std::string_view name) { return net::findHeader(response.headers, name); }

TEST(Refusals, areProblemDocumentsForPrograms) {
  for (const int status : {400, 408, 414, 431, 501, 503, 505, 500}) {
    const auto response = refusalResponse({{status, "The reason"}, "GET /api/instances?x=y HTTP/1.1\r\nAccept: */*\r\n\r\n"});
    EXPECT_EQ(field(response, "Content-Type"), "application/problem+json");
    const auto problem = boost::json::parse(response.body).as_object();
    EXPECT_EQ(problem.at("status").as_int64(), status);
    EXPECT_EQ(problem.at("detail").as_string(), "The reason.");
    EXPECT_EQ(problem.at("instance").as_string(), "/api/instances");
    EXPECT_EQ(problem.at("requestId").as_string(), field(response, "X-Request-Id"));
    EXPECT_TRUE(problem.at("requestId").as_string().starts_with("rq_") || problem.at("requestId").as_string().starts_with("rq-"));
    for (const char* member : {"type", "title", "code", "retryable"}) EXPECT_TRUE(problem.contains(member)) << member;
  }
}

TEST(Refusals, arePagesForBrowsersThatNavigate) {
  const std::string head = "GET /a HTTP/1.1\r\nHost: a\r\naccept: text/html,application/xhtml+xml\r\n";
  const auto page = refusalResponse({{414, "The request target is too long"}, head + "Sec-Fetch-Mode: navigate\r\n\r\n"});
  EXPECT_TRUE(field(page, "Content-Type").starts_with("text/html"));
  EXPECT_NE(field(page, "Content-Security-Policy").find("default-src 'none'"), std::string_view::npos);
  EXPECT_NE(page.body.find("The request target is too long."), std::string::npos);
  EXPECT_NE(page.body.find(field(page, "X-Request-Id")), std::string::npos);
  const auto fetched = refusalResponse({{414, "The request target is too long"}, head + "Sec-Fetch-Mode: cors\r\n\r\n"});
  EXPECT_EQ(field(fetched, "Content-Type"), "application/problem+json");
}

TEST(Refusals, clearCookiesThatMadeAHeadTooLarge) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  const net::HeadError too_large{431, "The header section is too large"};
  const auto cookies = refusalResponse({too_large, start + "Cookie: a=" + std::string(60'000, 'x')});
  EXPECT_EQ(field(cookies, "Clear-Site-Data"), "\"cookies\"");
  EXPECT_NE(cookies.body.find("cookies"), std::string::npos);
  const auto other = refusalResponse({too_large, start + "Cookie: a=b\r\nX: " + std::string(60'000, 'x')});
  EXPECT_EQ(field(other, "Clear-Site-Data"), "");
  const auto long_target = refusalResponse({{414, "The request target is too long"}, "GET /?Cookie:" + std::string(60'000, 'x')});
  EXPECT_EQ(field(long_target, "Clear-Site-Data"), "");
}

TEST(Refusals, repeatNothingOfAHeadThatIsNotText) {
  for (const std::string bytes : {"", "\x16\x03\x01\x02", "GET /<script>\x01 HTTP/1.1\r\n", "GET", "GET \r\n"}) {
    const auto response = refusalResponse({{400, "The request line is malformed"}, bytes});
    const auto problem = boost::json::parse(response.body).as_object();
    EXPECT_EQ(problem.at("instance").as_string(), "");
  }
}

}  // namespace
}  // namespace swarm::gateway

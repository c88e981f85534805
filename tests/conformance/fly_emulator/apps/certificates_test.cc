// Certificates of an app's own hostnames: requested ones wait, uploaded ones are read.
#include <fstream>
#include <iterator>

#include "conformance/fly_emulator/fly_suite.h"
#include "support/net/test_certificates.h"

namespace swarm::testing {
namespace {

constexpr const char* kCertificates = "/v1/apps/a1/certificates";

std::string certificateAt(const char* rest) { return std::string(kCertificates) + "/" + rest; }

TEST_P(FlyRules, aCertificateThatIsRequestedWaitsForItsValidation) {
  createApp();
  EXPECT_EQ(get(kCertificates).at("/total_count"), "0");
  const FlyResponse made = post(certificateAt("acme"), R"({"hostname":"www.example.org"})");
  EXPECT_EQ(made.status, 201) << made;
  EXPECT_EQ(made.at("/acme_requested"), "true");
  EXPECT_EQ(made.at("/certificates/0/source"), "fly");
  EXPECT_EQ(made.at("/certificates/0/status"), "pending_validation");
  EXPECT_EQ(made.at("/dns_requirements/acme_challenge/name"), "_acme-challenge.www.example.org");
  EXPECT_EQ(get(certificateAt("www.example.org")).body, made.body);
  EXPECT_EQ(post(certificateAt("www.example.org/check")).at("/dns_records/a"), "[]");
  EXPECT_EQ(get(kCertificates).at("/certificates/0/hostname"), "www.example.org");
  EXPECT_EQ(remove(certificateAt("www.example.org/acme")).at("/acme_requested"), "false");
  EXPECT_EQ(remove(certificateAt("www.example.org")).status, 204);
  EXPECT_EQ(get(certificateAt("www.example.org")).status, 404);
}

TEST_P(FlyRules, anInvalidHostnameGetsNoCertificate) {
  createApp();
  for (const char* name : {"", "localhost", "a..b", "-/b.c", "UPPER.example"})
    EXPECT_EQ(post(certificateAt("acme"), json::object{{"hostname", name}}).status, 422) << name;
}

std::string textOf(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_P(FlyRules, anUploadedCertificateIsReadAndStaysWithoutTheRequestedOne) {
  createApp();
  test::TestAuthority authority("An authority");
  const test::CertificateFiles mine = authority.issue("www.example.org"), others = authority.issue("other.example.org");
  json::object upload{{"hostname", "www.example.org"}, {"fullchain", textOf(mine.certificate)}, {"private_key", textOf(others.key)}};
  EXPECT_EQ(post(certificateAt("custom"), upload).status, 422) << "the key of another certificate";
  upload["private_key"] = textOf(mine.key);
  post(certificateAt("acme"), R"({"hostname":"www.example.org"})");
  const FlyResponse made = post(certificateAt("custom"), upload);
  EXPECT_EQ(made.status, 201) << made;
  EXPECT_EQ(made.at("/certificates/1/source"), "custom");
  EXPECT_EQ(made.at("/certificates/1/issued/0/type"), "ecdsa");
  EXPECT_EQ(made.at("/certificates/1/issuer"), "An authority");
  EXPECT_EQ(remove(certificateAt("www.example.org/acme")).at("/certificates/0/source"), "custom");
  EXPECT_EQ(remove(certificateAt("www.example.org/custom")).at("/certificates"), "[]");
  upload["fullchain"] = "no certificate";
  EXPECT_EQ(post(certificateAt("custom"), upload).status, 422);
}

TEST_P(FlyRules, certificatesAreListedInPages) {
  createApp();
  for (const char* name : {"a.example.org", "b.example.org", "c.example.com"})
    post(certificateAt("acme"), json::object{{"hostname", name}});
  const FlyResponse first = get(std::string(kCertificates) + "?limit=1&filter=org");
  EXPECT_EQ(first.at("/total_count"), "2");
  EXPECT_EQ(first.at("/certificates/0/hostname"), "a.example.org");
  const FlyResponse second = get(std::string(kCertificates) + "?limit=1&filter=org&cursor=" + first.at("/next_cursor"));
  EXPECT_EQ(second.at("/certificates/0/hostname"), "b.example.org");
  EXPECT_EQ(second.at("/next_cursor"), "(missing)");
}

}  // namespace
}  // namespace swarm::testing

// What a certificate of a trusted CA has to contain.
#include "auth/certificates/certificate_checks.h"

#include <gmock/gmock.h>

#include "support/auth/ssh_certificates.h"

namespace swarm {
namespace {

using ssh::wireText;
using test::SshCertificateText;
using test::sshOption;
using ::testing::HasSubstr;

constexpr SystemTime kNow{std::chrono::seconds(1'700'000'000)};

std::string faultOf(const SshCertificateText& text, std::string_view user = "ann", std::string_view address = "192.0.2.7",
                    SystemTime now = kNow) {
  const auto checked = checkCertificate(*parseSshCertificate(text.bytes()), user, address, now);
  return checked ? std::string() : checked.error();
}

std::string faultFrom(std::string_view networks, std::string_view address) {
  return faultOf({.criticalOptions = sshOption("source-address", networks)}, "ann", address);
}

TEST(CheckCertificate, acceptsWhatNamesTheUser) {
  EXPECT_EQ(faultOf({}), "");
  EXPECT_EQ(faultOf({.principals = {"bob", "ann"}}), "");
}

TEST(CheckCertificate, refusesOtherPrincipals) {
  EXPECT_THAT(faultOf({.principals = {}}), HasSubstr("has no principals"));
  for (const std::string& name : {std::string("bob"), std::string("Ann"), std::string("ann "), std::string("an"), std::string("ann\0", 4),
                                  std::string("*"), std::string("ann,bob"), std::string("a?n"), std::string("!bob"), std::string()})
    EXPECT_THAT(faultOf({.principals = {name}}), HasSubstr("is not for ann")) << name;
  EXPECT_THAT(faultOf({}, ""), HasSubstr("not one of its principals"));
  EXPECT_EQ(faultOf({}, "\x1b[2J").find('\x1b'), std::string::npos);
}

TEST(CheckCertificate, refusesOtherTypes) {
  for (const std::uint32_t kind : {0U, 2U, 3U, 0xffffffffU}) EXPECT_THAT(faultOf({.kind = kind}), HasSubstr("is not a user certificate"));
}

TEST(CheckCertificate, refusesOutsideOfTheValidity) {
  const SshCertificateText text{.validAfter = 1'700'000'000, .validBefore = 1'700'000'060};
  EXPECT_EQ(faultOf(text), "");
  EXPECT_EQ(faultOf(text, "ann", "192.0.2.7", kNow + std::chrono::milliseconds(59'999)), "");
  EXPECT_EQ(faultOf(text, "ann", "192.0.2.7", kNow + std::chrono::seconds(60)), "has expired");
  EXPECT_THAT(faultOf(text, "ann", "192.0.2.7", kNow - std::chrono::milliseconds(1)), HasSubstr("is not valid yet"));
  EXPECT_EQ(faultOf({.validAfter = UINT64_MAX}), faultOf(text, "ann", "192.0.2.7", kNow - std::chrono::seconds(1)));
  EXPECT_EQ(faultOf({.validAfter = 2'000'000'000, .validBefore = 1'000'000'000}).find("is not valid yet"), 0U);
  EXPECT_EQ(faultOf({.validBefore = 0}), "has expired");
}

TEST(CheckCertificate, requiresPortForwarding) {
  const std::string wanted = "permit-port-forwarding";
  EXPECT_THAT(faultOf({.extensions = ""}), HasSubstr(wanted));
  EXPECT_THAT(faultOf({.extensions = sshOption("permit-X11-forwarding") + sshOption("permit-pty")}), HasSubstr(wanted));
  EXPECT_THAT(faultOf({.criticalOptions = sshOption(wanted), .extensions = ""}), HasSubstr("critical option permit-port-forwarding"));
  EXPECT_EQ(faultOf({.extensions = sshOption("a@example.com", "unknown ones are for others") + sshOption(wanted)}), "");
}

TEST(CheckCertificate, refusesCriticalOptionsThatItDoesNotEnforce) {
  EXPECT_THAT(faultOf({.criticalOptions = sshOption("force-command", "id")}), HasSubstr("force-command"));
  EXPECT_THAT(faultOf({.criticalOptions = sshOption("verify-required")}), HasSubstr("critical option verify-required"));
  EXPECT_THAT(faultOf({.criticalOptions = sshOption("")}), HasSubstr("critical option"));
  EXPECT_THAT(faultOf({.criticalOptions = sshOption("source-address", "192.0.2.7") + sshOption("x@example.com")}),
              HasSubstr("x@example.com"));
  EXPECT_EQ(faultOf({.criticalOptions = sshOption("x\n\x1b")}).find_first_of("\n\x1b"), std::string::npos);
}

TEST(CheckCertificate, enforcesTheSourceAddress) {
  EXPECT_EQ(faultFrom("192.0.2.7", "192.0.2.7"), "");
  EXPECT_EQ(faultFrom("192.0.2.7", "::ffff:192.0.2.7"), "") << "as a dual-stack listener reports it";
  EXPECT_EQ(faultFrom("10.0.0.0/8,192.0.2.0/24", "192.0.2.7"), "");
  EXPECT_EQ(faultFrom("2001:db8::/32", "2001:db8::1"), "");
  for (const char* networks : {"192.0.2.8", "192.0.3.0/24", "2001:db8::/32", "::/0", ""})
    EXPECT_THAT(faultFrom(networks, "192.0.2.7"), HasSubstr("may not be used from 192.0.2.7")) << networks;
  EXPECT_NE(faultFrom("0.0.0.0/0", "2001:db8::1"), "");
  EXPECT_NE(faultFrom("0.0.0.0/0", ""), "") << "an unknown address";
}

TEST(CheckCertificate, refusesASourceAddressThatIsMalformed) {
  for (const char* networks : {"192.0.2.7,", ",192.0.2.7", "192.0.2.7,example.com", "192.0.2.7/33", "192.0.2.0/24/24", "*", "192.0.2.*"})
    EXPECT_NE(faultFrom(networks, "192.0.2.7"), "") << networks;
  const std::string name = wireText("source-address"), value = wireText("192.0.2.7");
  for (const std::string& data : {std::string(), std::string("192.0.2.7"), value + "x", value + value, std::string("\xff\xff\xff\xff", 4)})
    EXPECT_NE(faultOf({.criticalOptions = name + wireText(data)}), "");
}

}  // namespace
}  // namespace swarm

// ServerCertificate: what is refused at the start, and what a renewal changes while connections are open.
#include "net/tls/server_certificate.h"

#include <gmock/gmock.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <fstream>

#include "async/deadline.h"
#include "base/error.h"
#include "net/http/http_server.h"
#include "support/child_program.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/net/raw_server.h"
#include "support/net/test_certificates.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using test::CertificateFiles;
using test::TestAuthority;
using test::TestLoop;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr uid_t kUnprivileged = 65'534;

class ServerCertificateTest : public testing::Test {
 protected:
  ServerCertificateTest() { install(authority.issue("old.example")); }

  /// Puts a pair into the place of the present one, as renewal programs do.
  void install(const CertificateFiles& pair) {
    for (const auto& [from, to] : {std::pair{pair.certificate, files.certificate}, std::pair{pair.key, files.key}}) {
      fs::copy_file(from, folder / "new");
      fs::rename(folder / "new", to);
    }
  }
  std::string refusal() {
    try {
      ServerCertificate accepted(files.certificate, files.key, clock);
      return "it was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      return error.message();
    }
  }

  test::TempDir folder;
  TestAuthority authority;
  CertificateFiles files{folder / "certificate.pem", folder / "key.pem"};
  ManualClock clock{RealClock().now()};
};

TEST_F(ServerCertificateTest, refusesAnExpiredCertificateAndSaysSince) {
  clock.advance(std::chrono::hours(25));
  EXPECT_THAT(refusal(), AllOf(HasSubstr(files.certificate.native()), HasSubstr("expired at 20"), HasSubstr("Renew it")));
}

TEST_F(ServerCertificateTest, refusesACertificateThatIsNotValidYet) {
  clock.advance(-std::chrono::hours(2));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("is not valid before"), HasSubstr("clock")));
}

TEST_F(ServerCertificateTest, refusesTheKeyOfAnotherCertificate) {
  fs::copy_file(authority.issue("other.example").key, files.key, fs::copy_options::overwrite_existing);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(files.key.native()), HasSubstr("does not belong to")));
}

TEST_F(ServerCertificateTest, refusesAKeyThatEveryUserCanRead) {
  fs::permissions(files.key, fs::perms::others_read, fs::perm_options::add);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("mode 0604"), HasSubstr("chmod o= " + files.key.native())));
  fs::permissions(files.key, fs::perms(0640));
  EXPECT_EQ(refusal(), "it was accepted");
}

TEST_F(ServerCertificateTest, namesAFileThatItCannotRead) {
  fs::remove(files.key);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("private key " + files.key.native()), HasSubstr("No such file"), HasSubstr("keyFile of [tls]")));
  fs::create_directory(files.key);
  EXPECT_THAT(refusal(), HasSubstr("is not a file"));
  fs::remove(files.certificate);
  EXPECT_THAT(refusal(), HasSubstr("certificate " + files.certificate.native()));
}

TEST_F(ServerCertificateTest, saysWhoCannotReadTheKey) {
  fs::permissions(files.key, fs::perms::none);
  fs::permissions(folder.path(), fs::perms(0755));
  ::setfsuid(kUnprivileged);  // root can read every file; no effect on other users
  const std::string text = refusal();
  ::setfsuid(::geteuid());
  EXPECT_THAT(text, AllOf(HasSubstr("Permission denied"), HasSubstr("the user that runs the server")));
}

TEST_F(ServerCertificateTest, refusesFilesThatContainSomethingElse) {
  fs::copy_file(files.certificate, folder / "kept");
  std::ofstream(files.certificate) << "nothing";
  EXPECT_THAT(refusal(), HasSubstr("contains no certificate in PEM format"));
  std::ofstream(files.certificate) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
  fs::rename(folder / "kept", files.certificate);
  std::ofstream(files.key) << "nothing";
  EXPECT_THAT(refusal(), HasSubstr("contains no private key in PEM format"));
}

TEST_F(ServerCertificateTest, refusesAKeyWithAPasswordWithoutAPrompt) {
  const fs::path locked = folder / "locked.key";
  test::ChildProgram openssl({"openssl", "pkey", "-in", files.key.native(), "-aes256", "-passout", "pass:x", "-out", locked.native()});
  ASSERT_EQ(openssl.waitForExit(), 0);
  fs::permissions(locked, fs::perms(0600));
  fs::rename(locked, files.key);
  EXPECT_THAT(refusal(), HasSubstr("has a password"));
}

TEST_F(ServerCertificateTest, knowsTheHostsOfItsCertificate) {
  install(authority.issue("*.swarm.example"));
  const ServerCertificate certificate(files.certificate, files.key, clock);
  EXPECT_TRUE(certificate.covers("dev.swarm.example"));
  EXPECT_FALSE(certificate.covers("3000.dev.swarm.example"));
  EXPECT_FALSE(certificate.covers("swarm.example"));
  EXPECT_NEAR(static_cast<double>((certificate.expiresAt() - clock.now()).count()), 24 * 3'600'000.0, 60'000.0);
}

/// A server whose connections are echoed after an upgrade; clients see which certificate it presents.
class Renewal : public ServerCertificateTest {
 protected:
  Renewal() {
    HttpServerOptions options;
    options.tls = certificate.context();
    server.emplace(
        listenTcp(loop.executor(), {"127.0.0.1", 0}),
        [](Exchange& exchange) -> awaitable<void> {
          const StreamPtr stream = co_await exchange.upgrade({{"Upgrade", "echo"}});
          for (char piece[256];;) {
            const IoResult got = co_await stream->readSome(asio::buffer(piece));
            if (got.error) co_return;
            co_await stream->writeAll(std::string_view(piece, got.bytes));
          }
        },
        options);
    loop.spawn(server->run());
  }

  static awaitable<std::string> open(HostPort address, std::shared_ptr<TlsContext> trusted, StreamPtr& stream) {
    stream = co_await connectTls(address, trusted, soon());
    co_await stream->writeAll(std::string_view("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"));
    co_return co_await test::readUntil(*stream, "\r\n\r\n");
  }
  /// An open connection, made with the certificate for `name`; null when the server presents another.
  StreamPtr connect(const std::string& name) {
    StreamPtr stream;
    try {
      loop.run(open({"127.0.0.1", server->port()}, makeTlsClient({.ca = authority.ca(), .serverName = name}), stream));
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr("ostname mismatch"));
    }
    return stream;
  }
  std::string echo(Stream& stream, std::string text) {
    auto exchange = [](Stream& its_stream, std::string its_text) -> awaitable<std::string> {
      co_await its_stream.writeAll(its_text);
      co_return co_await test::readExactly(its_stream, its_text.size());
    };
    return loop.run(exchange(stream, text));
  }

  TestLoop loop;
  ServerCertificate certificate{files.certificate, files.key, clock};
  std::optional<HttpServer> server;
};

TEST_F(Renewal, servesNewConnectionsWithTheNewCertificateAndKeepsTheOpenOnes) {
  const StreamPtr before = connect("old.example");
  ASSERT_TRUE(before);
  certificate.refresh();
  EXPECT_TRUE(connect("old.example")) << "nothing has changed";
  install(authority.issue("new.example"));
  certificate.refresh();
  EXPECT_FALSE(connect("old.example"));
  const StreamPtr after = connect("new.example");
  ASSERT_TRUE(after);
  EXPECT_EQ(echo(*before, "still here"), "still here");
  EXPECT_EQ(echo(*after, "here"), "here");
}

/// The parts of a path that cannot be read, or a clock that is behind, change without the files.
TEST_F(Renewal, triesFilesAgainThatCouldNotBeUsed) {
  install(authority.issue("new.example"));
  clock.advance(-std::chrono::hours(2));
  certificate.refresh();
  EXPECT_TRUE(connect("old.example")) << "the new one is not valid yet";
  clock.advance(std::chrono::hours(2) - std::chrono::seconds(1));
  certificate.refresh();
  EXPECT_TRUE(connect("new.example"));
}

TEST_F(Renewal, triesUnusableFilesEverMoreRarely) {
  std::ofstream(files.key) << "nothing";
  const auto attempts = [&] {
    ::testing::internal::CaptureStderr();
    certificate.refresh();
    return ::testing::internal::GetCapturedStderr().empty() ? 0 : 1;
  };
  EXPECT_EQ(attempts(), 1);
  int within_an_hour = 0, within_the_next_day = 0;
  for (int minute = 0; minute < 60; ++minute) {
    clock.advance(std::chrono::minutes(1));
    within_an_hour += attempts();
  }
  for (int minute = 0; minute < 24 * 60; ++minute) {
    clock.advance(std::chrono::minutes(1));
    within_the_next_day += attempts();
  }
  EXPECT_EQ(within_an_hour, 5);  // after 1, 3, 7, 15 and 31 minutes
  EXPECT_EQ(within_the_next_day, 24);
}

TEST_F(Renewal, cutsNoConnectionUnderLoad) {
  constexpr int kOpen = 32;
  constexpr int kRenewals = 20;
  std::vector<StreamPtr> open;
  for (int i = 0; i < kOpen; ++i) ASSERT_TRUE(open.emplace_back(connect("old.example")));
  int echoed = 0;
  auto talk = [](Stream& stream, int& count) -> awaitable<void> {
    const std::string text(1000, 'x');
    while (true) {
      co_await stream.writeAll(text);
      if (co_await test::readExactly(stream, text.size()) != text) throw std::runtime_error("a connection was cut");
      ++count;
    }
  };
  for (const StreamPtr& stream : open) loop.spawn(talk(*stream, echoed));
  for (int i = 0; i < kRenewals; ++i) {
    install(authority.issue("new" + std::to_string(i) + ".example"));
    certificate.refresh();
    const int before = echoed;
    loop.runUntil([&] { return echoed >= before + kOpen; });
    EXPECT_TRUE(connect("new" + std::to_string(i) + ".example"));
  }
}

TEST_F(Renewal, keepsTheFormerPairWhileTheNewOneIsIncomplete) {
  const CertificateFiles renewed = authority.issue("new.example");
  fs::copy_file(renewed.certificate, files.certificate, fs::copy_options::overwrite_existing);
  certificate.refresh();
  EXPECT_TRUE(connect("old.example")) << "the key still belongs to the former certificate";
  fs::remove(files.key);
  certificate.refresh();
  EXPECT_TRUE(connect("old.example"));
  install(renewed);
  certificate.refresh();
  EXPECT_TRUE(connect("new.example"));
}

TEST_F(Renewal, followsALinkThatLeadsElsewhere) {
  const CertificateFiles renewed = authority.issue("new.example");
  for (const auto& [file, target] : {std::pair{files.certificate, renewed.certificate}, std::pair{files.key, renewed.key}}) {
    fs::remove(file);
    fs::create_symlink(target, file);
  }
  certificate.refresh();
  EXPECT_TRUE(connect("new.example"));
}

}  // namespace
}  // namespace swarm::net

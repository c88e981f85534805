// Who enters which workspace through the SSH listener, until when, and what the audit log has of it.
#include "ssh/workspaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/audit.h"
#include "auth/accounts/accounts.h"
#include "auth/accounts/ssh_keys.h"
#include "protocol/ssh.h"
#include "store/sqlite/sqlite_store.h"
#include "support/auth/low_cost.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/memory_audit.h"
#include "support/temp_dir.h"
#include "unit/auth/ssh_key_line.h"

namespace swarm::ssh {
namespace {

using test::awaitable;

/// The workspace "own" is ann's. It does not run: an entry that is allowed fails with Conflict.
class SshWorkspaces : public ::testing::Test {
 protected:
  SshWorkspaces()
      : store_(openSqliteStore(folder_ / "data")), auth_(makeAuth(*store_, clock_, {.audit = &audit_, .passwordCost = test::kLowCost})) {
    loop_.run(auth_->initialise());
    loop_.run(auth_->putUser("ann", Secret(), Role::user));
    loop_.run(auth_->putUser("bob", Secret(), Role::user));
    loop_.run(auth_->putUser("oz", Secret(), Role::operator_));
    auto table = std::make_shared<RouteTable>();
    auto route = std::make_shared<InstanceRoute>();
    route->instanceId = InstanceId("i-own");
    route->name = "own";
    route->owner = "ann";
    (*table)["own"] = route;
    routes_.publish(table);
  }
  std::string add(const std::string& user) {
    const auto key = *agent::parseSshPublicKey(test::sshKeyLine(user));
    const SshKey added = loop_.run(
        auth_->sshKeys().add({.name = "k", .owner = user, .type = key.type, .fingerprint = key.fingerprint, .publicKey = key.line}));
    ids_[user] = added.id;
    return added.fingerprint;
  }
  Principal signIn(const std::string& user) {
    const std::string fingerprint = add(user);
    return *loop_.run(auth_->sshKeys().signIn(user, fingerprint, {.address = "192.0.2.1", .client = "SSH"}));
  }
  /// Of the attempt to enter.
  Error enter(const Principal& principal, const std::string& name, std::uint16_t port = kPort) {
    try {
      loop_.run(enterAs(principal, name, port));
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::Internal, "entered");
  }
  awaitable<void> enterAs(Principal principal, std::string name, std::uint16_t port) {
    co_await workspaces_.open(principal, {.address = "192.0.2.1", .client = "SSH"}, name, port);
  }

  static constexpr std::uint16_t kPort = 8080;

  test::TempDir folder_;
  ManualClock clock_;
  test::TestLoop loop_;
  test::MemoryAudit records_;
  Audit audit_{records_, clock_};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Auth> auth_;
  std::map<std::string, std::string> ids_;
  RouteSource routes_;
  Workspaces workspaces_{{.routes = routes_,
                          .auth = *auth_,
                          .audit = &audit_,
                          .findAgent = [](std::string) -> awaitable<agent::AgentTarget> {
                            throw Error(ErrorCode::Conflict, "The workspace does not run.");
                            co_return agent::AgentTarget{};
                          },
                          .budget = std::make_shared<OpenBudget>(OpenLimits{.perUser = 1})}};
};

TEST_F(SshWorkspaces, usersEnterTheirOwnAndOperatorsNone) {
  const Principal ann = signIn("ann"), operator_user = signIn("oz");
  EXPECT_EQ(enter(ann, "own").code(), ErrorCode::Conflict) << "allowed";
  EXPECT_EQ(enter(ann, "own", 22).code(), ErrorCode::Conflict) << "and its share of the budget was released";
  EXPECT_EQ(enter(operator_user, "own").code(), ErrorCode::PermissionDenied) << "operators see all, and enter nothing";
}

TEST_F(SshWorkspaces, aWorkspaceThatAUserMayNotSeeLooksMissing) {
  const Principal bob = signIn("bob");
  const Error hidden = enter(bob, "own"), missing = enter(bob, "absent");
  EXPECT_EQ(hidden.code(), ErrorCode::NotFound);
  EXPECT_EQ(missing.code(), ErrorCode::NotFound);
  std::string text = hidden.message();
  text.replace(text.find("own"), 3, "absent");
  EXPECT_EQ(text, missing.message());
}

TEST_F(SshWorkspaces, namesAreMadePrintable) {
  EXPECT_EQ(enter(signIn("bob"), "x\x1b[2Jy\n").message().find_first_of("\x1b\n"), std::string::npos);
}

TEST_F(SshWorkspaces, aKeyThatEndedOpensNothing) {
  const Principal ann = signIn("ann");
  loop_.run(auth_->sshKeys().remove(ids_.at("ann")));
  EXPECT_EQ(enter(ann, "own").code(), ErrorCode::Unauthenticated);
}

TEST_F(SshWorkspaces, signInsAndRefusedEntriesAreRecorded) {
  const Principal bob = signIn("bob");
  enter(bob, "own");
  enter(bob, "absent", 22);
  const auto sign_ins = records_.of("signIn");
  ASSERT_EQ(sign_ins.size(), 1U);
  EXPECT_EQ(sign_ins[0].user, "bob");
  EXPECT_EQ(sign_ins[0].address, "192.0.2.1");
  EXPECT_EQ(sign_ins[0].after.at("by"), "SSH key");
  EXPECT_EQ(sign_ins[0].session, ids_.at("bob"));
  const auto refused = records_.of("openPort");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].result, AuditResult::refused);
  EXPECT_EQ(refused[0].objectId, "i-own");
  EXPECT_EQ(refused[0].owner, "ann");
  EXPECT_EQ(refused[0].after.at("port"), "8080");
  ASSERT_EQ(records_.of("openSsh").size(), 1U);
  EXPECT_EQ(records_.of("openSsh")[0].object, "absent");
  EXPECT_FALSE(loop_.run(auth_->sshKeys().signIn("ann", auth_->sshKeys().list().at(0).fingerprint, {})));
  EXPECT_EQ(records_.of("signIn").back().result, AuditResult::refused);
  EXPECT_EQ(records_.of("signIn").back().object, "ann");
}

TEST_F(SshWorkspaces, aSignInThatCannotBeRecordedIsRefused) {
  const std::string fingerprint = add("ann");
  records_.failure = Error(ErrorCode::OutOfResources, "The disk is full.");
  EXPECT_THROW(loop_.run(auth_->sshKeys().signIn("ann", fingerprint, {})), Error);
}

}  // namespace
}  // namespace swarm::ssh

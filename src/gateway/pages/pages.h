// The pages that people see, as HTML text: complete, self-contained, nothing from elsewhere. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/auth.h"
#include "controller/state/routes.h"

namespace swarm::gateway {

std::string escapeHtml(std::string_view text);

/// A page and the nonce that its style and script carry, for the Content-Security-Policy.
struct Page {
  std::string html;
  std::string nonce;
};

struct SignInPage {
  std::string user;     ///< typed before
  std::string next;     ///< where to go afterwards: a local path
  std::string problem;  ///< why the last try failed; empty: none
};
Page signInPage(const SignInPage& content);
Page signedOutPage();
/// Before a sign-in by a link that somebody may have slipped to its reader.
Page signInByLinkPage(std::string_view user, std::string_view code, std::string_view next);
/// Goes on to `path` at once.
Page goOnPage(std::string_view path);

/// One row of the landing page.
struct LandingRow {
  std::string name;
  std::string owner;
  std::string url;
  InstanceStatus status = InstanceStatus::creating;
  bool ready = false;
  bool mayChange = false;  ///< offer Start or Stop, as its status has it
  std::string note;        ///< what it is doing, or why it failed
  bool imageOutdated = false;
  std::string looseStorage{};  ///< the provider's title, where it does not enforce the sizes of volumes; else empty
};
/// `may_create`: with the form for a new workspace.
Page landingPage(const Principal& principal, const std::vector<LandingRow>& rows, bool may_create);

/// An instance that can't be used now. The page watches `/.swarm/status` and goes on by itself.
enum class WaitingKind { Starting, Reconnecting, Stopping, Stopped, Failed, Moving };
struct WaitingPage {
  WaitingKind kind = WaitingKind::Starting;
  std::string name;
  std::string step{};
  std::string reason{};
  std::int64_t elapsedSeconds = 0;
  bool mayStart = false;                         ///< offer Start where it is stopped or has failed
  bool needsVscode = true;                       ///< false on a port's host: it is enough that the instance runs
  std::shared_ptr<const MoveProgress> moving{};  ///< not null for Moving
};
Page waitingPage(const WaitingPage& content);

/// A short explanation with at most one link.
struct MessagePage {
  std::string title;
  std::string text;
  std::string detail{};  ///< shown apart, as given by somebody else
  std::string linkText{};
  std::string link{};
};
Page messagePage(const MessagePage& content);

}  // namespace swarm::gateway

// The gateway's pages as HTML text: complete, self-contained, without content from other hosts. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/auth.h"
#include "controller/state/routes.h"
#include "model/types/accounts/identity.h"

namespace swarm::gateway {

struct Page {
  std::string html;
  std::string policy;  ///< Content-Security-Policy, without frame-ancestors
};

/// A way to sign in elsewhere.
struct ProviderLink {
  std::string title;
  std::string url;
};
struct SignInPage {
  std::string user{};      ///< typed before
  std::string next = "/";  ///< local path to continue to
  std::string problem{};   ///< why the last attempt failed; empty: none
  std::vector<ProviderLink> providers{};
};
Page signInPage(const SignInPage& content);
Page signedOutPage();
/// Confirmation of a sign-in by a link that another user may have planted.
Page signInByLinkPage(std::string_view user, std::string_view code, std::string_view next);
/// Confirmation of a sign-in of the command line on the browser's machine.
struct ProgramPage {
  std::string user;
  std::string port;
  std::string challenge;
  std::string state;
  std::string address{};  ///< of the browser, as is `client`
  std::string client{};
};
Page programPage(const ProgramPage& content);
/// The same for a program elsewhere, by the code that it printed.
struct DevicePage {
  std::string user;
  std::string code{};
  std::string address{};  ///< of the program; empty: the code is not known yet
  std::string client{};
  std::string problem{};
  std::string outcome{};
};
Page devicePage(const DevicePage& content);
struct InvitePage {
  std::string user;
  std::string problem{};  ///< why the last attempt failed; empty: none
};
Page invitePage(const InvitePage& content);
/// The code after the password.
struct CodePage {
  std::string user;
  std::string ticket;
  std::string next = "/";
  std::string problem{};
};
Page codePage(const CodePage& content);
struct EnrolPage {
  std::string user;
  std::string ticket;
  Secret secret;
  Secret uri;
  std::string qrCode;  ///< markup
  std::string next = "/";
  std::string problem{};
};
Page enrolPage(const EnrolPage& content);
Page recoveryCodesPage(const std::vector<std::string>& codes, std::string_view next);
struct SecondFactorPage {
  std::string user;
  bool enabled = false;
  bool required = false;
  std::int64_t recoveryCodes = 0;
  std::string problem{};
};
Page secondFactorPage(const SecondFactorPage& content);
/// The claims of the last sign-ins of a user by identity providers.
struct IdentitiesPage {
  std::string user{};                ///< empty: none chosen
  std::vector<Identity> found{};     ///< of that user
  std::vector<std::string> users{};  ///< to choose from
  std::string problem{};
};
Page identitiesPage(const IdentitiesPage& content);
/// Confirmation of an entry into another user's workspace, which is recorded.
struct EnterPage {
  std::string name;
  std::string owner;
  std::string host;  ///< this and the others: the sign-in that the entry continues
  std::string binding;
  std::string path;
  std::string proof;
};
Page enterPage(const EnterPage& content);
/// A port that is not open to its visitor, who may open it.
struct PortPage {
  std::string name;  ///< of the workspace
  std::string owner;
  std::uint16_t port;
  std::string host;  ///< of the port
  std::string path;  ///< there
};
Page portPage(const PortPage& content);
/// Continues to `path` at once.
Page continuePage(std::string_view path);

/// Signs a frame of a port in, and continues to its address.
struct FramePage {
  std::string vscode;    ///< origin
  std::string codeUrl;   ///< there, which issues the code
  std::string enterUrl;  ///< local, to which the code is appended
  std::string baseUrl;   ///< without a code
};
Page framePage(const FramePage& content);

/// One row of the landing page.
struct LandingRow {
  std::string name;
  std::string owner;
  std::string url;  ///< empty: the user may not open it
  InstanceStatus status = InstanceStatus::creating;
  bool ready = false;
  bool mayChange = false;  ///< offer Start or Stop, depending on the status
  std::string note;        ///< current step, or the reason of a failure
  bool imageOutdated = false;
  std::string looseStorage{};  ///< the provider's title if it does not enforce the sizes of volumes, otherwise empty
  std::string losingStop{};    ///< the same if Stop is offered and loses files
};
struct LandingOffers {
  bool create = false;      ///< the form for a new workspace
  bool identities = false;  ///< the page of the claims of sign-ins
};
Page landingPage(const Principal& principal, const std::vector<LandingRow>& rows, const LandingOffers& offers);

/// An instance that is not available. The page polls `/.swarm/status` and continues automatically.
enum class WaitingKind { Starting, Reconnecting, Stopping, Stopped, Failed, Moving };
struct WaitingPage {
  WaitingKind kind = WaitingKind::Starting;
  std::string name;
  std::string step{};
  std::string reason{};
  std::int64_t elapsedSeconds = 0;
  bool mayStart = false;                         ///< offer Start if it is stopped or failed
  bool needsVscode = true;                       ///< false on a port's host, which only requires a running instance
  std::shared_ptr<const MoveProgress> moving{};  ///< not null for Moving
};
Page waitingPage(const WaitingPage& content);

/// A short explanation with at most one link.
struct MessagePage {
  std::string title;
  std::string text;
  std::string detail{};  ///< shown separately: text of another program
  std::string linkText{};
  std::string link{};
};
Page messagePage(const MessagePage& content);

}  // namespace swarm::gateway

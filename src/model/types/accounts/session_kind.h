// SessionKind: how a session was started (docs/audit.md: `after.by` of a sign-in).
#pragma once

#include <boost/describe.hpp>

namespace swarm {

/// link: a login link. machine: the command line on the server's machine. oidc: an identity provider. program: approved in a browser. In
/// JSON and in rows, passwordAndCode is "password and code"; unknown: of a session that is older than this type, "" in rows.
enum class SessionKind { password, passwordAndCode, link, invitation, invitationAndCode, machine, oidc, program, unknown };
BOOST_DESCRIBE_ENUM(SessionKind, password, passwordAndCode, link, invitation, invitationAndCode, machine, oidc, program, unknown)

/// The kind of a session that began with a code, too.
constexpr SessionKind withCode(SessionKind kind) {
  switch (kind) {
    case SessionKind::password:
      return SessionKind::passwordAndCode;
    case SessionKind::invitation:
      return SessionKind::invitationAndCode;
    default:
      return kind;
  }
}
constexpr bool hasCode(SessionKind kind) { return kind == SessionKind::passwordAndCode || kind == SessionKind::invitationAndCode; }

}  // namespace swarm

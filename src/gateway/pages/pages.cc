// Rendering of the pages.
#include "gateway/pages/pages.h"

#include <set>

#include "base/id.h"
#include "base/text/format.h"
#include "gateway/pages/move_status.h"
#include "gateway/pages/page_assets.h"
#include "model/steps.h"

namespace swarm::gateway {
namespace {

struct Layout {
  std::string_view title;
  std::string_view body;      ///< HTML
  std::string_view script{};  ///< JavaScript
  std::string_view head{};    ///< HTML
  bool wide = false;
};

Page layOut(const Layout& content) {
  Page page;
  page.nonce = toBase64Url(randomBytes(18));
  page.html = format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{} · Swarm</title>\n{}<style "
      "nonce=\"{}\">{}</style>\n"
      "</head>\n<body>\n<main class=\"{}\">\n{}</main>\n",
      escapeHtml(content.title), content.head, page.nonce, kPageStyle, content.wide ? "wide" : "card", content.body);
  if (!content.script.empty()) page.html += format("<script nonce=\"{}\">{}</script>\n", page.nonce, content.script);
  page.html += "</body>\n</html>\n";
  return page;
}

std::string brand() { return format("<p class=\"brand\">{}<span>Swarm</span></p>\n", kPageMark); }

std::string_view statusClass(const LandingRow& row) {
  switch (row.status) {
    case InstanceStatus::running:
      return row.ready ? "good" : "busy";
    case InstanceStatus::creating:
    case InstanceStatus::starting:
    case InstanceStatus::stopping:
    case InstanceStatus::deleting:
      return "busy";
    case InstanceStatus::failed:
      return "bad";
    case InstanceStatus::stopped:
    case InstanceStatus::deleted:
      break;
  }
  return "off";
}

std::string_view statusText(const LandingRow& row) {
  switch (row.status) {
    case InstanceStatus::creating:
      return "Creating";
    case InstanceStatus::starting:
      return "Starting";
    case InstanceStatus::running:
      return row.ready ? "Running" : "Starting VS Code";
    case InstanceStatus::stopping:
      return "Stopping";
    case InstanceStatus::stopped:
      return "Stopped";
    case InstanceStatus::failed:
      return "Failed";
    case InstanceStatus::deleting:
      return "Deleting";
    case InstanceStatus::deleted:
      return "Deleted";
  }
  return "";
}

std::string command(std::string_view verb, std::string_view name) {
  return format("<pre class=\"command\"><code>swarm {} {}</code></pre>\n", verb, escapeHtml(name));
}

/// A button that does one thing to one workspace.
std::string actionButton(std::string_view action, std::string_view label, std::string_view name) {
  return format(
      "<form method=\"post\" action=\"/workspaces/{}\"><input type=\"hidden\" name=\"name\" value=\"{}\"><button class=\"quiet\" "
      "type=\"submit\" aria-label=\"{} {}\">{}</button></form>",
      action, escapeHtml(name), label, escapeHtml(name), label);
}

std::string tableRow(const LandingRow& row, bool with_owner) {
  std::string html = format("<tr><th scope=\"row\"><a href=\"{}\">{}</a></th><td><span class=\"status {}\">{}</span>", escapeHtml(row.url),
                            escapeHtml(row.name), statusClass(row), statusText(row));
  if (!row.note.empty()) html += format("<span class=\"note\">{}</span>", escapeHtml(row.note));
  if (row.imageOutdated)
    html += format("<span class=\"note\">A newer image is available: <code>swarm update {} --refresh-image</code></span>",
                   escapeHtml(row.name));
  html += "</td>";
  if (with_owner) html += format("<td>{}</td>", escapeHtml(row.owner));
  html += "<td class=\"actions\">";
  if (row.mayChange)
    html += row.status == InstanceStatus::running ? actionButton("stop", "Stop", row.name) : actionButton("start", "Start", row.name);
  return html + "</td></tr>\n";
}

/// Where the size of a volume is not enforced.
std::string storageHints(const std::vector<LandingRow>& rows) {
  std::set<std::string_view> places;
  for (const LandingRow& row : rows) {
    if (!row.looseStorage.empty()) places.insert(row.looseStorage);
  }
  std::string html;
  for (const auto place : places)
    html += format("<p class=\"hint\">Sizes of volumes are not enforced at {}: files can fill its disk.</p>\n", escapeHtml(place));
  return html;
}

struct WaitingText {
  std::string_view title;
  std::string text;
};

WaitingText textOf(const WaitingPage& content) {
  const auto name = escapeHtml(content.name);
  switch (content.kind) {
    case WaitingKind::Starting:
      return {"Starting", format("<strong>{}</strong> is starting. This page continues automatically.", name)};
    case WaitingKind::Reconnecting:
      return {"Connecting", format("VS Code in <strong>{}</strong> is not responding yet. This page continues automatically.", name)};
    case WaitingKind::Stopping:
      return {"Stopping", format("<strong>{}</strong> is stopping. Its files are kept.", name)};
    case WaitingKind::Stopped:
      return {"Stopped", format("<strong>{}</strong> is stopped. Its files are kept.", name)};
    case WaitingKind::Failed:
      return {"Failed", format("<strong>{}</strong> failed or could not be started.", name)};
    case WaitingKind::Moving:
      return {"Moving", format("<strong>{}</strong> is moving to {}. Its files, its address and unsaved text are kept. "
                               "This page continues automatically.",
                               name, escapeHtml(content.moving->to))};
  }
  return {};
}

/// A progress element, because a bar made of others would need a style attribute, which the Content-Security-Policy forbids.
std::string moveBar(const MoveProgress& moving) {
  const int percent = percentOf(moving);
  return format(
      "<p class=\"bar\"><progress id=\"bar\" max=\"100\" value=\"{0}\" aria-label=\"Progress of the move\">{0} %</progress>"
      "<span id=\"percent\">{0} %</span></p>\n",
      percent);
}

std::string moveFacts(const MoveProgress& moving) {
  const auto left = aboutTime(moving.secondsLeft);
  return format("<dt>Step</dt><dd id=\"step\">{0}</dd>\n<dt id=\"left-name\"{1}>Time left</dt><dd id=\"left\"{1}>{2}</dd>\n",
                escapeHtml(wordsOfStep(moving.step)), left.empty() ? " hidden" : "", left);
}

std::string_view nameOf(WaitingKind kind) {
  switch (kind) {
    case WaitingKind::Starting:
    case WaitingKind::Reconnecting:
      return "starting";
    case WaitingKind::Stopping:
      return "stopping";
    case WaitingKind::Stopped:
      return "stopped";
    case WaitingKind::Failed:
      return "failed";
    case WaitingKind::Moving:
      return "moving";
  }
  return "";
}

}  // namespace

std::string escapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Page signInPage(const SignInPage& content) {
  std::string body = brand() + "<h1>Sign in</h1>\n";
  if (!content.problem.empty()) body += format("<p class=\"problem\" role=\"alert\">{}</p>\n", escapeHtml(content.problem));
  body += format(
      "<form method=\"post\" action=\"/login\">\n<input type=\"hidden\" name=\"next\" value=\"{}\">\n"
      "<label for=\"user\">User name</label>\n<input id=\"user\" name=\"user\" value=\"{}\" autocomplete=\"username\" "
      "autocapitalize=\"none\" "
      "spellcheck=\"false\" required{}>\n"
      "<label for=\"password\">Password</label>\n<input id=\"password\" name=\"password\" type=\"password\" "
      "autocomplete=\"current-password\" required{}>\n<button type=\"submit\">Sign in</button>\n</form>\n"
      "<p class=\"hint\">On first start the server created the user <code>admin</code> and printed the path of its password file.</p>\n",
      escapeHtml(content.next), escapeHtml(content.user), content.user.empty() ? " autofocus" : "",
      content.user.empty() ? "" : " autofocus");
  return layOut({.title = "Sign in", .body = body});
}

Page signedOutPage() {
  return layOut({.title = "Signed out",
                 .body = brand() + "<h1>You are signed out</h1>\n<p>Open workspaces have been disconnected.</p>\n"
                                   "<p><a class=\"button\" href=\"/login\">Sign in again</a></p>\n"});
}

Page signInByLinkPage(std::string_view user, std::string_view code, std::string_view next) {
  return layOut(
      {.title = "Sign in",
       .body = brand() + format("<h1>Sign in as {}?</h1>\n<p>This one-time link signs this browser in as <strong>{}</strong>. Continue "
                                "only if you created the link.</p>\n<form method=\"post\" action=\"/login/link\">\n"
                                "<input type=\"hidden\" name=\"code\" value=\"{}\">\n<input type=\"hidden\" name=\"next\" "
                                "value=\"{}\">\n<button type=\"submit\">Sign in</button>\n</form>\n",
                                escapeHtml(user), escapeHtml(user), escapeHtml(code), escapeHtml(next))});
}

Page goOnPage(std::string_view path) {
  const auto link = escapeHtml(path);
  Page page;
  page.nonce = toBase64Url(randomBytes(18));
  page.html = format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>Opening</title>\n<meta http-equiv=\"refresh\" content=\"0;url={0}\">\n</head>\n<body>\n<noscript><a "
      "href=\"{0}\">Continue</a></noscript>\n</body>\n</html>\n",
      link);
  return page;
}

Page landingPage(const Principal& principal, const std::vector<LandingRow>& rows, bool may_create) {
  const bool everyone = principal.role == Role::admin;
  std::string body = format(
      "<header>{}<form method=\"post\" action=\"/logout\"><span class=\"who\">{}</span><button class=\"quiet\" type=\"submit\">Sign "
      "out</button></form></header>\n<h1>Workspaces</h1>\n<div id=\"list\">\n",
      brand(), escapeHtml(principal.user));
  if (rows.empty()) {
    body += may_create ? "<p>You have no workspaces yet. Create the first one:</p>\n" : "<p>You have access to no workspaces.</p>\n";
  } else {
    body += format(
        "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Status</th>{}<th></th></tr></thead>\n"
        "<tbody>\n",
        everyone ? "<th scope=\"col\">Owner</th>" : "");
    for (const auto& row : rows) body += tableRow(row, everyone);
    body += "</tbody>\n</table></div>\n" + storageHints(rows);
  }
  body += "</div>\n";
  if (may_create)
    body +=
        "<form class=\"create\" method=\"post\" action=\"/workspaces/create\">\n<label for=\"name\">Name</label>\n<input id=\"name\" "
        "name=\"name\" maxlength=\"40\" pattern=\"[a-z0-9]+(-[a-z0-9]+)*\" title=\"lower-case letters and digits, with single hyphens "
        "between them\" "
        "autocapitalize=\"none\" spellcheck=\"false\" placeholder=\"leave empty for a generated name\">\n<button "
        "type=\"submit\">New workspace</button>\n</form>\n";
  return layOut({.title = "Workspaces", .body = body, .script = kLandingScript, .wide = true});
}

Page waitingPage(const WaitingPage& content) {
  const auto text = textOf(content);
  const bool moving = content.kind == WaitingKind::Moving;
  const bool busy = content.kind != WaitingKind::Stopped && content.kind != WaitingKind::Failed;
  std::string body = brand() + format("<h1>{}{}</h1>\n<p>{}</p>\n", busy ? "<span class=\"spinner\" aria-hidden=\"true\"></span>" : "",
                                      text.title, text.text);
  if (!busy) {
    body += content.mayStart ? "<form method=\"post\" action=\"/.swarm/start\"><button type=\"submit\">Start</button></form>\n"
                             : "<p>To start the workspace, run:</p>\n" + command("start", content.name);
    if (content.kind == WaitingKind::Failed) body += "<p class=\"hint\">To show its log, run:</p>\n" + command("logs", content.name);
  }
  if (moving) body += moveBar(*content.moving);
  body += format("<dl id=\"progress\" data-kind=\"{}\" data-vscode=\"{}\" data-elapsed=\"{}\" aria-live=\"polite\">\n",
                 nameOf(content.kind), content.needsVscode ? "yes" : "no", content.elapsedSeconds);
  if (moving)
    body += moveFacts(*content.moving);
  else if (busy)
    body += format("<dt>Step</dt><dd id=\"step\">{}</dd>\n<dt>Time</dt><dd id=\"elapsed\">{} s</dd>\n",
                   content.step.empty() ? "…" : escapeHtml(content.step), content.elapsedSeconds);
  body += format("<dt id=\"reason-name\"{0}>{1}</dt><dd id=\"reason\"{0}>{2}</dd>\n</dl>\n", content.reason.empty() ? " hidden" : "",
                 content.kind == WaitingKind::Failed ? "Reason" : "Note", escapeHtml(content.reason));
  return layOut({.title = format("{} · {}", content.name, text.title),
                 .body = body,
                 .script = kWaitingScript,
                 .head = busy ? "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n" : ""});
}

Page messagePage(const MessagePage& content) {
  std::string body = brand() + format("<h1>{}</h1>\n<p>{}</p>\n", escapeHtml(content.title), escapeHtml(content.text));
  if (!content.detail.empty()) body += format("<pre class=\"command\">{}</pre>\n", escapeHtml(content.detail));
  if (!content.link.empty())
    body += format("<p><a class=\"button\" href=\"{}\">{}</a></p>\n", escapeHtml(content.link), escapeHtml(content.linkText));
  return layOut({.title = content.title, .body = body});
}

}  // namespace swarm::gateway

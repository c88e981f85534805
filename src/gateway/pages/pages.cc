// Values of the pages; their markup is in assets/.
#include "gateway/pages/pages.h"

#include <boost/json/serialize.hpp>
#include <set>

#include "base/id.h"
#include "base/text/format.h"
#include "gateway/assets/assets.h"
#include "gateway/pages/move_status.h"
#include "gateway/pages/template.h"
#include "model/comparison_code.h"
#include "model/steps.h"

namespace swarm::gateway {
namespace {

namespace json = boost::json;

/// Lets the page use `text` as an inline style or script, and no other.
std::string hashSource(std::string_view text) { return format("'sha256-{}'", toBase64(sha256(text))); }

struct Layout {
  std::string title;
  std::string_view script{};             ///< JavaScript
  std::string_view connects = "'self'";  ///< connect-src
  bool wide = false;
  bool refreshesWithoutScript = false;
};

Page layOut(const Layout& layout, std::string_view body, json::object values) {
  values["title"] = layout.title;
  values["style"] = assets::pagesCss();
  values["script"] = layout.script;
  values["width"] = layout.wide ? "wide" : "card";
  values["refreshesWithoutScript"] = layout.refreshesWithoutScript;
  return {.html = renderTemplate(assets::layoutHtml(), values, {{"body", body}, {"brand", assets::brandHtml()}}),
          .policy = format("default-src 'none'; style-src {}; script-src {}; connect-src {}; base-uri 'none'",
                           hashSource(assets::pagesCss()), layout.script.empty() ? "'none'" : hashSource(layout.script), layout.connects)};
}

struct StatusTexts {
  std::string_view cssClass;
  std::string_view text;
};
// In the order of InstanceStatus.
constexpr StatusTexts kStatusTexts[] = {{"busy", "Creating"}, {"busy", "Starting"}, {"good", "Running"},  {"busy", "Stopping"},
                                        {"off", "Stopped"},   {"bad", "Failed"},    {"busy", "Deleting"}, {"off", "Deleted"}};
static_assert(std::size(kStatusTexts) == static_cast<std::size_t>(InstanceStatus::deleted) + 1);

json::object valuesOf(const LandingRow& row) {
  const bool runs = row.status == InstanceStatus::running;
  const auto texts = runs && !row.ready ? StatusTexts{"busy", "Starting VS Code"} : kStatusTexts[static_cast<std::size_t>(row.status)];
  return {{"name", row.name},
          {"owner", row.owner},
          {"url", row.url},
          {"statusClass", texts.cssClass},
          {"statusText", texts.text},
          {"note", row.note},
          {"imageOutdated", row.imageOutdated},
          {"action", !row.mayChange ? ""
                     : runs         ? "stop"
                                    : "start"},
          {"actionLabel", runs ? "Stop" : "Start"}};
}

json::object valuesOf(const Identity& identity) {
  json::array claims, notes;
  for (const auto& [name, value] : identity.claims)
    claims.push_back(json::object{{"name", name}, {"value", value.is_string() ? std::string(value.get_string()) : json::serialize(value)}});
  for (const std::string& note : identity.notes) notes.push_back(json::object{{"note", note}});
  std::string groups;
  for (const std::string& group : identity.groups) groups += (groups.empty() ? "" : ", ") + group;
  return {{"provider", identity.provider},
          {"issuer", identity.issuer},
          {"subject", identity.subject},
          {"email", identity.email.empty() ? "none" : identity.email},
          {"lastSignInAt", formatTime(identity.lastSignInAt)},
          {"role", identity.role.empty() ? "not decided" : identity.role},
          {"groups", groups.empty() ? "none" : groups},
          {"claims", std::move(claims)},
          {"notes", std::move(notes)}};
}

/// The providers that a member of these rows names.
json::array providersIn(const std::vector<LandingRow>& rows, std::string LandingRow::* member) {
  std::set<std::string_view> titles;
  for (const auto& row : rows)
    if (!(row.*member).empty()) titles.insert(row.*member);
  json::array values;
  for (const auto title : titles) values.push_back(json::object{{"provider", title}});
  return values;
}

struct KindTexts {
  std::string_view name;  ///< for the script
  std::string_view heading;
};

// In the order of WaitingKind.
constexpr KindTexts kKindTexts[] = {{"starting", "Starting"}, {"starting", "Connecting"}, {"stopping", "Stopping"},
                                    {"stopped", "Stopped"},   {"failed", "Failed"},       {"moving", "Moving"}};
static_assert(std::size(kKindTexts) == static_cast<std::size_t>(WaitingKind::Moving) + 1);

json::value valuesOf(const MoveProgress& move) {
  return {{"to", move.to}, {"percent", percentOf(move)}, {"stepText", wordsOfStep(move.step)}, {"timeLeft", aboutTime(move.secondsLeft)}};
}

}  // namespace

Page signInPage(const SignInPage& content) {
  json::array providers;
  for (const ProviderLink& link : content.providers) providers.push_back(json::object{{"title", link.title}, {"url", link.url}});
  return layOut({.title = "Sign in"}, assets::signInHtml(),
                {{"user", content.user},
                 {"next", content.next},
                 {"problem", content.problem},
                 {"hasProviders", !providers.empty()},
                 {"providers", std::move(providers)}});
}

Page signedOutPage() { return layOut({.title = "Signed out"}, assets::signedOutHtml(), {}); }

Page signInByLinkPage(std::string_view user, std::string_view code, std::string_view next) {
  return layOut({.title = "Sign in"}, assets::signInByLinkHtml(), {{"user", user}, {"code", code}, {"next", next}});
}

Page programPage(const ProgramPage& content) {
  return layOut({.title = "Sign in the command line"}, assets::programHtml(),
                {{"user", content.user},
                 {"port", content.port},
                 {"challenge", content.challenge},
                 {"state", content.state},
                 {"code", comparisonCode(content.challenge)},
                 {"address", content.address.empty() ? "this machine" : content.address},
                 {"client", content.client}});
}

Page devicePage(const DevicePage& content) {
  const bool is_known = !content.address.empty();
  return layOut({.title = "Sign in a program"}, assets::deviceHtml(),
                {{"user", content.user},
                 {"code", content.code},
                 {"address", content.address},
                 {"client", content.client},
                 {"problem", content.problem},
                 {"outcome", content.outcome},
                 {"showsCodeForm", !is_known && content.outcome.empty()},
                 {"showsDecision", is_known && content.outcome.empty()}});
}

Page invitePage(const InvitePage& content) {
  return layOut({.title = "Welcome"}, assets::inviteHtml(), {{"user", content.user}, {"problem", content.problem}});
}

Page codePage(const CodePage& content) {
  return layOut({.title = "Enter the code"}, assets::signInCodeHtml(),
                {{"user", content.user}, {"ticket", content.ticket}, {"next", content.next}, {"problem", content.problem}});
}

Page enrolPage(const EnrolPage& content) {
  return layOut({.title = "Second factor"}, assets::secondFactorSetupHtml(),
                {{"user", content.user},
                 {"ticket", content.ticket},
                 {"secret", content.secret.reveal()},
                 {"uri", content.uri.reveal()},
                 {"qrCode", content.qrCode},
                 {"next", content.next},
                 {"problem", content.problem}});
}

Page recoveryCodesPage(const std::vector<std::string>& codes, std::string_view next) {
  std::string lines;
  for (const std::string& code : codes) lines += code + "\n";
  return layOut({.title = "Recovery codes"}, assets::recoveryCodesHtml(), {{"codes", lines}, {"next", next}});
}

Page secondFactorPage(const SecondFactorPage& content) {
  return layOut({.title = "Second factor"}, assets::secondFactorHtml(),
                {{"user", content.user},
                 {"enabled", content.enabled},
                 {"required", content.required},
                 {"recoveryCodes", content.recoveryCodes},
                 {"problem", content.problem}});
}

Page identitiesPage(const IdentitiesPage& content) {
  json::array found, users;
  for (const Identity& identity : content.found) found.push_back(valuesOf(identity));
  for (const std::string& user : content.users) users.push_back(json::object{{"user", user}});
  return layOut({.title = "Claims of sign-ins", .wide = true}, assets::identitiesHtml(),
                {{"user", content.user},
                 {"problem", content.problem},
                 {"hasFound", !content.found.empty()},
                 {"found", std::move(found)},
                 {"hasUsers", !users.empty()},
                 {"users", std::move(users)}});
}

Page enterPage(const EnterPage& content) {
  return layOut({.title = format("Enter {}", content.name)}, assets::enterHtml(),
                {{"name", content.name},
                 {"owner", content.owner},
                 {"host", content.host},
                 {"binding", content.binding},
                 {"path", content.path},
                 {"proof", content.proof}});
}

Page portPage(const PortPage& content) {
  return layOut({.title = format("Port {}", content.port)}, assets::portHtml(),
                {{"name", content.name},
                 {"owner", content.owner},
                 {"port", std::to_string(content.port)},
                 {"host", content.host},
                 {"path", content.path}});
}

Page continuePage(std::string_view path) {
  return {.html = renderTemplate(assets::continueHtml(), {{"path", path}}), .policy = "default-src 'none'; base-uri 'none'"};
}

Page framePage(const FramePage& content) {
  return layOut({.title = "Opening", .script = assets::frameJs(), .connects = content.vscode}, assets::frameHtml(),
                {{"codeUrl", content.codeUrl}, {"enterUrl", content.enterUrl}, {"baseUrl", content.baseUrl}});
}

Page landingPage(const Principal& principal, const std::vector<LandingRow>& rows, const LandingOffers& offers) {
  json::array row_values;
  for (const auto& row : rows) row_values.push_back(valuesOf(row));
  return layOut({.title = "Workspaces", .script = assets::landingJs(), .wide = true}, assets::landingHtml(),
                {{"user", principal.user},
                 {"mayCreate", offers.create},
                 {"identities", offers.identities},
                 {"showsOwners", std::ranges::any_of(rows, [&](const LandingRow& row) { return row.owner != principal.user; })},
                 {"hasRows", !rows.empty()},
                 {"rows", std::move(row_values)},
                 {"losingStops", providersIn(rows, &LandingRow::losingStop)},
                 {"looseStorages", providersIn(rows, &LandingRow::looseStorage)}});
}

Page waitingPage(const WaitingPage& content) {
  const auto texts = kKindTexts[static_cast<std::size_t>(content.kind)];
  const auto is = [&](WaitingKind kind) { return content.kind == kind; };
  const bool is_busy = !is(WaitingKind::Stopped) && !is(WaitingKind::Failed);
  return layOut({.title = format("{} · {}", content.name, texts.heading), .script = assets::waitingJs(), .refreshesWithoutScript = is_busy},
                assets::waitingHtml(),
                {{"kind", texts.name},
                 {"heading", texts.heading},
                 {"isBusy", is_busy},
                 {"isStarting", is(WaitingKind::Starting)},
                 {"isReconnecting", is(WaitingKind::Reconnecting)},
                 {"isStopping", is(WaitingKind::Stopping)},
                 {"isStopped", is(WaitingKind::Stopped)},
                 {"isFailed", is(WaitingKind::Failed)},
                 {"move", is(WaitingKind::Moving) ? valuesOf(*content.moving) : json::value()},
                 {"name", content.name},
                 {"mayStart", content.mayStart},
                 {"needsVscode", content.needsVscode ? "yes" : "no"},
                 {"showsStep", is_busy && !is(WaitingKind::Moving)},
                 {"step", content.step.empty() ? "…" : content.step},
                 {"elapsedSeconds", content.elapsedSeconds},
                 {"reason", content.reason}});
}

Page messagePage(const MessagePage& content) {
  return layOut({.title = content.title}, assets::messageHtml(),
                {{"heading", content.title},
                 {"text", content.text},
                 {"detail", content.detail},
                 {"link", content.link},
                 {"linkText", content.linkText}});
}

}  // namespace swarm::gateway

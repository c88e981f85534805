#include "gateway/proxy/targets.h"

#include <atomic>
#include <boost/asio/post.hpp>

namespace swarm::gateway {
namespace {

constexpr std::size_t kMaxCookiesPerHost = 512;
constexpr std::chrono::minutes kForgetAfter{10};
constexpr std::chrono::seconds kReportUseEvery{20};

}  // namespace

/// Held by the listeners: it outlives the gateway, and records its end.
struct Targets::Mailbox {
  std::mutex mutex;
  std::optional<async::Executor> loop;  // none: closed
  std::atomic<std::uint64_t> tableVersion{1};
  std::weak_ptr<Targets> targets;

  void wake() {
    const std::lock_guard lock(mutex);
    if (!loop) return;
    boost::asio::post(*loop, [weak = targets] {
      if (const auto self = weak.lock()) self->follow();
    });
  }
};

Targets::Targets(async::Executor loop, RouteSource& routes, Auth& auth, const Clock& clock, const CookieNames& names, LiveList& live)
    : loop_(std::move(loop)),
      route_source_(routes),
      auth_(auth),
      clock_(clock),
      names_(names),
      live_(live),
      mailbox_(std::make_shared<Mailbox>()),
      table_(routes.current()) {}

Targets::~Targets() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->loop.reset();
}

void Targets::subscribe() {
  mailbox_->targets = weak_from_this();
  mailbox_->loop = loop_;
  route_source_.onChange([mailbox = mailbox_] {
    mailbox->tableVersion.fetch_add(1, std::memory_order_acq_rel);
    mailbox->wake();
  });
  auth_.onRevoked([mailbox = mailbox_] { mailbox->wake(); });
}

void Targets::follow() {
  if (mailbox_->tableVersion.load(std::memory_order_acquire) != seen_table_) followRoutes();
  if (auth_.revocationEpoch() != seen_revocation_) followRevocations();
}

void Targets::followRoutes() {
  seen_table_ = mailbox_->tableVersion.load(std::memory_order_acquire);
  table_ = route_source_.current();
  for (auto it = targets_.begin(); it != targets_.end();) {
    auto& target = *it->second;
    const auto found = table_->find(target.route->name);
    if (found == table_->end() || found->second->instanceId != target.route->instanceId) {
      target.known = false;
      target.clearIdle();
      for (auto& [value, cookie] : target.cookies) cookie->valid = false;
      if (target.visitor) target.visitor->valid = false;
      it = targets_.erase(it);
      continue;
    }
    moveTo(target, found->second);
    ++it;
  }
  live_.cutWhere([](const LiveExchange& live) {
    const bool changed = !live.target->known || live.target->route->epoch != live.epoch;
    return changed ? LiveExchange::Cut::RouteChanged : live.cookie->valid ? LiveExchange::Cut::No : LiveExchange::Cut::SignedOut;
  });
  routes_changed_.notifyAll();
}

void Targets::moveTo(Target& target, std::shared_ptr<const InstanceRoute> route) {
  if (target.route->epoch != route->epoch) target.clearIdle();
  if (target.route->owner != route->owner) {
    for (auto& [value, cookie] : target.cookies) cookie->valid = false;
    target.cookies.clear();
  }
  const bool has_other_rules = target.port != 0 && target.route->ports != route->ports;
  target.route = std::move(route);
  if (has_other_rules) followPortRules(target);
}

void Targets::followPortRules(Target& target) {
  const PortRule rule = target.route->ruleOf(target.port, clock_.now());
  if (target.visitor && rule.level == PortLevel::everyone) {
    target.visitor->principal.expiresAt = rule.expiresAt.value_or(SystemTime::max());
  } else if (target.visitor) {
    target.visitor->valid = false;
    target.visitor = nullptr;
  }
  std::erase_if(target.cookies, [&](auto& entry) {
    VerifiedCookie& cookie = *entry.second;
    cookie.valid = mayOpen(cookie.principal, *target.route, target.port);
    return !cookie.valid;
  });
}

bool Targets::mayOpen(const Principal& principal, const InstanceRoute& route, std::uint16_t port) const {
  if (port == 0) return isAllowed(principal, Permission::Inside, route.owner, route.instanceId);
  return mayOpenPort(principal, route.ruleOf(port, clock_.now()).level, route.owner, route.instanceId);
}

std::shared_ptr<VerifiedCookie> Targets::visitorOf(const std::shared_ptr<Target>& target) {
  if (target->port == 0 || !target->route->ports) return nullptr;
  const SystemTime now = clock_.now();
  if (target->visitor && target->visitor->principal.expiresAt > now) return target->visitor;
  const PortRule rule = target->route->ruleOf(target->port, now);
  if (rule.level != PortLevel::everyone) return nullptr;
  target->visitor = std::make_shared<VerifiedCookie>();
  target->visitor->principal.expiresAt = rule.expiresAt.value_or(SystemTime::max());
  remember(target);
  return target->visitor;
}

bool Targets::isClosedTo(const net::RequestHead& head, const Target& target) const {
  const auto has = [&](std::string_view name, const std::string& audience) {
    const auto cookie = findCookie(head.headers, name);
    const auto principal = cookie.value.empty() ? std::nullopt : auth_.verifyInstanceCookie(cookie.value, audience);
    return principal && mayOpen(*principal, *target.route, 0) && !mayOpen(*principal, *target.route, target.port);
  };
  return has(names_.session, target.audience) || has(names_.ports, portsAudienceOf(*target.route));
}

void Targets::remember(const std::shared_ptr<Target>& target) {
  if (target->known) return;
  target->known = true;
  targets_.emplace(target->label, target);
}

void Targets::followRevocations() {
  // Read first: a concurrent revocation causes another round.
  seen_revocation_ = auth_.revocationEpoch();
  for (auto& [label, target] : targets_) {
    std::erase_if(target->cookies, [&](auto& entry) {
      auto& [value, cookie] = entry;
      auto principal = auth_.verifyInstanceCookie(value, cookie->audience);
      cookie->valid = principal && mayOpen(*principal, *target->route, target->port);
      if (cookie->valid) cookie->principal = std::move(*principal);
      return !cookie->valid;
    });
  }
  live_.cutWhere([](const LiveExchange& live) { return live.cookie->valid ? LiveExchange::Cut::No : LiveExchange::Cut::SignedOut; });
}

std::string Targets::audienceOf(const InstanceRoute& route, std::uint16_t port) {
  // A port's cookie, which a page of that port may obtain, is valid for that port only, not for VS Code.
  return port == 0 ? route.instanceId.str() : route.instanceId.str() + ":" + std::to_string(port);
}

std::string Targets::portsAudienceOf(const InstanceRoute& route) { return route.instanceId.str() + ":*"; }

std::shared_ptr<Target> Targets::find(const HostName& host) {
  if (const auto known = targets_.find(host.label()); known != targets_.end()) return known->second;
  const auto found = table_->find(host.instance());
  if (host.label().empty() || found == table_->end()) return nullptr;
  auto target = std::make_shared<Target>(idle_count_);
  target->label = host.label();
  target->port = host.port();
  target->route = found->second;
  target->audience = audienceOf(*target->route, target->port);
  return target;
}

std::shared_ptr<VerifiedCookie> Targets::authenticate(const net::RequestHead& head, const std::shared_ptr<Target>& target) {
  return authenticateAs(head, target, names_.session, target->audience);
}

std::shared_ptr<VerifiedCookie> Targets::authenticateByPorts(const net::RequestHead& head, const std::shared_ptr<Target>& target) {
  return target->port == 0 ? nullptr : authenticateAs(head, target, names_.ports, portsAudienceOf(*target->route));
}

std::shared_ptr<VerifiedCookie> Targets::authenticateAs(const net::RequestHead& head, const std::shared_ptr<Target>& target,
                                                        std::string_view cookie_name, std::string_view audience) {
  const auto cookie = findCookie(head.headers, cookie_name);
  if (cookie.value.empty()) return nullptr;
  auto good = verify(*target, cookie.value, audience);
  if (good) remember(target);
  return good;
}

std::shared_ptr<VerifiedCookie> Targets::verify(Target& target, std::string_view value, std::string_view audience) {
  if (const auto remembered = target.cookies.find(value); remembered != target.cookies.end()) {
    if (remembered->second->audience != audience) return nullptr;
    if (remembered->second->principal.expiresAt > clock_.now()) return remembered->second;
    remembered->second->valid = false;
    target.cookies.erase(remembered);
    return nullptr;
  }
  auto principal = auth_.verifyInstanceCookie(value, audience);
  if (!principal || !mayOpen(*principal, *target.route, target.port)) return nullptr;
  auto cookie = std::make_shared<VerifiedCookie>(VerifiedCookie{.principal = std::move(*principal), .audience = std::string(audience)});
  // An exchange that holds a removed cookie would miss a sign-out: only unused cookies are removed.
  if (target.cookies.size() >= kMaxCookiesPerHost)
    std::erase_if(target.cookies, [](const auto& entry) { return entry.second.use_count() == 1; });
  target.cookies.emplace(std::string(value), cookie);
  return cookie;
}

bool Targets::sweep(SteadyTime now, SteadyTime idle_since) {
  const auto wall = clock_.now();
  live_.cutWhere([&](const LiveExchange& live) {
    return live.cookie->principal.expiresAt > wall ? LiveExchange::Cut::No : LiveExchange::Cut::SignedOut;
  });
  std::erase_if(targets_, [&](auto& entry) {
    Target& target = *entry.second;
    target.dropIdleBefore(idle_since);
    const bool in_use = entry.second.use_count() > 1 || target.lastUsed > target.useReported;  // a tunnel holds it, or a request arrived
    if (in_use && now - target.useReported > kReportUseEvery) {
      target.useReported = now;
      route_source_.reportUse(target.route->instanceId);
    }
    const bool forgotten = !target.hasIdle() && entry.second.use_count() == 1 && now - target.lastUsed > kForgetAfter;
    if (forgotten) target.known = false;
    return forgotten;
  });
  return !targets_.empty();
}

}  // namespace swarm::gateway

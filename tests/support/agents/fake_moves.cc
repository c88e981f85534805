// FakeMoves.
#include "support/agents/fake_moves.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text/format.h"

namespace swarm::test {
namespace {

using transfer::RoundKind;
using transfer::Side;

/// The fake provider's endpoints are called like their places.
PlaceId placeOf(const agent::AgentTarget& target) { return PlaceId(target.endpoint.host); }

class FakeLink final : public transfer::Link {
 public:
  FakeLink(FakeMoves& moves, PlaceId source, PlaceId target, std::string transfer)
      : moves_(moves), source_(std::move(source)), target_(std::move(target)), transfer_(std::move(transfer)) {}

  awaitable<transfer::ScanReport> scan(Side side, transfer::ProgressSink) override {
    co_await moves_.pass("scan", places());
    transfer::ScanReport report;
    for (const auto& [path, text] : filesAt(moves_.world(), side == Side::Source ? source_ : target_)) {
      ++report.files;
      report.bytes += static_cast<std::int64_t>(text.size());
    }
    report.space.push_back({"/home/coder", moves_.freeAtTarget, moves_.freeAtTarget});
    co_return report;
  }

  awaitable<transfer::RoundReport> round(RoundKind kind, transfer::ProgressSink progress) override {
    ++moves_.rounds;
    if (moves_.onRound) moves_.onRound(kind);
    if (moves_.report && progress) progress(*moves_.report);
    while (moves_.endless) {
      if (progress) progress(moves_.endless());
      co_await moves_.pass("report", places());
    }
    co_await moves_.pass("round", places());
    if (moves_.failRound) throw *moves_.failRound;
    auto target = moves_.world().container(target_);
    if (target->held != transfer_) throw Error(ErrorCode::Internal, "A place that is in use would have been written over.");
    if (kind == RoundKind::Final && moves_.world().container(source_)->held.empty() && !moves_.frozen.contains(source_))
      throw Error(ErrorCode::Internal, "The final changes were taken from a place that is in use.");
    co_return co_await copy(std::move(progress));
  }

  awaitable<transfer::DigestReport> digest(Side side, transfer::ProgressSink) override {
    co_await moves_.pass("digest", places());
    transfer::DigestReport report;
    for (const auto& [path, text] : filesAt(moves_.world(), side == Side::Source ? source_ : target_))
      report.digest += path + "=" + text + ";";
    if (side == Side::Target && moves_.corruptions > 0) report.digest += "corrupt";
    co_return report;
  }
  awaitable<std::pair<transfer::DigestReport, transfer::DigestReport>> digests(transfer::ProgressSink) override {
    std::pair<transfer::DigestReport, transfer::DigestReport> both;
    both.first = co_await digest(Side::Source, {});
    both.second = co_await digest(Side::Target, {});
    if (moves_.corruptions > 0) --moves_.corruptions;
    co_return both;
  }
  awaitable<void> sync(Side) override { co_await moves_.pass("sync", places()); }
  awaitable<std::vector<transfer::Note>> differences(std::size_t) override {
    co_await moves_.pass("differences", places());
    co_return std::vector<transfer::Note>{{"home/coder/notes", "content"}};
  }
  awaitable<void> close() override { co_return; }

 private:
  std::vector<PlaceId> places() const {
    std::vector<PlaceId> places;
    for (const PlaceId& place : {source_, target_})
      if (!place.empty()) places.push_back(place);
    return places;
  }

  /// File by file; the target's volumes are in the same order as the source's.
  awaitable<transfer::RoundReport> copy(transfer::ProgressSink progress) {
    transfer::RoundReport report;
    auto from = moves_.world().container(source_);
    auto to = moves_.world().container(target_);
    for (std::size_t i = 0; i < from->volumes.size(); ++i) {
      auto files = moves_.world().volume(from->volumes[i])->files;
      for (const auto& [path, text] : files) {
        ++report.files;
        auto there = moves_.world().volume(to->volumes[i]);
        if (auto found = there->files.find(path); found != there->files.end() && found->second == text) continue;
        co_await moves_.pass("file", places());
        moves_.world().writeFile(to->volumes[i], path, text);
        ++report.filesSent;
        ++moves_.filesSent;
        report.bytesSent += static_cast<std::int64_t>(text.size());
        if (progress) progress({report.filesSent, report.bytesSent, report.bytesSent});
      }
    }
    co_return report;
  }

  FakeMoves& moves_;
  PlaceId source_, target_;
  std::string transfer_;
};

}  // namespace

std::map<std::string, std::string> filesAt(fake::FakeWorld& world, const PlaceId& place) {
  std::map<std::string, std::string> files;
  auto container = world.container(place);
  if (!container) return files;
  for (const std::string& name : container->volumes)
    for (const auto& [path, text] : world.volume(name)->files) files[world.volume(name)->mountPath + "/" + path] = text;
  return files;
}

awaitable<void> FakeMoves::pass(std::string what, std::vector<PlaceId> places) {
  co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
  auto due = cutAt.find(what);
  if (due != cutAt.end() && --due->second == 0) {
    cutAt.erase(due);
    throw Error(ErrorCode::Unavailable, "The connection was cut.");
  }
  for (const PlaceId& place : places) {
    auto container = world_.container(place);
    if (world_.isDown() || !container || container->status != InstanceStatus::running)
      throw Error(ErrorCode::Unavailable, format("The agent of {} can't be reached.", place));
  }
}

awaitable<std::string> FakeMoves::hold(agent::AgentTarget target, std::string transfer, std::string, Deadline) {
  co_await pass("hold", {placeOf(target)});
  world_.hold(placeOf(target), std::move(transfer));
  co_return world_.container(placeOf(target))->boot;
}

awaitable<void> FakeMoves::release(agent::AgentTarget target, std::string boot, Deadline) {
  if (onRelease) onRelease();
  co_await pass("release", {placeOf(target)});
  if (world_.container(placeOf(target))->boot != boot) throw Error(ErrorCode::Conflict, "It has been started again.");
  world_.release(placeOf(target));
}

awaitable<void> FakeMoves::freeze(agent::AgentTarget target, std::string, Deadline) {
  co_await pass("freeze", {placeOf(target)});
  frozen.insert(placeOf(target));
}

awaitable<void> FakeMoves::thaw(agent::AgentTarget target, Deadline) {
  co_await pass("thaw", {placeOf(target)});
  frozen.erase(placeOf(target));
}

awaitable<std::unique_ptr<transfer::Link>> FakeMoves::connect(std::optional<agent::AgentTarget> source,
                                                              std::optional<agent::AgentTarget> target, std::string transfer,
                                                              transfer::Scope, transfer::LinkOptions, Deadline) {
  PlaceId from = source ? placeOf(*source) : PlaceId();
  PlaceId to = target ? placeOf(*target) : PlaceId();
  co_await pass("connect", source && target ? std::vector<PlaceId>{from, to} : std::vector<PlaceId>{source ? from : to});
  co_return std::make_unique<FakeLink>(*this, std::move(from), std::move(to), std::move(transfer));
}

}  // namespace swarm::test

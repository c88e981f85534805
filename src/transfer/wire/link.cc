// Commands to one or both agents, and their responses.
#include "transfer/wire/link.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "transfer/rounds/relay.h"

namespace swarm::transfer {
namespace {

constexpr std::size_t kSource = 0;
constexpr std::size_t kTarget = 1;

class AgentLink final : public Link {
 public:
  AgentLink(std::shared_ptr<Relay> relay, Scope scope) : relay_(std::move(relay)), scope_(std::move(scope)) {
    // Numbered as in the agents' messages.
    std::ranges::sort(scope_.storages);
    scope_.storages.erase(std::ranges::unique(scope_.storages).begin(), scope_.storages.end());
  }
  ~AgentLink() override { relay_->shut(); }

  awaitable<void> greet(std::string transfer_id) {
    Command command(relay_, {});
    std::array<std::uint64_t, 2> understands{kCapability, kCapability};
    for (const std::size_t peer : {kSource, kTarget}) {
      if (!relay_->peers[peer].stream) continue;
      co_await sendCommand(*relay_, peer, Kind::Hello, encode(Hello{kProtocolVersion, transfer_id, peer == kSource, scope_}));
      understands[peer] = decodeCapability(co_await awaitResult(*relay_, peer));
    }
    // An agent of the first release does not support the command, and is treated by the other one as such.
    if (std::ranges::min(understands) >= 2) {
      for (const std::size_t peer : {kSource, kTarget}) {
        if (!relay_->peers[peer].stream) continue;
        co_await sendCommand(*relay_, peer, Kind::Other, encodeCapability(understands[1 - peer]));
        co_await awaitResult(*relay_, peer);
      }
    }
    command.succeeded();
  }

  awaitable<ScanReport> scan(Side side, ProgressSink progress) override {
    return request<ScanReport>(side, Kind::Scan, {}, std::move(progress));
  }

  awaitable<RoundReport> round(RoundKind kind, ProgressSink progress) override {
    Command command(relay_, std::move(progress));
    held_ = false;
    // The target first: the source starts at once, and its frames must not overtake the command.
    co_await sendCommand(*relay_, kTarget, Kind::Round, encode(RoundCommand{kind}));
    relay_->relaying = true;
    co_await sendCommand(*relay_, kSource, Kind::Round, encode(RoundCommand{kind}));
    auto report = decode<RoundReport>(co_await awaitResult(*relay_, kSource));
    report.deleted = decode<RoundReport>(co_await awaitResult(*relay_, kTarget)).deleted;
    report.bytesSent = relay_->relayed;
    held_ = kind == RoundKind::Final;
    command.succeeded();
    co_return report;
  }

  awaitable<DigestReport> digest(Side side, ProgressSink progress) override {
    return request<DigestReport>(side, Kind::Digest, encode(DigestCommand{held_}), std::move(progress));
  }

  awaitable<std::pair<DigestReport, DigestReport>> digests(ProgressSink progress) override {
    Command command(relay_, std::move(progress));
    for (const std::size_t peer : {kSource, kTarget}) co_await sendCommand(*relay_, peer, Kind::Digest, encode(DigestCommand{held_}));
    auto source = decode<DigestReport>(co_await awaitResult(*relay_, kSource));
    auto target = decode<DigestReport>(co_await awaitResult(*relay_, kTarget));
    command.succeeded();
    co_return std::pair(std::move(source), std::move(target));
  }

  awaitable<void> sync(Side side) override { return request<void>(side, Kind::Sync, {}, {}); }

  awaitable<std::vector<Note>> differences(std::size_t maximum) override {
    Command command(relay_, {});
    for (const std::size_t peer : {kSource, kTarget}) co_await sendCommand(*relay_, peer, Kind::Manifest, encode(DigestCommand{held_}));
    auto notes = co_await compareManifests(*relay_, scope_, maximum);
    for (const std::size_t peer : {kSource, kTarget}) co_await awaitResult(*relay_, peer);
    command.succeeded();
    co_return notes;
  }

  awaitable<void> close() override {
    Command command(relay_, {});
    for (const std::size_t peer : {kSource, kTarget}) {
      if (!relay_->peers[peer].stream || relay_->peers[peer].ended) continue;
      co_await sendCommand(*relay_, peer, Kind::Bye, {});
      relay_->closing = true;
      co_await awaitResult(*relay_, peer);
    }
    relay_->shut();
    command.succeeded();
  }

 private:
  /// A command that does not succeed ends the link, whether it failed or its caller was cancelled.
  class Command {
   public:
    Command(std::shared_ptr<Relay> relay, ProgressSink sink) : relay_(std::move(relay)) {
      if (relay_->failure) throw *relay_->failure;
      relay_->relayed = 0;
      relay_->sink = std::move(sink);
      for (Peer& peer : relay_->peers) peer.progress = {};
    }
    ~Command() {
      relay_->sink = {};
      relay_->relaying = false;
      if (!succeeded_) relay_->shut();
    }
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    void succeeded() { succeeded_ = true; }

   private:
    std::shared_ptr<Relay> relay_;  ///< outlives the coroutines that wait in it, even when the loop ends first
    bool succeeded_ = false;
  };

  /// One command to one agent; returns its response.
  template <typename Report>
  awaitable<Report> request(Side side, Kind kind, std::string payload, ProgressSink progress) {
    Command command(relay_, std::move(progress));
    const std::size_t peer = side == Side::Source ? kSource : kTarget;
    co_await sendCommand(*relay_, peer, kind, std::move(payload));
    const std::string result = co_await awaitResult(*relay_, peer);
    if constexpr (std::is_void_v<Report>) {
      command.succeeded();
    } else {
      auto report = decode<Report>(result);
      command.succeeded();
      co_return report;
    }
  }

  std::shared_ptr<Relay> relay_;
  Scope scope_;
  bool held_ = false;  ///< the last round was the final one: all writers are stopped
};

}  // namespace

awaitable<std::unique_ptr<Link>> openLink(net::StreamPtr source, net::StreamPtr target, std::string transfer_id, Scope scope,
                                          LinkOptions options) {
  auto relay = std::make_shared<Relay>(options);
  relay->peers[kSource].stream = std::move(source);
  relay->peers[kTarget].stream = std::move(target);
  auto link = std::make_unique<AgentLink>(relay, std::move(scope));
  for (const std::size_t peer : {kSource, kTarget}) {
    if (auto& stream = relay->peers[peer].stream) {
      stream->setWritePatience(options.silence);
      boost::asio::co_spawn(stream->executor(), listenTo(relay, peer), boost::asio::detached);
    }
  }
  co_await link->greet(std::move(transfer_id));
  co_return link;
}

}  // namespace swarm::transfer

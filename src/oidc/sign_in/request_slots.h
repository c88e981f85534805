// RequestSlots: how many requests to identity providers are in progress.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace swarm::oidc {

/// Limited for each kind of work (of one provider), so that a provider which does not respond takes nothing from the others, and for each
/// address of clients, so that one client cannot take all of a provider's. Thread-safe.
class RequestSlots {
  struct State;

 public:
  static constexpr int kOfWork = 64;
  static constexpr int kOfAddress = 16;  // a company may have one address

  /// Released by its destructor. It may outlive the slots.
  class Slot {
   public:
    Slot(Slot&&) noexcept = default;
    Slot& operator=(Slot&&) = delete;
    ~Slot();

   private:
    friend class RequestSlots;
    Slot(std::shared_ptr<State> state, std::string work, std::string address)
        : state_(std::move(state)), work_(std::move(work)), address_(std::move(address)) {}
    std::shared_ptr<State> state_;  ///< null: moved from
    std::string work_;
    std::string address_;
  };
  /// `address`: addressGroup() of the client. Throws Error(TooManyRequests).
  Slot take(std::string work, std::string address);

 private:
  using Counts = std::map<std::string, int>;
  struct State {
    std::mutex mutex;
    Counts works;
    Counts addresses;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace swarm::oidc

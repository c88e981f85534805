// Limits: what instances may take. A request reserves what it needs before anything is made, in the same turn of the control loop in which
// it is checked: concurrent requests never exceed a limit together (docs/adr/0022-limits.md).
#pragma once

#include "controller/controller.h"
#include "controller/limits/holdings.h"
#include "controller/state/providers.h"

namespace swarm::control {

/// What a place will hold.
struct PlacedClaim {
  PlaceId place;
  Claim claim;
};
using PlacedClaims = std::vector<PlacedClaim>;

/// Released when it is destroyed, also after the ledger's owner.
class Reservation {
 public:
  Reservation() = default;
  Reservation(std::shared_ptr<Ledger> ledger, PlacedClaims claims);
  ~Reservation() { release(); }
  Reservation(Reservation&& other) noexcept { *this = std::move(other); }
  Reservation& operator=(Reservation&& other) noexcept;
  void release();

 private:
  std::shared_ptr<Ledger> ledger_;
  std::vector<std::pair<PlaceId, Ledger::Reservations::iterator>> held_;
};

/// For the control loop only.
class Limits {
 public:
  Limits(const ControllerOptions& options, const Providers& providers, const Registry& registry)
      : options_(options), providers_(providers), registry_(registry) {}

  /// Throws Error(Unprocessable) for an instance that exceeds the limit of one, Error(Conflict) when a limit would be exceeded, with what
  /// fits. What the places hold already is never refused: only growth counts.
  Reservation reserve(PlacedClaims claims, const Actor& actor) const;
  /// The same for what was admitted earlier.
  Reservation take(PlacedClaims claims) const { return {registry_.ledger(), std::move(claims)}; }
  /// Those of the regions in which there is room for the claim; all of them when there is none in any, so that reserve() says why.
  std::vector<std::string> regionsWithRoom(ProviderType provider, std::vector<std::string> regions, const Amounts& amounts) const;

  /// The claim of an instance with this configuration at a provider: what will be there.
  Claim planned(ProviderType provider, const std::string& region, const std::string& owner, const InstanceConfig& config, Runs runs) const;
  /// Of the instance as it is, when it runs.
  PlacedClaim running(const Entry& entry) const;
  /// Of a container for the time of an operation, at another place: its files belong to the owner afterwards, or nothing of it.
  enum class Keeps { Nothing, Files };
  Claim temporary(ProviderType provider, const std::string& region, const std::string& owner, const InstanceConfig& config,
                  Keeps keeps) const;

  void setQuotas(Quotas quotas) { quotas_ = std::move(quotas); }
  LimitPolicy policy() const;
  /// The sum of the bound's accounts.
  std::int64_t used(const Bound& bound) const;

 private:
  const ControllerOptions& options_;
  const Providers& providers_;
  const Registry& registry_;
  Quotas quotas_;
};

}  // namespace swarm::control

// NetworkPin: while it exists, the network of that name is in use by a create in progress.
#pragma once

#include <map>
#include <string>

namespace swarm::engine {

class [[nodiscard]] NetworkPin {
 public:
  NetworkPin(std::map<std::string, int>& pins, std::string name) : pins_(pins), name_(std::move(name)) { ++pins_[name_]; }
  ~NetworkPin() {
    if (--pins_[name_] == 0) pins_.erase(name_);
  }
  NetworkPin(const NetworkPin&) = delete;
  NetworkPin& operator=(const NetworkPin&) = delete;

 private:
  std::map<std::string, int>& pins_;
  std::string name_;
};

}  // namespace swarm::engine

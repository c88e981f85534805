// The precompiled header of every layer: what nearly every translation unit includes anyway. Contains no headers of this project.
#pragma once

#include <fmt/core.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <expected>
#include <filesystem>
#include <fstream>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace swarm::precompiled {

/// Never called. Instantiates these templates once here instead of in each translation unit.
inline boost::asio::any_io_executor executorOf(boost::asio::io_context& context) { return context.get_executor(); }
inline bool times(std::chrono::sys_time<std::chrono::milliseconds> then) {
  auto now = std::chrono::steady_clock::now();
  auto left = std::chrono::ceil<std::chrono::milliseconds>(now + std::chrono::milliseconds(1) - now);
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) - left >= then;
}
inline void values(std::vector<std::string> list, std::map<std::string, std::string> pairs, std::set<std::string> names) {
  std::optional<std::string> some = list.empty() ? std::nullopt : std::optional(list.back());
  list.push_back(std::string(some.value_or("")));
  pairs[list.front()] = pairs.contains("") ? "" : list.front();
  names.insert(list.begin(), list.end());
  std::function<void()> none;
  std::vector<std::string> copy = list;
  fmt::format_string<std::string&, const std::string&> text = "{}{}";
  list.emplace_back(fmt::string_view(text).data());
}

}  // namespace swarm::precompiled

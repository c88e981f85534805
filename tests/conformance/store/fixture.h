// Shared by the store tests: running a coroutine to its end, temporary folders, and rows with every member set.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace swarm::test {

/// Runs `work` on a loop of its own to its end; rethrows its exception.
void runVoid(awaitable<void> work);
/// Runs all of them concurrently; returns the error of each, in order.
std::vector<std::optional<Error>> runTogether(std::vector<awaitable<void>> works);

template <typename T>
T run(awaitable<T> work) {
  if constexpr (std::is_void_v<T>) {
    runVoid(std::move(work));
  } else {
    std::optional<T> result;
    auto keep = [](awaitable<T> inner, std::optional<T>& out) -> awaitable<void> { out.emplace(co_await std::move(inner)); };
    runVoid(keep(std::move(work), result));
    return std::move(*result);
  }
}

/// The Error that `work` throws; fails the test if it throws none.
template <typename T>
Error errorOf(awaitable<T> work) {
  try {
    run(std::move(work));
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::Internal, "nothing was thrown");
}

/// A folder under the system's temporary folder, removed with its contents.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// An instance with every member set to a distinct value.
InstanceRecord makeRecord(const std::string& id, const std::string& name);
PlaceRecord makePlace(const std::string& id, const std::string& instance_id);
Departure departed(const std::string& id, DeleteVolumes volumes = DeleteVolumes::Yes);  ///< ada's, at Fly
OperationRecord makeOperation(const std::string& id, const std::string& instance_id);

/// Runs `body` in a forked child and returns its exit code; prints an exception and returns 99. Call it while no other thread runs.
int runInChild(const std::function<int()>& body);

}  // namespace swarm::test

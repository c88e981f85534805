// Shared by the store tests: the error of a coroutine, several at once, and rows with every member set.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"
#include "support/coroutine_test.h"
#include "support/temp_dir.h"

namespace swarm::test {

/// Runs all of them concurrently; returns the error of each, in order.
std::vector<std::optional<Error>> runTogether(std::vector<awaitable<void>> works);

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

/// An instance with every member set to a distinct value.
InstanceRecord makeRecord(const std::string& id, const std::string& name);
PlaceRecord makePlace(const std::string& id, const std::string& instance_id);
Departure departed(const std::string& id, DeleteVolumes volumes = DeleteVolumes::Yes);  ///< ada's, at Fly
OperationRecord makeOperation(const std::string& id, const std::string& instance_id);

/// Runs `body` in a forked child and returns its exit code; prints an exception and returns 99. Call it while no other thread runs.
int runInChild(const std::function<int()>& body);

}  // namespace swarm::test

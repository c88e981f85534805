// StoreConformance: the suite for every implementation of store.h.
#pragma once

#include <gmock/gmock.h>

#include "conformance/store/fixture.h"

namespace swarm::test {

struct Implementation {
  const char* name;
  std::function<std::unique_ptr<Store>(const std::filesystem::path&)> open;
};

class StoreConformance : public testing::TestWithParam<Implementation> {
 protected:
  StoreConformance() { reopen(); }
  void reopen() {
    store_.reset();
    store_ = GetParam().open(folder_.path() / "data");
  }
  Store& store() { return *store_; }
  void insert(const std::string& id, const std::string& name) {
    run(store().insertInstance(makeRecord(id, name), makeOperation("op-" + id, id)));
  }
  template <typename Set>
  std::vector<std::string> operationIds(Set set) {
    OperationFilter filter;
    set(filter);
    std::vector<std::string> ids;
    for (const Operation& operation : run(store().listOperations(filter))) ids.push_back(operation.id);
    return ids;
  }

  TempDir folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace swarm::test

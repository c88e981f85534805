#include "model/patch.h"

#include "base/diagnostics/check.h"
#include "model/codec/codec.h"

namespace swarm {

void apply(const ResourcePatch& patch, ResourceConfig& resources) {
  // As JSON: what a patch leaves out keeps its value when the rest is read over it, so that no member has to be named here.
  std::vector<FieldError> faults;
  resources = decode<ResourceConfig>(toJson(patch), resources, "", faults, UnknownFields::Refuse);
  SWARM_CHECK(faults.empty());
}

}  // namespace swarm

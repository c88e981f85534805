// The codec of operations' parameters: every alternative of the variant, by its description.
#include "model/operation_parameters.h"

#include <boost/mp11/algorithm.hpp>

#include "model/codec/codec_detail.h"

namespace swarm {
namespace {

constexpr std::string_view kCancelled = "cancelled";

using Kinds = boost::describe::describe_enumerators<OperationKind>;
static_assert(boost::mp11::mp_size<Kinds>::value == std::variant_size_v<OperationParameters>, "each kind has parameters of its own");

}  // namespace

OperationKind kindOf(const OperationParameters& parameters) {
  return std::visit([](const auto& one) { return std::remove_cvref_t<decltype(one)>::kind; }, parameters);
}

boost::json::object storedParametersOf(const OperationRecord& record) {
  boost::json::object stored = std::visit([](const auto& one) { return codec::write(one).as_object(); }, record.parameters);
  if (record.cancelRequested) stored[kCancelled] = true;
  return stored;
}

void readStoredParameters(OperationRecord& record, const boost::json::object& stored, std::optional<ProviderType> of_instance) {
  std::vector<FieldError> faults;  // of rows that no version of ours has written
  codec::Sink sink{faults, UnknownFields::Ignore, of_instance};
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, OperationParameters>>([&](auto type) {
    using Parameters = typename decltype(type)::type;
    if (Parameters::kind != record.kind) return;
    codec::read(boost::json::value(stored), record.parameters.emplace<Parameters>(), codec::Path{}, sink);
  });
  const boost::json::value* cancelled = stored.if_contains(kCancelled);
  record.cancelRequested = cancelled && cancelled->is_bool() && cancelled->get_bool();
}

}  // namespace swarm

// The steps of operations: what the API, the command line and the pages call them.
#pragma once

#include <iterator>
#include <string_view>

namespace swarm {

enum class Step {
  // Of the operations.
  WaitForVscode,
  CleanUp,
  RestoreConfiguration,
  Validate,
  Plan,
  CreateTarget,
  Copy,
  VerifyCopy,
  CopyChanges,
  Pause,
  FinalChanges,
  Verify,
  Switch,
  Start,
  RetireSource,
  GoBack,
  FreezeAndVerify,
  OpenSnapshot,
  Stop,
  // Of the providers.
  PullImage,
  CheckImage,
  CreateVolume,
  CreateNetwork,
  CreateContainer,
  StartContainer,
  StopContainer,
  RemoveContainer,
  RemoveOldContainer,
  RemoveVolumes,
  RemoveNetwork,
  CreateApp,
  WriteSecrets,
  AssignAddresses,
  CreateMachine,
  ChangeMachine,
  MoveToAnotherHost,
  StartMachine,
  StopMachine,
  DestroyMachine,
  DeleteVolume,
  DeleteAddresses,
  DeleteApp,
};

struct StepText {
  Step step;
  std::string_view name;        ///< as in OperationStep::name
  std::string_view words = {};  ///< of a step of a move, for readers who know nothing of moves
};

inline constexpr StepText kSteps[] = {
    {Step::WaitForVscode, "wait until VS Code responds"},
    {Step::CleanUp, "clean up"},
    {Step::RestoreConfiguration, "go back to the last configuration"},
    {Step::Validate, "validate", "getting ready"},
    {Step::Plan, "plan", "getting ready"},
    {Step::CreateTarget, "create target", "making the new place"},
    {Step::Copy, "copy", "copying the files"},
    {Step::VerifyCopy, "verify what was copied", "comparing what was copied"},
    {Step::CopyChanges, "copy changes", "copying the changes made during the copy"},
    {Step::Pause, "pause", "stopping VS Code at the old place"},
    {Step::FinalChanges, "final changes", "copying the last changes"},
    {Step::Verify, "verify", "comparing every file"},
    {Step::Switch, "switch", "switching to the new place"},
    {Step::Start, "start", "starting VS Code at the new place"},
    {Step::RetireSource, "retire source", "tidying up the old place"},
    {Step::GoBack, "go back", "going back to the old place"},
    {Step::FreezeAndVerify, "freeze and verify"},
    {Step::OpenSnapshot, "open snapshot"},
    {Step::Stop, "stop"},
    {Step::PullImage, "pull image"},
    {Step::CheckImage, "check image"},
    {Step::CreateVolume, "create volume"},
    {Step::CreateNetwork, "create network"},
    {Step::CreateContainer, "create container"},
    {Step::StartContainer, "start container"},
    {Step::StopContainer, "stop container"},
    {Step::RemoveContainer, "remove container"},
    {Step::RemoveOldContainer, "remove old container"},
    {Step::RemoveVolumes, "remove volumes"},
    {Step::RemoveNetwork, "remove network"},
    {Step::CreateApp, "create app"},
    {Step::WriteSecrets, "write secrets"},
    {Step::AssignAddresses, "assign addresses"},
    {Step::CreateMachine, "create Machine"},
    {Step::ChangeMachine, "change Machine"},
    {Step::MoveToAnotherHost, "move to another host"},
    {Step::StartMachine, "start Machine"},
    {Step::StopMachine, "stop Machine"},
    {Step::DestroyMachine, "destroy Machine"},
    {Step::DeleteVolume, "delete volume"},
    {Step::DeleteAddresses, "delete addresses"},
    {Step::DeleteApp, "delete app"},
};
static_assert(std::size(kSteps) == static_cast<std::size_t>(Step::DeleteApp) + 1);

constexpr std::string_view stepName(Step step) {
  for (const StepText& text : kSteps)
    if (text.step == step) return text.name;
  return {};
}
/// The words of the step of that name; the name itself for a step without words, and for one of another version.
constexpr std::string_view wordsOfStep(std::string_view name) {
  for (const StepText& text : kSteps)
    if (text.name == name) return text.words.empty() ? name : text.words;
  return name;
}

}  // namespace swarm

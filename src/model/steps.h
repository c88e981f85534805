// The steps of operations: what the API, the command line and the pages call them.
#pragma once

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
  std::string_view name;        ///< as in OperationStep::name
  std::string_view words = {};  ///< of a step of a move, for readers who know nothing of moves
};

constexpr StepText textOf(Step step) {
  switch (step) {
    case Step::WaitForVscode:
      return {"wait until VS Code answers"};
    case Step::CleanUp:
      return {"clean up"};
    case Step::RestoreConfiguration:
      return {"go back to the last configuration"};
    case Step::Validate:
      return {"validate", "getting ready"};
    case Step::Plan:
      return {"plan", "getting ready"};
    case Step::CreateTarget:
      return {"create target", "making the new place"};
    case Step::Copy:
      return {"copy", "copying the files"};
    case Step::VerifyCopy:
      return {"verify what was copied", "comparing what was copied"};
    case Step::CopyChanges:
      return {"copy changes", "copying the changes made during the copy"};
    case Step::Pause:
      return {"pause", "stopping VS Code at the old place"};
    case Step::FinalChanges:
      return {"final changes", "copying the last changes"};
    case Step::Verify:
      return {"verify", "comparing every file"};
    case Step::Switch:
      return {"switch", "switching to the new place"};
    case Step::Start:
      return {"start", "starting VS Code at the new place"};
    case Step::RetireSource:
      return {"retire source", "tidying up the old place"};
    case Step::GoBack:
      return {"go back", "going back to the old place"};
    case Step::FreezeAndVerify:
      return {"freeze and verify"};
    case Step::OpenSnapshot:
      return {"open snapshot"};
    case Step::Stop:
      return {"stop"};
    case Step::PullImage:
      return {"pull image"};
    case Step::CheckImage:
      return {"check image"};
    case Step::CreateVolume:
      return {"create volume"};
    case Step::CreateNetwork:
      return {"create network"};
    case Step::CreateContainer:
      return {"create container"};
    case Step::StartContainer:
      return {"start container"};
    case Step::StopContainer:
      return {"stop container"};
    case Step::RemoveContainer:
      return {"remove container"};
    case Step::RemoveOldContainer:
      return {"remove old container"};
    case Step::RemoveVolumes:
      return {"remove volumes"};
    case Step::RemoveNetwork:
      return {"remove network"};
    case Step::CreateApp:
      return {"create app"};
    case Step::WriteSecrets:
      return {"write secrets"};
    case Step::AssignAddresses:
      return {"assign addresses"};
    case Step::CreateMachine:
      return {"create Machine"};
    case Step::ChangeMachine:
      return {"change Machine"};
    case Step::MoveToAnotherHost:
      return {"move to another host"};
    case Step::StartMachine:
      return {"start Machine"};
    case Step::StopMachine:
      return {"stop Machine"};
    case Step::DestroyMachine:
      return {"destroy Machine"};
    case Step::DeleteVolume:
      return {"delete volume"};
    case Step::DeleteAddresses:
      return {"delete addresses"};
    case Step::DeleteApp:
      return {"delete app"};
  }
  return {};
}

constexpr std::string_view stepName(Step step) { return textOf(step).name; }
/// The words of the step of that name; the name itself for a step without words, and for one of another version.
std::string_view wordsOfStep(std::string_view name);

}  // namespace swarm

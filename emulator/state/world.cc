// Keeps the indices consistent.
#include "emulator/state/world.h"

namespace swarm::emulator {

AppPtr World::findApp(const std::string& name) const {
  auto found = apps.find(name);
  return found == apps.end() ? nullptr : found->second;
}

MachinePtr World::findMachine(const App& app, const std::string& id) const {
  auto found = machines.find(id);
  return found == machines.end() || found->second->app.lock().get() != &app ? nullptr : found->second;
}

VolumePtr World::findVolume(const App& app, const std::string& id) const {
  auto found = volumes.find(id);
  return found == volumes.end() || found->second->app.lock().get() != &app ? nullptr : found->second;
}

void World::add(const AppPtr& app) {
  apps[app->name] = app;
  raiseNumber(app->number);
}

void World::add(const AppPtr& app, const MachinePtr& machine) {
  machine->app = app;
  machines[machine->id] = machine;
  app->machines[machine->number] = machine;
  if (machine->state != MachineState::destroyed) app->machinesByName[machine->name] = machine;
  raiseNumber(machine->number);
}

void World::add(const AppPtr& app, const VolumePtr& volume) {
  volume->app = app;
  volumes[volume->id] = volume;
  app->volumes[volume->number] = volume;
  if (volume->host && !volume->isGoing()) ++volume->host->volumes;
  raiseNumber(volume->number);
}

void World::forget(const AppPtr& app) { apps.erase(app->name); }

void World::forget(const MachinePtr& machine) {
  if (AppPtr app = machine->app.lock()) {
    app->machines.erase(machine->number);
    if (auto named = app->machinesByName.find(machine->name); named != app->machinesByName.end() && named->second == machine) {
      app->machinesByName.erase(named);
    }
  }
  machines.erase(machine->id);
}

void World::forget(const VolumePtr& volume) {
  if (volume->host && !volume->isGoing()) --volume->host->volumes;
  if (AppPtr app = volume->app.lock()) app->volumes.erase(volume->number);
  volumes.erase(volume->id);
}

}  // namespace swarm::emulator

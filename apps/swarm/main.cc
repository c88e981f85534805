// The swarm command.
#include "cli/cli.h"
#include "doctor.h"
#include "serve.h"

int main(int argc, char** argv) { return swarm::cli::run(argc, argv, swarm::serve, swarm::examineMachine); }

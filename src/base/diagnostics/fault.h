// Fault points: named places in the code where a test build ends the process (kill -9), fails, or waits, as SWARM_FAULT says.
#pragma once

#include <string_view>

namespace swarm {

#ifdef SWARM_FAULT_POINTS
/// SWARM_FAULT="name[:n]=kill|error|stop[,…]": at the n-th pass (default 1) of `name`, end the process by SIGKILL, throw Error(Internal),
/// or stop the process by SIGSTOP until it receives SIGCONT. SWARM_FAULT_LIST=FILE appends the name of every point that is passed, so that
/// a test can enumerate them. Test builds only.
void faultPoint(std::string_view name);
#else
inline void faultPoint(std::string_view) {}
#endif

}  // namespace swarm

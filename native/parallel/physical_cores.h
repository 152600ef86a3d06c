// How many threads can run side by side without sharing a core.
#pragma once

#include <cstddef>

namespace charnn {

/// Cores of this machine that this process may run on; threads of one core count once. Of cores of
/// several speeds only the fastest count: a kernel lasts as long as its slowest thread. Windows and
/// macOS are asked in their own way; elsewhere, and where they do not answer, each hardware thread
/// counts. On Linux JavaScript reads what the system says of its cores (src/processors.ts).
size_t physical_cores();

}  // namespace charnn

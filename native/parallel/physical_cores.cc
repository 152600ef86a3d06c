#include "parallel/physical_cores.h"

#include <thread>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <vector>
#endif

namespace charnn {
namespace {

/// 0 where the system does not say.
#if defined(__APPLE__)
size_t cores_of_system() {
  // Level 0 is that of the fastest cores; processors with one kind of cores may not have it.
  for (const char* name : {"hw.perflevel0.physicalcpu", "hw.physicalcpu"}) {
    int cores = 0;
    size_t size = sizeof cores;
    if (sysctlbyname(name, &cores, &size, nullptr, 0) == 0 && cores > 0)
      return static_cast<size_t>(cores);
  }
  return 0;
}
#elif defined(_WIN32)
/// Where the process may not run on all of its processors, those of its group that it may run on;
/// 0: on all of the machine.
GROUP_AFFINITY restriction() {
  GROUP_AFFINITY restriction = {};
  DWORD_PTR allowed = 0, all = 0;
  USHORT count = 1;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &allowed, &all) || allowed == all ||
      !GetProcessGroupAffinity(GetCurrentProcess(), &count, &restriction.Group))
    return {};
  restriction.Mask = allowed;
  return restriction;
}

size_t cores_of_system() {
  DWORD bytes = 0;
  GetLogicalProcessorInformationEx(RelationProcessorCore, nullptr, &bytes);
  std::vector<unsigned char> facts(bytes);
  auto* first = reinterpret_cast<SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX*>(facts.data());
  if (bytes == 0 || !GetLogicalProcessorInformationEx(RelationProcessorCore, first, &bytes))
    return 0;
  const GROUP_AFFINITY allowed = restriction();
  size_t cores = 0;
  BYTE fastest = 0;
  for (DWORD offset = 0; offset < bytes;) {
    const auto* fact =
        reinterpret_cast<const SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX*>(facts.data() + offset);
    offset += fact->Size;
    const PROCESSOR_RELATIONSHIP& core = fact->Processor;
    const GROUP_AFFINITY& place = core.GroupMask[0];
    if (allowed.Mask != 0 && (place.Group != allowed.Group || (place.Mask & allowed.Mask) == 0))
      continue;
    // The higher its class, the faster a core.
    if (core.EfficiencyClass > fastest) cores = 0;
    if (core.EfficiencyClass < fastest) continue;
    fastest = core.EfficiencyClass;
    ++cores;
  }
  return cores;
}
#else
size_t cores_of_system() { return 0; }
#endif

}  // namespace

size_t physical_cores() {
  if (const size_t cores = cores_of_system(); cores > 0) return cores;
  const size_t threads = std::thread::hardware_concurrency();
  return threads > 0 ? threads : 1;
}

}  // namespace charnn

#include "isa.h"

namespace charnn {

#if defined(__x86_64__)
#ifndef CHARNN_WITHOUT_AVX512
namespace avx512 {
extern const Kernels kKernels;
}
#endif
namespace avx2 {
extern const Kernels kKernels;
}
namespace sse2 {
extern const Kernels kKernels;
}

std::vector<const Kernels*> usable_kernels() {
  std::vector<const Kernels*> usable;
  // These also ask whether the operating system keeps the registers.
  bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#ifndef CHARNN_WITHOUT_AVX512
  bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (has_avx2 && has_avx512) usable.push_back(&avx512::kKernels);
#endif
  if (has_avx2) usable.push_back(&avx2::kKernels);
  usable.push_back(&sse2::kKernels);
  return usable;
}
#elif defined(__aarch64__)
namespace neon {
extern const Kernels kKernels;
}

std::vector<const Kernels*> usable_kernels() { return {&neon::kKernels}; }
#endif

}  // namespace charnn

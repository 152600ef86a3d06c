#include "isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

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

namespace {

// Bits of what CPUID and XGETBV answer (Intel, Software Developer's Manual, volume 1,
// sections 14.5.3, 14.7.1 and 15.2 to 15.4, and volume 2A, CPUID).
constexpr unsigned kFma = 1u << 12, kOsXsave = 1u << 27, kAvx = 1u << 28;  // leaf 1, ECX
constexpr unsigned kAvx2 = 1u << 5;                                        // leaf 7, EBX
constexpr unsigned kAvx512F = 1u << 16, kAvx512Dq = 1u << 17, kAvx512Bw = 1u << 30,
                   kAvx512Vl = 1u << 31;
constexpr unsigned kXmm = 1u << 1, kYmm = 1u << 2, kMasks = 1u << 5, kZmm = 1u << 6,
                   kZmm16To31 = 1u << 7;

bool has_all(unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; }

struct Features {
  bool avx2 = false;
  bool avx512 = false;
};

/// Not by `__builtin_cpu_supports`: its answer comes from the compiler's run-time library, and in
/// some builds without that library is always no.
Features features_of_processor() {
  Features features;
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !has_all(ecx, kFma | kOsXsave | kAvx))
    return features;
  // Which registers the operating system saves when it switches threads.
  unsigned saved, upper;
  asm volatile("xgetbv" : "=a"(saved), "=d"(upper) : "c"(0));
  if (!has_all(saved, kXmm | kYmm)) return features;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return features;
  features.avx2 = has_all(ebx, kAvx2);
  features.avx512 = features.avx2 && has_all(saved, kMasks | kZmm | kZmm16To31) &&
                    has_all(ebx, kAvx512F | kAvx512Dq | kAvx512Bw | kAvx512Vl);
  return features;
}

}  // namespace

std::vector<const Kernels*> usable_kernels() {
  std::vector<const Kernels*> usable;
  const Features features = features_of_processor();
#ifndef CHARNN_WITHOUT_AVX512
  if (features.avx512) usable.push_back(&avx512::kKernels);
#endif
  if (features.avx2) usable.push_back(&avx2::kKernels);
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

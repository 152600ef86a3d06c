// For functions that the kernels of several instruction sets share.
#pragma once

/// The linker keeps one copy of an ordinary inline function. If that is the one compiled for
/// AVX-512, a processor without AVX-512 crashes in it. So what is outside a namespace of one
/// instruction set is always inlined; scripts/build-native.js checks that the objects share no
/// names.
#define CHARNN_INLINE inline __attribute__((always_inline))

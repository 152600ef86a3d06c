// For functions that the kernels of several instruction sets share.
#pragma once

/// The linker keeps one copy of an ordinary inline function. If that is the one compiled for
/// AVX-512, a processor without AVX-512 crashes in it. So what is outside a namespace of one
/// instruction set is always inlined; scripts/build-native.js checks that the objects share no
/// names.
#define CHARNN_INLINE inline __attribute__((always_inline))

/// The same for a lambda: `[&](int i) CHARNN_INLINE_LAMBDA { ... }`. g++ has a budget for what it
/// inlines by itself. In files as large as the kernels it runs out, and then calls even a lambda of
/// one addition, with all vectors passed through memory.
#define CHARNN_INLINE_LAMBDA __attribute__((always_inline))

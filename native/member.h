// How a kernel's work is divided among threads.
#pragma once

#include <cstddef>

#include "panels.h"

namespace charnn {

/// One thread of the team that runs a kernel. Every kernel is called by all of a team at once.
struct Member {
  size_t index;
  size_t count;
  void (*wait)(void* barrier);
  void* barrier;

  /// Returns when all members have called it.
  CHARNN_INLINE void meet() const {
    if (count > 1) wait(barrier);
  }
};

/// Some of a row of equal pieces of work.
struct Range {
  size_t begin, end;
  CHARNN_INLINE size_t size() const { return end - begin; }
};

/// One of `parts` shares of `count` pieces: consecutive, and at most one more than another's.
CHARNN_INLINE Range share(size_t count, size_t index, size_t parts) {
  return {count * index / parts, count * (index + 1) / parts};
}

}  // namespace charnn

// How a kernel's work is divided among threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "linalg/panels.h"

namespace charnn {

/// Some of a row of equal pieces of work.
struct Range {
  size_t begin, end;
  CHARNN_INLINE size_t size() const { return end - begin; }
};

/// Pieces from `begin` on: `most` of them, or all there are before `end`.
CHARNN_INLINE Range some(size_t begin, size_t most, size_t end) {
  return {begin, begin + most < end ? begin + most : end};
}

/// One of `parts` shares of `count` pieces: consecutive, and at most one more than another's.
CHARNN_INLINE Range share(size_t count, size_t index, size_t parts) {
  return {count * index / parts, count * (index + 1) / parts};
}

/// What one member of a team has of the loops that all of them divide.
struct Shares {
  /// Loops that this member has begun.
  alignas(64) uint64_t loops = 0;
  /// How many pieces of its share of a loop are taken, by whomever, below the number of that loop.
  alignas(64) std::atomic<uint64_t> taken{0};

  /// Enough for the pieces of the largest sizes; numbers of loops begin anew after 2^36.
  static constexpr int kPieceBits = 28;

  /// Takes the next of `pieces` in loop number `loop`, into `piece`; false where none is left.
  CHARNN_INLINE bool take(uint64_t loop, size_t pieces, size_t* piece) {
    const uint64_t first = loop << kPieceBits;
    uint64_t seen = taken.load(std::memory_order_relaxed);
    while (true) {
      // Of a loop before this one: none is taken yet. Of one after it: all are. The difference
      // tells also where numbers have begun anew, since members are never far from each other.
      const bool is_older = static_cast<int64_t>(seen - first) < 0;
      const uint64_t next = is_older ? first : seen;
      const bool is_left = next - first < pieces;
      // A share of nothing is marked all the same: no number grows old.
      if (!is_left && !is_older) return false;
      if (!taken.compare_exchange_weak(seen, is_left ? next + 1 : next, std::memory_order_relaxed))
        continue;
      *piece = next - first;
      return is_left;
    }
  }
};

/// One thread of the team that runs a kernel. Every kernel is called by all of a team at once.
struct Member {
  size_t index;
  size_t count;
  void (*wait)(void* barrier);
  void* barrier;
  /// Of each member.
  Shares* shares;
  /// Becomes true when nobody wants any more what the kernel makes; null: it is always wanted.
  const std::atomic<bool>* stop = nullptr;

  /// A team of one.
  ///
  /// @param stop that of the member which it is made of
  CHARNN_INLINE static Member alone(const std::atomic<bool>* stop = nullptr) {
    return {0, 1, nullptr, nullptr, nullptr, stop};
  }

  CHARNN_INLINE bool is_stopped() const {
    return stop != nullptr && stop->load(std::memory_order_relaxed);
  }

  /// Returns when all members have called it.
  CHARNN_INLINE void meet() const {
    if (count > 1) wait(barrier);
  }

  /// This member's share of some pieces.
  CHARNN_INLINE Range share_of(size_t pieces) const { return share(pieces, index, count); }

  /// Calls `work` with ranges of up to `at_once` of the pieces, until all of them are taken. Each
  /// member takes its own share first, the same at every time, so that what it needs is in its
  /// cache, and then what others have not come to: a core that is slowed down holds up nobody.
  /// Others may still be at work when this returns. When the kernel is stopped no more pieces are
  /// begun, but loops and meetings go on, so that all members come to its end.
  template <class Work>
  CHARNN_INLINE void divide(size_t pieces, size_t at_once, Work work) const {
    const uint64_t loop = count > 1 ? ++shares[index].loops : 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t owner = (index + i) % count;
      const Range whole = share(pieces, owner, count);
      // As even as can be: 4 by three are two twos, not three and one.
      const size_t groups = (whole.size() + at_once - 1) / at_once;
      // With others `take` says which is next.
      for (size_t g = 0; count > 1 ? shares[owner].take(loop, groups, &g) : g < groups; ++g) {
        if (is_stopped()) return;
        const Range group = share(whole.size(), g, groups);
        work(Range{whole.begin + group.begin, whole.begin + group.end});
      }
    }
  }
};

}  // namespace charnn

// How threads divide a kernel's work: slices, parallel loops and barriers. Nothing here touches the
// operating system; parallel/team.h brings the threads together.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "inline.h"

#if defined(__wasm__)
/// Lets JavaScript set the byte that stops kernels if a signal asks for it.
extern "C" __attribute__((import_module("charnn"), import_name("lookForStop"))) void
charnn_look_for_stop();
#endif

namespace charnn {

/// The indices from `begin` up to, but not including, `end`.
struct Range {
  size_t begin, end;
  CHARNN_INLINE size_t size() const { return end - begin; }
};

/// `count` indices from `begin` on, cut off at `end`.
CHARNN_INLINE Range clamp_range(size_t begin, size_t count, size_t end) {
  return {begin, begin + count < end ? begin + count : end};
}

/// Slice `index` of `slices` consecutive slices of `count` indices; no slice is larger than another
/// by more than one.
CHARNN_INLINE Range slice_of(size_t count, size_t index, size_t slices) {
  return {count * index / slices, count * (index + 1) / slices};
}

/// How far one worker's slice of the current parallel loop is done. Other workers take pieces of it
/// too.
struct LoopState {
  /// Loops that this worker has begun. Only it reads and writes this.
  alignas(64) uint64_t loops = 0;
  /// Two numbers in one, so that both change in one atomic operation: in the upper bits the loop's
  /// number, in the lower `kPieceBits` how many pieces of this slice are taken. A worker that is
  /// still in an earlier loop, or already in a later one, sees that from the loop's number and
  /// takes nothing by mistake.
  alignas(64) std::atomic<uint64_t> taken{0};

  /// Room for the pieces of the largest sizes. Loop numbers wrap around after 2^36 loops.
  static constexpr int kPieceBits = 28;

  /// Begins loops with the same number as another worker, after loops in which this one had no
  /// part.
  CHARNN_INLINE void skip_to(const LoopState& other) {
    loops = other.loops;
    taken.store(loops << kPieceBits, std::memory_order_relaxed);
  }

  /// Takes the next of this slice's `pieces` in loop number `loop` and writes its index to `piece`.
  /// @returns false where none is left
  CHARNN_INLINE bool take(uint64_t loop, size_t pieces, size_t* piece) {
    const uint64_t first = loop << kPieceBits;
    uint64_t seen = taken.load(std::memory_order_relaxed);
    while (true) {
      // The number of an earlier loop: no piece of this one is taken. Of a later loop: all are.
      // Workers are never far apart, so the sign of the difference is right after the numbers have
      // wrapped around too.
      const bool is_older = static_cast<int64_t>(seen - first) < 0;
      const uint64_t next = is_older ? first : seen;
      const bool is_left = next - first < pieces;
      // An empty slice gets the loop's number as well: none stays so old that the difference
      // overflows.
      if (!is_left && !is_older) return false;
      if (!taken.compare_exchange_weak(seen, is_left ? next + 1 : next, std::memory_order_relaxed))
        continue;
      *piece = next - first;
      return is_left;
    }
  }
};

/// One thread of the team that runs a kernel. All workers of the team call the kernel at the same
/// time, with the same arguments, and go through the same parallel loops and barriers in the same
/// order.
struct Worker {
  size_t index;
  size_t count;  // workers in the team
  void (*wait_at_barrier)(void* team);
  void* team;
  LoopState* loop_states;  // [count]
  /// Becomes true when nobody needs the kernel's results any more; null: they are always needed.
  const std::atomic<bool>* stop = nullptr;

  /// A team of one.
  ///
  /// @param stop that of the worker which turns into it
  CHARNN_INLINE static Worker serial(const std::atomic<bool>* stop = nullptr) {
    return {0, 1, nullptr, nullptr, nullptr, stop};
  }

  CHARNN_INLINE bool is_stopped() const {
    if (stop == nullptr) return false;
#if defined(__wasm__)
    // Nothing else changes the memory of the module while its first thread runs a kernel.
    if (index == 0) charnn_look_for_stop();
#endif
    return stop->load(std::memory_order_relaxed);
  }

  /// Returns when all workers have called it. What they wrote before, all can read after.
  CHARNN_INLINE void barrier() const {
    if (count > 1) wait_at_barrier(team);
  }

  /// This worker's slice of `pieces`: always the same one, for work that is too little to balance.
  CHARNN_INLINE Range slice(size_t pieces) const { return slice_of(pieces, index, count); }

  /// Calls `work(Range)` until all `pieces` are done, each once, up to `grain` of them in a call.
  ///
  /// Each worker first does its own slice, which is the same at every call, so that the weights it
  /// needs stay in its cache. Then it steals pieces from slices that others have not finished: a
  /// core that is slow, or busy with something else, holds up nobody. Which worker does a piece
  /// never changes what the piece writes.
  ///
  /// There is no barrier at the end: others may still be at work. Once the kernel is stopped no
  /// more pieces are begun, but all loops and barriers are still passed, so that all workers reach
  /// the kernel's end.
  template <class Work>
  CHARNN_INLINE void parallel_for(size_t pieces, size_t grain, Work work) const {
    const uint64_t loop = count > 1 ? ++loop_states[index].loops : 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t owner = (index + i) % count;
      const Range whole = slice_of(pieces, owner, count);
      // Groups as even as can be: 4 pieces in groups of up to 3 are two twos, not three and one.
      const size_t groups = (whole.size() + grain - 1) / grain;
      // A single worker counts the groups itself; in a team `take` says which one is next.
      for (size_t g = 0; count > 1 ? loop_states[owner].take(loop, groups, &g) : g < groups; ++g) {
        if (is_stopped()) return;
        const Range group = slice_of(whole.size(), g, groups);
        work(Range{whole.begin + group.begin, whole.begin + group.end});
      }
    }
  }
};

}  // namespace charnn

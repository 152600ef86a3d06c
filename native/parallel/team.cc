#include "parallel/team.h"

namespace charnn {

void Team::resize(size_t size) {
  if (size == size_) return;
  finish();
  // Those that had no part in the last jobs have not counted their loops.
  for (size_t index = size_; index < size; ++index) loop_states_[index].skip_to(*loop_states_);
  size_ = size;
}

void Team::begin(const Job& job) {
  finish();
  job_ = job;
#if defined(__wasm__)
  job_.pages = __builtin_wasm_memory_size(0);
#endif
  if (size_ == 1) return;
  unfinished_ = size_ - 1;
  for (size_t index = 1; index < size_; ++index) {
    seats_[index].job = job_;
    ++seats_[index].jobs;
  }
  sleepers_.wake();
}

void Team::finish() {
  check();
  if (job_.function == nullptr) return;
  do_part(job_, 0);
  wait([&] { return unfinished_ == 0; });
  job_ = {};
}

void Team::take_part(size_t index) {
  const Seat& seat = seats_[index];
  size_t done = 0;
  while (true) {
    wait([&] { return seat.jobs != done || ends_; });
    if (ends_) return;
    ++done;
    learn_memory(seat.job);
    do_part(seat.job, index);
    if (--unfinished_ == 0) sleepers_.wake();
  }
}

void Team::end() {
  ends_ = true;
  sleepers_.wake();
}

#if defined(__wasm__)
void Team::fail() {
  has_failed_ = true;
  sleepers_.wake();
}

void Team::check() const {
  if (has_failed_) charnn_throw_failure();
}

// V8 tells the other threads when one has had the memory grow, and has missed threads that were
// starting just then. Where it checks addresses itself, they could not use what was added.
void Team::learn_memory(const Job& job) {
  // To grow by nothing is to look how large the memory is.
  if (__builtin_wasm_memory_size(0) < job.pages) __builtin_wasm_memory_grow(0, 0);
}
#else
// A fault in a thread of the operating system ends the process.
void Team::check() const {}

void Team::learn_memory(const Job&) {}
#endif

void Team::do_part(const Job& job, size_t index) {
  auto wait = [](void* team) { static_cast<Team*>(team)->barrier(); };
  job.function(job.context, {index, size_, wait, this, loop_states_, job.stop});
}

void Team::barrier() {
  const size_t before = barriers_passed_;
  if (at_barrier_.fetch_add(1) + 1 == size_) {
    at_barrier_ = 0;
    ++barriers_passed_;
    sleepers_.wake();
    return;
  }
  wait([&] { return barriers_passed_ != before; });
}

template <class Predicate>
void Team::wait(Predicate is_done) {
  for (size_t i = 0; i < kLooksBeforeSleep; ++i) {
    if (is_done()) return;
    pause_before_look(i + 1);
  }
#if defined(__wasm__)
  sleepers_.sleep_until([&] { return is_done() || has_failed_; });
#else
  sleepers_.sleep_until(is_done);
#endif
  check();
}

}  // namespace charnn

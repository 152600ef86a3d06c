#include "parallel/team.h"

namespace charnn {

void Team::resize(size_t size) {
  if (size == size_) return;
  finish();
  // Those that had no part in the last jobs have not counted their loops.
  for (size_t index = size_; index < size; ++index) loop_states_[index].skip_to(*loop_states_);
  size_ = size;
}

void Team::begin(Function function, const void* context, const std::atomic<bool>* stop) {
  finish();
  function_ = function;
  context_ = context;
  stop_ = stop;
  if (size_ == 1) return;
  unfinished_ = size_ - 1;
  for (size_t index = 1; index < size_; ++index) ++seats_[index].jobs;
  sleepers_.wake();
}

void Team::finish() {
  if (function_ == nullptr) return;
  function_(context_, worker(0));
  wait(kLooksForOthers, [&] { return unfinished_ == 0; });
  function_ = nullptr;
}

void Team::take_part(size_t index) {
  size_t done = 0;
  while (true) {
    wait(kLooksForWork, [&] { return seats_[index].jobs != done || ends_; });
    if (ends_) return;
    done = seats_[index].jobs;
    function_(context_, worker(index));
    if (--unfinished_ == 0) sleepers_.wake();
  }
}

void Team::end() {
  ends_ = true;
  sleepers_.wake();
}

Worker Team::worker(size_t index) {
  auto wait = [](void* team) { static_cast<Team*>(team)->barrier(); };
  return {index, size_, wait, this, loop_states_, stop_};
}

void Team::barrier() {
  const size_t before = barriers_passed_;
  if (at_barrier_.fetch_add(1) + 1 == size_) {
    at_barrier_ = 0;
    ++barriers_passed_;
    sleepers_.wake();
    return;
  }
  wait(kLooksForOthers, [&] { return barriers_passed_ != before; });
}

template <class Predicate>
void Team::wait(size_t looks, Predicate is_done) {
  for (size_t i = 0; i < looks; ++i) {
    if (is_done()) return;
    pause_before_look(i + 1);
  }
  sleepers_.sleep_until(is_done);
}

}  // namespace charnn

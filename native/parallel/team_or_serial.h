// Whether short, frequent pieces of work run faster on a team or on the calling thread alone.
#pragma once

#include <cstddef>
#include <limits>

namespace charnn {

/// Measures both ways and keeps to the faster one. A team is faster where its threads have cores to
/// themselves; where another process or a quota takes one off its core, all others wait for it,
/// each time for milliseconds.
///
/// Ask `uses_team`, do the work in that way, then `note` how long it took. Both ways must give the
/// same results.
class TeamOrSerial {
 public:
  bool uses_team() const { return uses_team_; }

  /// @param seconds that the last piece of work took
  void note(double seconds) {
    block_seconds_ += seconds;
    ++calls_;
    if (is_trial_) {
      const bool is_lost = block_seconds_ >= usual_;
      if (!is_lost && calls_ < kBlock) return;
      end_trial(is_lost);
    } else {
      if (calls_ < kBlock) return;
      usual_ = block_seconds_;
      if (usual_ < best_) best_ = usual_;
      const bool was_disturbed = is_disturbed_;
      is_disturbed_ = usual_ > kDisturbed * best_;
      if (is_disturbed_ && !was_disturbed) interval_ = 1;
      if (++blocks_since_trial_ >= interval_) begin_trial();
    }
    block_seconds_ = 0;
    calls_ = 0;
  }

 private:
  /// Calls that are measured together.
  static constexpr size_t kBlock = 16;
  /// Blocks between two trials, at most.
  static constexpr size_t kMaxInterval = 1024;
  /// How much longer than the best block one takes when something new holds it up.
  static constexpr double kDisturbed = 2;

  void begin_trial() {
    is_trial_ = true;
    uses_team_ = !uses_team_;
    blocks_since_trial_ = 0;
  }

  void end_trial(bool is_lost) {
    is_trial_ = false;
    if (is_lost) {
      uses_team_ = !uses_team_;
      if (interval_ < kMaxInterval) interval_ *= 2;
    } else {
      best_ = usual_ = block_seconds_;
      is_disturbed_ = false;
      interval_ = 1;
    }
  }

  bool uses_team_ = true;
  /// A trial of the other way lasts a block, or until it has taken longer than a whole block of
  /// this way.
  bool is_trial_ = false;
  size_t calls_ = 0;  // in the current block
  double block_seconds_ = 0;
  /// Of the way that is kept to: its last block and its best.
  double usual_ = 0, best_ = std::numeric_limits<double>::infinity();
  bool is_disturbed_ = false;
  size_t blocks_since_trial_ = 0;
  size_t interval_ = 1;  // blocks between two trials; each that is lost doubles it
};

}  // namespace charnn

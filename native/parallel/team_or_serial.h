// Whether short, frequent pieces of work run faster on a team or on the calling thread alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

namespace charnn {

/// Measures both ways and keeps to the faster one, or to the team where they are about equally
/// fast. A team is faster where its threads have cores to themselves; where another process or a
/// quota takes one off its core, all others wait for it, each time for milliseconds.
///
/// Ask `uses_team`, do the work in that way, then `note` how long it took. Both ways must give the
/// same results.
class TeamOrSerial {
 public:
  bool uses_team() const { return uses_team_; }

  /// @param seconds that the last piece of work took
  void note(double seconds) {
    block_.seconds += seconds;
    ++block_.calls;
    if (is_trial_) note_trial();
    else if (block_.seconds >= kMinSeconds && block_.calls >= kMinCalls) note_usual();
  }

 private:
  /// Calls that are measured together.
  struct Block {
    double seconds = 0;
    size_t calls = 0;

    double per_call() const { return seconds / static_cast<double>(calls); }
  };

  /// What a block has at least. The system takes a processor away for milliseconds now and then,
  /// which must not make a block look disturbed.
  static constexpr double kMinSeconds = 0.05;
  static constexpr size_t kMinCalls = 16;
  /// Blocks between two trials, at most.
  static constexpr size_t kMaxInterval = 64;
  /// The serial way must take less than this part of the team's time to be kept to.
  static constexpr double kSerialGains = 0.8;
  /// How much longer than the best block one takes when something new holds it up.
  static constexpr double kDisturbed = 2;
  /// How much longer than usual the calls of a trial take when it is given up early.
  static constexpr double kHopeless = 1.5;

  void note_usual() {
    usual_ = block_;
    best_per_call_ = std::min(best_per_call_, block_.per_call());
    const bool was_disturbed = is_disturbed_;
    is_disturbed_ = block_.per_call() > kDisturbed * best_per_call_;
    if (is_disturbed_ && !was_disturbed) interval_ = 1;
    block_ = {};
    if (++blocks_since_trial_ >= interval_) begin_trial();
  }

  void begin_trial() {
    is_trial_ = true;
    uses_team_ = !uses_team_;
    blocks_since_trial_ = 0;
  }

  void note_trial() {
    const bool is_lost =
        block_.seconds >= (uses_team_ ? 1 : kSerialGains) * usual_.seconds ||
        (block_.calls == kMinCalls && block_.per_call() > kHopeless * usual_.per_call());
    if (!is_lost && block_.calls < usual_.calls) return;
    is_trial_ = false;
    if (is_lost) {
      uses_team_ = !uses_team_;
      interval_ = std::min(2 * interval_, kMaxInterval);
    } else {
      usual_ = block_;
      best_per_call_ = block_.per_call();
      is_disturbed_ = false;
      interval_ = 1;
    }
    block_ = {};
  }

  bool uses_team_ = true;
  /// A trial of the other way lasts as many calls as a block of the usual way, or until it is lost.
  bool is_trial_ = false;
  Block block_;  // the current one
  /// Of the way that is kept to.
  Block usual_;  // the last one
  double best_per_call_ = std::numeric_limits<double>::infinity();
  bool is_disturbed_ = false;
  size_t blocks_since_trial_ = 0;
  size_t interval_ = 1;  // blocks between two trials; each that is lost doubles it
};

}  // namespace charnn

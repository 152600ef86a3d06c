// The processes that one launcher has started, each of which runs this: how many they are, and
// bytes that move between all of them. What is done with the bytes is the caller's.
//
// All processes call the same functions in the same order; a call returns when its part is done,
// and waits for the others until then. An error in MPI itself ends all processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mpi/library.h"

namespace charnn {

/// All calls are made by the thread that has made the object; a process can make one only.
class Mpi {
 public:
  /// Loads a library (mpi/library.h) and starts MPI. If the process ends after that without
  /// `finalize`, in any way but by a signal, it ends all the others too, which would wait for it.
  /// Throws MpiUnavailable.
  explicit Mpi(const std::vector<std::string>& libraries);
  Mpi(const Mpi&) = delete;
  Mpi& operator=(const Mpi&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  const std::string& file() const { return library_.file; }
  /// What the library says of itself, in one line or several.
  std::string library_version() const;

  /// Sends each process its part of `sent`, and gets one from each into `received`. Parts follow
  /// each other in the order of ranks and may be empty.
  /// @param sent_lengths, received_lengths of all parts in bytes, [size]; both ends of a transfer
  ///     give the same. Either sum is INT_MAX at most.
  void exchange(const uint8_t* sent, const int* sent_lengths, uint8_t* received,
                const int* received_lengths);
  /// Gets a part from each process, in the order of ranks.
  /// @param own of `lengths[rank]` bytes, not a part of `received`
  /// @param lengths of all parts, [size], the same in all processes; their sum is INT_MAX at most
  void gather(const uint8_t* own, uint8_t* received, const int* lengths);
  /// Overwrites `bytes` by those of the process `root`; they are as many in all processes.
  void broadcast(uint8_t* bytes, size_t length, int root);

  /// Ends all processes, this one too.
  [[noreturn]] void abort(int code);
  /// Waits for the others to do so too; nothing may be called after it.
  void finalize();

 private:
  MpiLibrary library_;
  int rank_ = 0;
  int size_ = 1;
  std::vector<int> sent_begins_;
  std::vector<int> received_begins_;
};

}  // namespace charnn

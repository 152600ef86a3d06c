// An MPI library, loaded when it is asked for: the addon is linked with none, and compiled without
// the header of any.
//
// The functions of MPI are the same in all libraries, but not what programs pass to them: a handle
// is an int in some and a pointer in others, and constants differ. Bytes that move between all
// processes need only nine functions and three constants.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace charnn {

/// No MPI library loads: why not, for each that was tried.
struct MpiUnavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An int or a pointer. On the processors and systems of the addon an argument of either type is in
/// the lower bytes of the same register, or of the same place on the stack.
using MpiHandle = uintptr_t;

/// Functions as the standard defines them (MPI: A Message-Passing Interface Standard, version 4.1),
/// by their names without the prefix. Each returns 0 where it succeeds.
struct MpiFunctions {
  int (*Init_thread)(int* argc, char*** argv, int required, int* provided);
  int (*Finalize)();
  int (*Abort)(MpiHandle comm, int error_code);
  int (*Comm_rank)(MpiHandle comm, int* rank);
  int (*Comm_size)(MpiHandle comm, int* size);
  int (*Alltoallv)(const void* sent, const int* sent_counts, const int* sent_begins,
                   MpiHandle sent_type, void* received, const int* received_counts,
                   const int* received_begins, MpiHandle received_type, MpiHandle comm);
  int (*Allgatherv)(const void* sent, int sent_count, MpiHandle sent_type, void* received,
                    const int* received_counts, const int* received_begins, MpiHandle received_type,
                    MpiHandle comm);
  int (*Bcast)(void* buffer, int count, MpiHandle type, int root, MpiHandle comm);
  int (*Get_library_version)(char* version, int* length);
};

struct MpiLibrary {
  MpiFunctions functions;
  /// MPI_COMM_WORLD, MPI_BYTE and MPI_THREAD_FUNNELED.
  MpiHandle world;
  MpiHandle byte;
  int funneled;
  /// The path of its file.
  std::string file;
};

/// Loads the first of these libraries that is there and has all functions; it stays loaded.
/// @param names as dlopen takes them: paths, or names that the system's loader looks for
MpiLibrary load_mpi(const std::vector<std::string>& names);

}  // namespace charnn

#include "mpi/mpi.h"

#include <algorithm>
#include <cstdlib>

namespace charnn {
namespace {

/// The most that one call of MPI broadcasts, which counts in ints.
constexpr size_t kSlice = size_t{64} << 20;

/// At least MPI_MAX_LIBRARY_VERSION_STRING, which is 256 to 8192.
constexpr size_t kLongestVersion = 16384;

/// MPI_Abort and MPI_COMM_WORLD while MPI is started and not finalized.
struct {
  decltype(MpiFunctions::Abort) Abort = nullptr;
  MpiHandle world = 0;
} unfinished;

/// Run by `atexit`: Node runs the clean-up hooks of addons only where its event loop has nothing
/// left to do, not after `process.exit` and not after an error that nobody catches.
void abort_unfinished() {
  if (unfinished.Abort != nullptr) unfinished.Abort(unfinished.world, EXIT_FAILURE);
}

void check(int status, const char* name) {
  if (status != 0)
    throw std::runtime_error(std::string(name) + " failed with the code " + std::to_string(status));
}

/// Where parts begin that follow each other.
void set_begins(const int* lengths, std::vector<int>& begins) {
  int begin = 0;
  for (size_t rank = 0; rank < begins.size(); ++rank) {
    begins[rank] = begin;
    begin += lengths[rank];
  }
}

}  // namespace

Mpi::Mpi(const std::vector<std::string>& libraries) : library_(load_mpi(libraries)) {
  const MpiFunctions& mpi = library_.functions;
  int provided;
  check(mpi.Init_thread(nullptr, nullptr, library_.funneled, &provided), "MPI_Init_thread");
  unfinished = {mpi.Abort, library_.world};
  std::atexit(abort_unfinished);
  check(mpi.Comm_rank(library_.world, &rank_), "MPI_Comm_rank");
  check(mpi.Comm_size(library_.world, &size_), "MPI_Comm_size");
  sent_begins_.resize(static_cast<size_t>(size_));
  received_begins_.resize(static_cast<size_t>(size_));
}

std::string Mpi::library_version() const {
  std::vector<char> version(kLongestVersion);
  int length = 0;
  check(library_.functions.Get_library_version(version.data(), &length), "MPI_Get_library_version");
  return version.data();
}

void Mpi::exchange(const uint8_t* sent, const int* sent_lengths, uint8_t* received,
                   const int* received_lengths) {
  set_begins(sent_lengths, sent_begins_);
  set_begins(received_lengths, received_begins_);
  const MpiHandle byte = library_.byte;
  check(
      library_.functions.Alltoallv(sent, sent_lengths, sent_begins_.data(), byte, received,
                                   received_lengths, received_begins_.data(), byte, library_.world),
      "MPI_Alltoallv");
}

void Mpi::gather(const uint8_t* own, uint8_t* received, const int* lengths) {
  set_begins(lengths, received_begins_);
  check(library_.functions.Allgatherv(own, lengths[rank_], library_.byte, received, lengths,
                                      received_begins_.data(), library_.byte, library_.world),
        "MPI_Allgatherv");
}

void Mpi::broadcast(uint8_t* bytes, size_t length, int root) {
  for (size_t begin = 0; begin < length; begin += kSlice) {
    const int count = static_cast<int>(std::min(kSlice, length - begin));
    check(library_.functions.Bcast(bytes + begin, count, library_.byte, root, library_.world),
          "MPI_Bcast");
  }
}

void Mpi::abort(int code) {
  unfinished = {};
  library_.functions.Abort(library_.world, code);
  std::_Exit(code);
}

void Mpi::finalize() {
  // Whatever fails in it fails in all processes.
  unfinished = {};
  check(library_.functions.Finalize(), "MPI_Finalize");
}

}  // namespace charnn

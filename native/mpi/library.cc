#include "mpi/library.h"

#if !defined(_WIN32)
#include <dlfcn.h>
#include <stdlib.h>
#endif

namespace charnn {

#if defined(_WIN32)
MpiLibrary load_mpi(const std::vector<std::string>&) {
  throw MpiUnavailable("charnn does not support MPI on Windows");
}
#else
namespace {

static_assert(sizeof(void*) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "an int must be the lower half of a handle");

/// Throws MpiUnavailable where `library` has no such symbol.
void* look_up(void* library, const char* name) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) throw MpiUnavailable(std::string("it has no ") + name);
  return symbol;
}

template <class Function>
void look_up(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(look_up(library, name));
}

/// Of the standard binary interface, which MPI 5.0 defines; 0 where the library has another.
int standard_abi(void* library) {
  using Function = int (*)(int* major, int* minor);
  const auto get_version = reinterpret_cast<Function>(dlsym(library, "MPI_Abi_get_version"));
  int major = 0, minor = 0;
  return get_version != nullptr && get_version(&major, &minor) == 0 ? major : 0;
}

void set_constants(void* library, MpiLibrary& mpi) {
  if (standard_abi(library) > 0) {
    mpi.world = 0x101;
    mpi.byte = 0x247;
    mpi.funneled = 1024;
  } else if (void* world = dlsym(library, "ompi_mpi_comm_world")) {
    // Open MPI, whose handles are addresses of objects in the library.
    mpi.world = reinterpret_cast<MpiHandle>(world);
    mpi.byte = reinterpret_cast<MpiHandle>(look_up(library, "ompi_mpi_byte"));
    mpi.funneled = 1;
  } else {
    // MPICH, and those that promise to be compatible with it: Intel MPI, Cray MPT, MVAPICH.
    mpi.world = 0x44000000;
    mpi.byte = 0x4c00010d;
    mpi.funneled = 1;
  }
}

MpiLibrary read_library(void* library) {
  MpiLibrary mpi;
#define CHARNN_LOOK_UP(name) look_up(library, "MPI_" #name, mpi.functions.name)
  CHARNN_LOOK_UP(Init_thread);
  CHARNN_LOOK_UP(Finalize);
  CHARNN_LOOK_UP(Abort);
  CHARNN_LOOK_UP(Comm_rank);
  CHARNN_LOOK_UP(Comm_size);
  CHARNN_LOOK_UP(Alltoallv);
  CHARNN_LOOK_UP(Allgatherv);
  CHARNN_LOOK_UP(Bcast);
  CHARNN_LOOK_UP(Get_library_version);
#undef CHARNN_LOOK_UP
  set_constants(library, mpi);
  return mpi;
}

}  // namespace

MpiLibrary load_mpi(const std::vector<std::string>& names) {
  // UCX, which moves the bytes of many MPIs, tests its memory hooks when it is loaded: it has the
  // heap grow by a page and shrink again (ucm_fire_mmap_events_internal in its mmap/install.c, UCX
  // 1.13 and later ones). Where the heap can't grow, since V8's code happens to follow it, that
  // takes away a page that is in use. Without hooks it registers memory with a network card at each
  // use.
  setenv("UCX_MEM_EVENTS", "no", 0);
  // MPICH passes what MPI_Allgatherv gathers round in a ring, in pieces of 32 KiB: that only helps
  // where processes have much and little, and every piece waits for a process to be scheduled.
  setenv("MPIR_CVAR_ALLGATHERV_PIPELINE_MSG_SIZE", "2147483647", 0);
  std::string reasons;
  const auto add_reason = [&](const std::string& reason) {
    if (!reasons.empty()) reasons += "; ";
    reasons += reason;
  };
  for (const std::string& name : names) {
    // Global, since the plugins of older Open MPIs look for its symbols there (issue 3705 of Open
    // MPI).
    void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) {
      // Names the file.
      add_reason(dlerror());
      continue;
    }
    try {
      MpiLibrary mpi = read_library(library);
      Dl_info place;
      const bool is_known = dladdr(reinterpret_cast<void*>(mpi.functions.Init_thread), &place) != 0;
      mpi.file = is_known ? place.dli_fname : name;
      return mpi;
    } catch (const MpiUnavailable& error) {
      add_reason(name + ": " + error.what());
    }
  }
  throw MpiUnavailable(reasons);
}
#endif

}  // namespace charnn

// A lock on a file that the operating system drops with the process that has it.
#include "addon/functions.h"
#include "addon/values.h"

#if !defined(_WIN32)
#include <sys/file.h>

#include <cerrno>
#endif

namespace charnn {
namespace {

#if defined(_WIN32)
/// Windows has locks, but renames no folder with an open file in it, as a run's lock is.
const char* lock(int, bool) { return "unsupported"; }
#else
/// Network file systems that have locks of byte ranges only map this one to them.
const char* lock(int descriptor, bool shared) {
  int result;
  do {
    result = flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return "taken";
  if (errno == EWOULDBLOCK) return "held";
  if (errno == EBADF) throw BadArgument("descriptor must be that of an open file.");
  // The other errors mean that this file system has no locks (FUSE), no lock server, or no locks on
  // files that are open for reading only.
  return "unsupported";
}
#endif

}  // namespace

napi_value lock_file(napi_env env, const Arguments& arguments) {
  const size_t descriptor = arguments.size("descriptor", 0, INT32_MAX);
  const bool shared = arguments.flag("shared");
  return make_text(env, lock(static_cast<int>(descriptor), shared));
}

}  // namespace charnn

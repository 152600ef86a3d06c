// A lock on a file that the operating system drops with the process that has it.
#include "addon/functions.h"
#include "addon/values.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <sys/file.h>

#include <cerrno>
#endif

namespace charnn {
namespace {

constexpr char kNotOpen[] = "descriptor must be that of an open file.";

#if defined(_WIN32)
/// Windows lets nobody else read or write what is locked: a byte that no file has.
constexpr DWORD kUpperHalfOfOffset = 0x40000000;

/// A descriptor means something only to the C library that has opened the file, which is Node's:
/// libuv translates it.
HANDLE handle_of(int descriptor) {
  using Translate = HANDLE (*)(int);
  const auto translate = reinterpret_cast<Translate>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(nullptr), "uv_get_osfhandle")));
  return translate == nullptr ? nullptr : translate(descriptor);
}

const char* lock(int descriptor, bool shared) {
  const HANDLE file = handle_of(descriptor);
  if (file == nullptr) return "unsupported";
  if (file == INVALID_HANDLE_VALUE) throw BadArgument(kNotOpen);
  OVERLAPPED place = {};
  place.OffsetHigh = kUpperHalfOfOffset;
  const DWORD flags = LOCKFILE_FAIL_IMMEDIATELY | (shared ? 0 : LOCKFILE_EXCLUSIVE_LOCK);
  if (LockFileEx(file, flags, 0, 1, 0, &place)) return "taken";
  const DWORD error = GetLastError();
  return error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING ? "held" : "unsupported";
}
#else
/// Network file systems that have locks of byte ranges only map this one to them.
const char* lock(int descriptor, bool shared) {
  int result;
  do {
    result = flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return "taken";
  if (errno == EWOULDBLOCK) return "held";
  if (errno == EBADF) throw BadArgument(kNotOpen);
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

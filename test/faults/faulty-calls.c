/*
 * Preloaded into a program, makes one of its calls of the system fail, or all from one on.
 *
 *     FAULT_IN      a part of the paths that count
 *     FAULT_AT      the number of the call at which it happens, from 1
 *     FAULT_DO      an errno; "short" (half of what is to be written or read); "kill"; "killed" (after it);
 *                   "stop" (until it is continued)
 *     FAULT_ON      what counts: letters of o(pen) w(rite) r(ead) s(ync) c(lose) m(ove, remove, make)
 *     FAULT_ALWAYS  every later one too
 *     FAULT_LOG     a file that gets a line for each fault: the call's number and letter, what was done, the path
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096

static const char *part, *on, *action, *log_path;
static long at;
static int always, number;
static atomic_long calls;
static atomic_char watched[MOST_FILES];

static long system_call(long which, ...) {
  static long (*real)(long, ...);
  if (!real) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  long a[6];
  va_list list;
  va_start(list, which);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  return real(which, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
  part = getenv("FAULT_IN");
  on = getenv("FAULT_ON");
  action = getenv("FAULT_DO");
  log_path = getenv("FAULT_LOG");
  at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
  always = getenv("FAULT_ALWAYS") != NULL;
  number = action ? atoi(action) : 0;
}

static int is_ours(const char *path) { return part && path && strstr(path, part) != NULL; }
static int is_watched(int file) { return file >= 0 && file < MOST_FILES && watched[file]; }
static void watch(int file, int yes) {
  if (file >= 0 && file < MOST_FILES) watched[file] = (char)yes;
}

/* A call on an open file has its number in place of a path. */
static void note(long call, char kind, const char *path, int open_file) {
  char link[64], opened[4096] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", open_file);
  if (!path && readlink(link, opened, sizeof opened - 1) >= 0) path = opened;
  char line[4224];
  int length = snprintf(line, sizeof line, "%ld %c %s %s\n", call, kind, action, path ? path : "");
  if (!log_path) return;
  long file = system_call(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file < 0) return;
  system_call(SYS_write, file, line, (size_t)length);
  system_call(SYS_close, file);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

enum fault { NONE, FAIL, SHORT, DIE_AFTER };

/* What happens at a call. */
static enum fault fault_at(char kind, const char *path, int open_file) {
  if (!action || !on || !strchr(on, kind)) return NONE;
  long call = atomic_fetch_add(&calls, 1) + 1;
  if (call != at && !(always && call > at)) return NONE;
  note(call, kind, path, open_file);
  if (strcmp(action, "kill") == 0) die();
  if (strcmp(action, "stop") == 0) {
    kill(getpid(), SIGSTOP);
    return NONE;
  }
  if (strcmp(action, "killed") == 0) return DIE_AFTER;
  if (strcmp(action, "short") == 0) return SHORT;
  errno = number;
  return FAIL;
}

#define GUARDED(fault_here, call)         \
  enum fault fault = fault_here;          \
  if (fault == FAIL) return -1;           \
  long result = (long)(call);             \
  if (fault == DIE_AFTER) die();          \
  return (__typeof__(call))result;
#define AT_PATH(kind, path) (is_ours(path) ? fault_at(kind, path, -1) : NONE)
#define AT_FILE(kind, file) (is_watched(file) ? fault_at(kind, NULL, file) : NONE)

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  int ours = is_ours(path);
  enum fault fault = AT_PATH('o', path);
  if (fault == FAIL) return -1;
  int file = REAL(open64)(path, flags, mode);
  if (fault == DIE_AFTER) die();
  watch(file, ours);
  return file;
}

static int close_file(int file) {
  enum fault fault = AT_FILE('c', file);
  watch(file, 0);
  int result = (int)system_call(SYS_close, file);
  if (fault == DIE_AFTER) die();
  if (fault == FAIL) {
    errno = number;
    return -1;
  }
  return result;
}

int close(int file) { return close_file(file); }

#define TRANSFER(name, kind, parameters, whole, half)            \
  ssize_t name parameters {                                      \
    enum fault fault = AT_FILE(kind, file);                      \
    if (fault == FAIL) return -1;                                \
    ssize_t result = fault == SHORT ? (half) : (whole);          \
    if (fault == DIE_AFTER) die();                               \
    return result;                                               \
  }

#define HALF(size) ((size) > 1 ? (size) / 2 : (size))

TRANSFER(write, 'w', (int file, const void *data, size_t size), system_call(SYS_write, file, data, size),
         system_call(SYS_write, file, data, HALF(size)))
TRANSFER(pwrite64, 'w', (int file, const void *data, size_t size, off64_t place),
         system_call(SYS_pwrite64, file, data, size, place),
         system_call(SYS_pwrite64, file, data, HALF(size), place))
TRANSFER(read, 'r', (int file, void *data, size_t size), system_call(SYS_read, file, data, size),
         system_call(SYS_read, file, data, HALF(size)))
TRANSFER(pread64, 'r', (int file, void *data, size_t size, off64_t place),
         system_call(SYS_pread64, file, data, size, place),
         system_call(SYS_pread64, file, data, HALF(size), place))
TRANSFER(writev, 'w', (int file, const struct iovec *parts, int count),
         REAL(writev)(file, parts, count), system_call(SYS_write, file, parts->iov_base, HALF(parts->iov_len)))
TRANSFER(pwritev64, 'w', (int file, const struct iovec *parts, int count, off64_t place),
         REAL(pwritev64)(file, parts, count, place),
         system_call(SYS_pwrite64, file, parts->iov_base, HALF(parts->iov_len), place))

int fsync(int file) { GUARDED(AT_FILE('s', file), (int)system_call(SYS_fsync, file)) }
int fdatasync(int file) { GUARDED(AT_FILE('s', file), (int)system_call(SYS_fdatasync, file)) }
int rename(const char *from, const char *to) { GUARDED(AT_PATH('m', to), REAL(rename)(from, to)) }
int unlink(const char *path) { GUARDED(AT_PATH('m', path), REAL(unlink)(path)) }
int rmdir(const char *path) { GUARDED(AT_PATH('m', path), REAL(rmdir)(path)) }
int mkdir(const char *path, mode_t mode) { GUARDED(AT_PATH('m', path), REAL(mkdir)(path, mode)) }
int scandir64(const char *path, struct dirent64 ***names, int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **)) {
  GUARDED(AT_PATH('o', path), REAL(scandir64)(path, names, filter, compare))
}

/* libuv closes files by number. */
long syscall(long which, ...) {
  long a[6];
  va_list list;
  va_start(list, which);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  if (which == SYS_close) return close_file((int)a[0]);
  return system_call(which, a[0], a[1], a[2], a[3], a[4], a[5]);
}

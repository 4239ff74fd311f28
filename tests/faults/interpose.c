/* Stands between a process and its files: at the n-th change below one folder the call fails, or the process dies.
 *
 * Loaded with LD_PRELOAD; whatever library writes (HDF5, LMDB, Arrow, Python), it goes through here. A change is a
 * write, a sync, a rename, a removal, a truncation, or the making of a file or folder.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, KILL, FULL, FAIL, TEAR, LOSE };

static char root[PATH_MAX];
static long at, seen;
static int kind, log_fd = -1, only_protocol;

/* From now on changes below `folder` are counted, writes too unless only the protocol is; number `n` of them goes wrong in
 * the way of `how`. */
void interpose_arm(const char *folder, long n, int how, int log, int protocol) {
  strncpy(root, folder, sizeof root - 1);
  at = n;
  kind = how;
  seen = 0;
  log_fd = log;
  only_protocol = protocol;
}

long interpose_seen(void) { return seen; }

static void note(const char *what, const char *path, const char *other) {
  if (log_fd >= 0) dprintf(log_fd, "%s\t%s\t%s\n", what, path, other);
}

/* What is to happen to this call: COUNT lets it through. */
static int fate(const char *what, const char *path, const char *other) {
  if (!root[0] || strncmp(path, root, strlen(root)) != 0) return COUNT;
  if (only_protocol && strcmp(what, "write") == 0) return kind == FULL && at && seen >= at ? FULL : COUNT;
  note(what, path, other);
  seen++;
  if (kind == FULL) return at && seen >= at && strcmp(what, "unlink") != 0 ? FULL : COUNT;
  if (seen != at) return COUNT;
  if (kind == KILL) kill(getpid(), SIGKILL);
  return kind;
}

static int fate_of(const char *what, int fd) {
  char link[64], path[PATH_MAX];
  if (!root[0]) return COUNT;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return COUNT;
  path[n] = 0;
  return fate(what, path, "");
}

static int refused(int what) {
  if (what == FULL) errno = ENOSPC;
  else if (what != COUNT) errno = EIO;
  return what == FULL || what == FAIL;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Of a write that tears half the bytes get there before the process dies; of one that is lost none do. */
#define WRITTEN(part, all, call_part, call_all)        \
  do {                                                 \
    int f = fate_of("write", fd);                      \
    if (refused(f)) return -1;                         \
    if (f == LOSE) return (ssize_t)(all);              \
    if (f == TEAR) {                                   \
      size_t half = (part) / 2;                        \
      if (half) call_part;                             \
      kill(getpid(), SIGKILL);                         \
    }                                                  \
    return call_all;                                   \
  } while (0)

static size_t length(const struct iovec *v, int n) {
  size_t all = 0;
  for (int i = 0; i < n; i++) all += v[i].iov_len;
  return all;
}

ssize_t write(int fd, const void *b, size_t n) {
  WRITTEN(n, n, NEXT(write)(fd, b, half), NEXT(write)(fd, b, n));
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
  WRITTEN(n, n, NEXT(pwrite)(fd, b, half, o), NEXT(pwrite)(fd, b, n, o));
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
  WRITTEN(n, n, NEXT(pwrite64)(fd, b, half, o), NEXT(pwrite64)(fd, b, n, o));
}
ssize_t writev(int fd, const struct iovec *v, int n) {
  WRITTEN(v[0].iov_len, length(v, n), NEXT(write)(fd, v[0].iov_base, half), NEXT(writev)(fd, v, n));
}
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t o) {
  WRITTEN(v[0].iov_len, length(v, n), NEXT(pwrite)(fd, v[0].iov_base, half, o), NEXT(pwritev)(fd, v, n, o));
}
ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t o) {
  WRITTEN(v[0].iov_len, length(v, n), NEXT(pwrite64)(fd, v[0].iov_base, half, o), NEXT(pwritev64)(fd, v, n, o));
}

#define SYNCED(name)                                        \
  int name(int fd) {                                        \
    return refused(fate_of("sync", fd)) ? -1 : NEXT(name)(fd); \
  }
SYNCED(fsync)
SYNCED(fdatasync)

int ftruncate(int fd, off_t n) { return refused(fate_of("truncate", fd)) ? -1 : NEXT(ftruncate)(fd, n); }
int ftruncate64(int fd, off64_t n) { return refused(fate_of("truncate", fd)) ? -1 : NEXT(ftruncate64)(fd, n); }
int rename(const char *a, const char *b) { return refused(fate("rename", a, b)) ? -1 : NEXT(rename)(a, b); }
int unlink(const char *a) { return refused(fate("unlink", a, "")) ? -1 : NEXT(unlink)(a); }
int mkdir(const char *a, mode_t m) { return refused(fate("mkdir", a, "")) ? -1 : NEXT(mkdir)(a, m); }

#define OPENED(name)                                                              \
  int name(const char *path, int flags, ...) {                                    \
    va_list more;                                                                 \
    va_start(more, flags);                                                        \
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, int) : 0;             \
    va_end(more);                                                                 \
    if (flags & O_CREAT && refused(fate("open", path, ""))) return -1;            \
    return NEXT(name)(path, flags, mode);                                         \
  }
OPENED(open)
OPENED(open64)

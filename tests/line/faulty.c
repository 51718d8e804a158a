/* A disk and a clock that fail on command, put before libc by LD_PRELOAD. Only calls on files
 * whose path has "ledger.db" in it count; a read-only disk is one for the whole data directory.
 *
 *   FAULTY_WRITE=N   the Nth write and all after it find no room
 *   FAULTY_SYNC=N    the Nth fsync or fdatasync and all after it fail with an I/O error
 *   FAULTY_READ=N    the Nth pread and all after it fail with an I/O error
 *   FAULTY_OPEN=1    nothing below a directory named "data" can be opened to be written
 *   FAULTY_CLOCK=S   the wall clock is S seconds off
 *   FAULTY_THREAD=N  the Nth thread and all after it are not to be had
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_ledger(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "ledger.db") != NULL;
}

/* Whether a call of this kind is to fail now. */
static int strikes(const char *name, atomic_long *count, int fd) {
    const char *text = getenv(name);
    if (!text || !is_ledger(fd)) return 0;
    return atomic_fetch_add(count, 1) + 1 >= atol(text);
}

static atomic_long writes, syncs, reads;

#define FAILING_WRITE(name, ...)                                                                   \
    if (strikes("FAULTY_WRITE", &writes, fd)) {                                                    \
        errno = ENOSPC;                                                                            \
        return -1;                                                                                 \
    }                                                                                              \
    return NEXT(name)(__VA_ARGS__);

ssize_t write(int fd, const void *from, size_t size) { FAILING_WRITE(write, fd, from, size) }

ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    FAILING_WRITE(pwrite, fd, from, size, at)
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    FAILING_WRITE(pwrite64, fd, from, size, at)
}

#define FAILING(name, count, call, ...)                                                            \
    if (strikes(name, &count, fd)) {                                                               \
        errno = EIO;                                                                               \
        return -1;                                                                                 \
    }                                                                                              \
    return NEXT(call)(__VA_ARGS__);

int fsync(int fd) { FAILING("FAULTY_SYNC", syncs, fsync, fd) }

int fdatasync(int fd) { FAILING("FAULTY_SYNC", syncs, fdatasync, fd) }

ssize_t read(int fd, void *to, size_t size) { FAILING("FAULTY_READ", reads, read, fd, to, size) }

ssize_t pread(int fd, void *to, size_t size, off_t at) {
    FAILING("FAULTY_READ", reads, pread, fd, to, size, at)
}

ssize_t pread64(int fd, void *to, size_t size, off64_t at) {
    FAILING("FAULTY_READ", reads, pread64, fd, to, size, at)
}

static int is_shut(const char *path, int flags) {
    int writes_to = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    return writes_to && getenv("FAULTY_OPEN") && strstr(path, "/data/") != NULL;
}

#define OPENING(call, ...)                                                                         \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                         \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }                                                                                              \
    if (is_shut(path, flags)) {                                                                    \
        errno = EROFS;                                                                             \
        return -1;                                                                                 \
    }                                                                                              \
    return NEXT(call)(__VA_ARGS__, flags, mode);

int open(const char *path, int flags, ...) { OPENING(open, path) }

int open64(const char *path, int flags, ...) { OPENING(open64, path) }

int openat(int dir, const char *path, int flags, ...) { OPENING(openat, dir, path) }

int openat64(int dir, const char *path, int flags, ...) { OPENING(openat64, dir, path) }

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *), void *arg) {
    static atomic_long threads;
    const char *text = getenv("FAULTY_THREAD");
    if (text && atomic_fetch_add(&threads, 1) + 1 >= atol(text)) return EAGAIN;
    return NEXT(pthread_create)(thread, how, start, arg);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = NEXT(clock_gettime)(clock, now);
    const char *text = getenv("FAULTY_CLOCK");
    if (done == 0 && clock == CLOCK_REALTIME && text) now->tv_sec += atol(text);
    return done;
}

/* A disk that is full from the n-th write on, for files below one folder; loaded with LD_PRELOAD.
   Writes, syncs, truncations and allocations are counted alike. Where `helps` is set there is room
   again once a large file without a name is closed: so ends the ballast of a run. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define LARGE (32L << 20)

static char below[PATH_MAX];
static long first = -1, calls;
static int helps;

void full_arm(const char *folder, long number, int ballast_helps)
{
    snprintf(below, sizeof below, "%s/", folder);
    helps = ballast_helps;
    __atomic_store_n(&calls, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&first, number, __ATOMIC_SEQ_CST);
}

long full_calls(void) { return __atomic_load_n(&calls, __ATOMIC_SEQ_CST); }

static int concerns(int fd)
{
    char link[64], path[PATH_MAX];
    if (!below[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    return length > 0 && !strncmp(path, below, strlen(below));
}

static int is_full(int fd)
{
    if (!concerns(fd))
        return 0;
    long now = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    long from = __atomic_load_n(&first, __ATOMIC_SEQ_CST);
    return from > 0 && now >= from;
}

#define MEETS(result, name, failed, params, args)                        \
    result name params                                                   \
    {                                                                    \
        result(*next) params = (result(*) params)dlsym(RTLD_NEXT, #name); \
        if (is_full(fd)) {                                               \
            errno = ENOSPC;                                              \
            return failed;                                               \
        }                                                                \
        return next args;                                                \
    }

MEETS(ssize_t, write, -1, (int fd, const void *data, size_t n), (fd, data, n))
MEETS(ssize_t, pwrite, -1, (int fd, const void *data, size_t n, off_t at), (fd, data, n, at))
MEETS(ssize_t, pwrite64, -1, (int fd, const void *data, size_t n, off64_t at), (fd, data, n, at))
MEETS(int, fsync, -1, (int fd), (fd))
MEETS(int, fdatasync, -1, (int fd), (fd))
MEETS(int, ftruncate, -1, (int fd, off_t size), (fd, size))
MEETS(int, ftruncate64, -1, (int fd, off64_t size), (fd, size))
MEETS(int, posix_fallocate, ENOSPC, (int fd, off_t at, off_t n), (fd, at, n))
MEETS(int, posix_fallocate64, ENOSPC, (int fd, off64_t at, off64_t n), (fd, at, n))

int close(int fd)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
    struct stat about;
    if (helps && concerns(fd) && !fstat(fd, &about) && !about.st_nlink && about.st_size >= LARGE)
        __atomic_store_n(&first, -1, __ATOMIC_SEQ_CST);
    return next(fd);
}

/* Remembers what a power cut would leave: preloaded into the station by tests/cuts.
 *
 * Below POWER_ROOT only what was synced is durable: a file's bytes as they were at its last
 * fsync or fdatasync, a directory's entries as they were at its own. Both are copied to
 * POWER_SHADOW, under an identity that survives a rename, and `power.rs` puts a tree together
 * from them. What is there when the process starts counts as synced. The sync itself is left
 * out: the copy stands for it.
 *
 * With POWER_FAIL=N, the Nth sync of the ledger's log fails with EIO, and nothing of it counts
 * as synced; those after it succeed, as they do on Linux.
 *
 * With POWER_DEAF=NAME, syncs of files whose path ends in NAME are not remembered, as on a
 * disk that lies, or under SQLite's synchronous=OFF.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Large enough for a path of each part. */
#define PATH (2 * PATH_MAX)

static const char *root;
static const char *shadow;
static const char *deaf;

/* Counts down to the sync that fails; 0 is none. */
static atomic_long failing;

/* A file or directory as itself, whatever it is called: inode numbers are used again, so the
 * time of birth belongs to it. */
struct identity {
    char text[64];
    unsigned mode;
};

static int identify(int at, const char *path, struct identity *into)
{
    struct statx found;
    int flags = AT_SYMLINK_NOFOLLOW | (path[0] ? 0 : AT_EMPTY_PATH);
    if (statx(at, path, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0)
        return -1;
    snprintf(into->text, sizeof into->text, "%llx-%llx-%x", (unsigned long long)found.stx_ino,
             (unsigned long long)found.stx_btime.tv_sec, found.stx_btime.tv_nsec);
    into->mode = found.stx_mode;
    return 0;
}

/* Writes a copy beside its place and renames it there: a kill leaves the old one or the new. */
static int shadow_file(char *temporary, const char *name)
{
    snprintf(temporary, PATH, "%s/.%s.%ld", shadow, name, (long)syscall(SYS_gettid));
    return open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void keep(const char *temporary, const char *name)
{
    char place[PATH];
    snprintf(place, sizeof place, "%s/%s", shadow, name);
    if (rename(temporary, place) != 0)
        abort();
}

static void remember_file(const char *path, const struct identity *file)
{
    char temporary[PATH], buffer[1 << 16];
    off_t at = 0;
    ssize_t count;
    /* Another descriptor: the caller's may be open to write only. */
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to = shadow_file(temporary, file->text);
    if (from < 0 || to < 0)
        abort();
    while ((count = pread(from, buffer, sizeof buffer, at)) > 0) {
        if (write(to, buffer, (size_t)count) != count)
            abort();
        at += count;
    }
    close(from);
    close(to);
    keep(temporary, file->text);
}

static void remember_entries(const char *path, const struct identity *directory)
{
    char temporary[PATH];
    struct dirent *entry;
    int to = shadow_file(temporary, directory->text);
    DIR *entries = opendir(path);
    if (to < 0 || !entries)
        abort();
    while ((entry = readdir(entries))) {
        struct identity found;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (identify(dirfd(entries), entry->d_name, &found) == 0)
            dprintf(to, "%o %s %s\n", found.mode, found.text, entry->d_name);
    }
    closedir(entries);
    close(to);
    keep(temporary, directory->text);
}

/* What stands there already is durable. */
static void remember_all(const char *path)
{
    struct identity found;
    if (identify(AT_FDCWD, path, &found) != 0)
        return;
    if (!S_ISDIR(found.mode)) {
        if (S_ISREG(found.mode))
            remember_file(path, &found);
        return;
    }
    remember_entries(path, &found);
    DIR *entries = opendir(path);
    struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        char below[PATH + NAME_MAX + 2];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        remember_all(below);
    }
    if (entries)
        closedir(entries);
}

__attribute__((constructor)) static void begin(void)
{
    root = getenv("POWER_ROOT");
    shadow = getenv("POWER_SHADOW");
    deaf = getenv("POWER_DEAF");
    if (getenv("POWER_FAIL"))
        failing = atol(getenv("POWER_FAIL"));
    if (root && shadow)
        remember_all(root);
}

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && !strcmp(text + length - wanted, end);
}

/* Whether this sync of that file is the one that fails. */
static int fails(const char *path)
{
    return ends_with(path, "ledger.db-wal") && failing > 0 && atomic_fetch_sub(&failing, 1) == 1;
}

/* The result of a sync of something below the root, which is done here then; otherwise 1. */
static int remembered(int descriptor)
{
    char link[64], path[PATH];
    struct identity found;
    ssize_t length;
    int before = errno;
    if (!root || !shadow)
        return 1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0 || strncmp(path, root, strlen(root)) != 0)
        return 1;
    path[length] = 0;
    if (identify(descriptor, "", &found) != 0)
        return 1;
    if (fails(path)) {
        errno = EIO;
        return -1;
    }
    if (S_ISDIR(found.mode))
        remember_entries(path, &found);
    else if (S_ISREG(found.mode) && !(deaf && ends_with(path, deaf)))
        remember_file(link, &found);
    errno = before;
    return 0;
}

int fsync(int descriptor)
{
    int result = remembered(descriptor);
    return result == 1 ? (int)syscall(SYS_fsync, descriptor) : result;
}

int fdatasync(int descriptor)
{
    int result = remembered(descriptor);
    return result == 1 ? (int)syscall(SYS_fdatasync, descriptor) : result;
}

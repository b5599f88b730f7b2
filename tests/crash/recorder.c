/* Writes down what a process does to the files of one directory, and kills it at a chosen operation.
 *
 * Loaded with LD_PRELOAD, it stands between a program and libc. Under the directory PORISM_RECORD_DIRECTORY, every operation
 * that changes a file or a directory, or syncs one, is done and then appended to the file PORISM_RECORD_LOG, in the order in
 * which they were done. `storage.py` reads the log. A sync is written down but not done: what a power cut would leave is
 * worked out from the log, and the death of the process does not need it.
 *
 * A write to the descriptor PORISM_RECORD_MARKS is written down as a mark and done too: so a program says in the log what it
 * has acknowledged.
 *
 * PORISM_RECORD_KILL is WHAT:N:WHEN. The N-th operation, counted from 1, of all (`any`) or of the syncs alone (`sync`) ends the
 * process with SIGKILL `before` it happens, `after` it, or `amid` it: then the first half of a write is done.
 *
 * The settings are read at the first operation of a process, and again after a fork. What cannot be written down (a shared
 * writable map, a copy inside the kernel) is logged as `X`, so that a test fails instead of believing an incomplete log.
 * The shared memory of SQLite, `*-shm`, is no part of an image and is left out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LOG_FD = 900 };

/* What an operation is, as its first byte in the log. */
enum kind {
    CREATE = 'C', WRITE = 'W', TRUNCATE = 'T', SYNC = 'S', RENAME = 'R', UNLINK = 'U', MKDIR = 'D', RMDIR = 'd',
    MARK = 'M', UNSUPPORTED = 'X'
};

static struct {
    pid_t process;
    int log, marks;
    char directory[PATH_MAX];
    size_t directory_length;
    int kill_syncs_only, kill_when; /* 'b'efore, 'a'fter, a'm'id */
    long kill_number, counted;
} recorder = { .log = -1, .marks = -1 };

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static void read_kill(const char *text) {
    recorder.kill_number = recorder.counted = 0;
    if (!text) return;
    const char *number = strchr(text, ':'), *when = number ? strchr(number + 1, ':') : NULL;
    if (!when) abort();
    recorder.kill_syncs_only = text[0] == 's';
    recorder.kill_number = strtol(number + 1, NULL, 10);
    recorder.kill_when = strcmp(when + 1, "amid") == 0 ? 'm' : when[1];
}

/* Whether this process is being recorded. */
static int recording(void) {
    if (recorder.process == getpid()) return recorder.log >= 0;
    recorder.process = getpid();
    recorder.log = recorder.marks = -1;
    const char *directory = getenv("PORISM_RECORD_DIRECTORY"), *log = getenv("PORISM_RECORD_LOG");
    const char *marks = getenv("PORISM_RECORD_MARKS");
    if (!directory || !log) return 0;
    recorder.directory_length = (size_t)snprintf(recorder.directory, PATH_MAX, "%s", directory);
    /* Plain system calls: the functions of that name are ours. A high number, which no program expects to be free. */
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || syscall(SYS_dup3, fd, LOG_FD, O_CLOEXEC) < 0) abort();
    syscall(SYS_close, fd);
    recorder.log = LOG_FD;
    recorder.marks = marks ? atoi(marks) : -1;
    read_kill(getenv("PORISM_RECORD_KILL"));
    return 1;
}

/* The part of `path` below the directory, or NULL when it is elsewhere or left out. "" is the directory itself. */
static const char *below(const char *path) {
    size_t length = strlen(path);
    if (strncmp(path, recorder.directory, recorder.directory_length) != 0) return NULL;
    if (length >= 4 && strcmp(path + length - 4, "-shm") == 0) return NULL;
    path += recorder.directory_length;
    return *path == '/' ? path + 1 : *path ? NULL : path;
}

/* The place of an open file below the directory; a file that was unlinked has none. */
static const char *place_of(int fd, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, PATH_MAX - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    const char deleted[] = " (deleted)";
    size_t tail = sizeof deleted - 1;
    if ((size_t)length > tail && strcmp(buffer + length - tail, deleted) == 0) return NULL;
    return below(buffer);
}

/* The place of a path that is absolute or relative to `directory_fd`. */
static const char *place_at(int directory_fd, const char *path, char *buffer) {
    if (!path) return NULL;
    if (path[0] == '/') {
        snprintf(buffer, PATH_MAX, "%s", path);
        return below(buffer);
    }
    char base[PATH_MAX], link[64];
    if (directory_fd == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", directory_fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, base, PATH_MAX - 1);
    if (length < 0) return NULL;
    base[length] = 0;
    if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) abort();
    return below(buffer);
}

/* One frame: kind, number, length of the place, length of the data (all little-endian), place, data. */
static void note(enum kind kind, const char *place, uint64_t number, const void *data, size_t length) {
    unsigned char head[17];
    uint32_t place_length = (uint32_t)strlen(place), data_length = (uint32_t)length;
    head[0] = (unsigned char)kind;
    memcpy(head + 1, &number, 8);
    memcpy(head + 9, &place_length, 4);
    memcpy(head + 13, &data_length, 4);
    struct iovec parts[3] = {
        { head, sizeof head }, { (void *)place, place_length }, { (void *)data, length },
    };
    if (syscall(SYS_writev, recorder.log, parts, 3) != (long)(sizeof head + place_length + length)) abort();
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts an operation; says whether it is the one to die at, and dies if that is before it. */
static int begin(enum kind kind) {
    pthread_mutex_lock(&order);
    if (!recorder.kill_number || (recorder.kill_syncs_only && kind != SYNC)) return 0;
    if (++recorder.counted != recorder.kill_number) return 0;
    if (recorder.kill_when == 'b' || (recorder.kill_when == 'm' && kind != WRITE)) die();
    return 1;
}

static void end(int chosen) {
    if (chosen) die();
    pthread_mutex_unlock(&order);
}

/* --- files ---------------------------------------------------------------------------------------------------------- */

static int open_at(int directory_fd, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    struct stat before;
    const char *place = (flags & (O_CREAT | O_TRUNC)) && recording() ? place_at(directory_fd, path, buffer) : NULL;
    if (!place) return (int)syscall(SYS_openat, directory_fd, path, flags, mode);
    int existed = fstatat(directory_fd, path, &before, 0) == 0;
    int changes = existed ? (flags & O_TRUNC) && !(flags & O_EXCL) : flags & O_CREAT;
    if (!changes) return (int)syscall(SYS_openat, directory_fd, path, flags, mode);
    enum kind kind = existed ? TRUNCATE : CREATE;
    int chosen = begin(kind);
    int fd = (int)syscall(SYS_openat, directory_fd, path, flags, mode);
    int error = errno;
    if (fd >= 0) note(kind, place, 0, NULL, 0);
    end(chosen);
    errno = error;
    return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(arguments, int) : 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = mode_of(flags, arguments); \
        va_end(arguments); \
        return open_at(AT_FDCWD, path, flags, mode); \
    }
#define OPENAT(name) \
    int name(int directory_fd, const char *path, int flags, ...) { \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = mode_of(flags, arguments); \
        va_end(arguments); \
        return open_at(directory_fd, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* `offset` is -1 for a write at the position of the file. */
static ssize_t write_at(int fd, const void *bytes, size_t length, off64_t offset) {
    char buffer[PATH_MAX];
    int mark = recording() && fd == recorder.marks;
    const char *place = mark ? "" : recorder.log >= 0 ? place_of(fd, buffer) : NULL;
    int chosen = 0;
    off64_t position = offset;
    if (place) {
        if (mark) pthread_mutex_lock(&order);
        else chosen = begin(WRITE);
        if (chosen && recorder.kill_when == 'm') length /= 2;
        if (offset < 0 && !mark) {
            int append = (int)syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND;
            struct stat now;
            position = append && fstat(fd, &now) == 0 ? now.st_size : syscall(SYS_lseek, fd, 0, SEEK_CUR);
        }
    }
    ssize_t written = offset < 0 ? syscall(SYS_write, fd, bytes, length) : syscall(SYS_pwrite64, fd, bytes, length, offset);
    int error = errno;
    if (place) {
        if (written > 0) note(mark ? MARK : WRITE, place, mark ? 0 : (uint64_t)position, bytes, (size_t)written);
        end(chosen);
    }
    errno = error;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t length) { return write_at(fd, bytes, length, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return write_at(fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return write_at(fd, bytes, length, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char buffer[PATH_MAX];
    /* Not joined into one: a caller must be ready for a short write. */
    if (recording() && place_of(fd, buffer)) {
        for (int part = 0; part < count; part++)
            if (parts[part].iov_len) return write_at(fd, parts[part].iov_base, parts[part].iov_len, -1);
        return 0;
    }
    return syscall(SYS_writev, fd, parts, count);
}

static int truncate_at(int fd, off64_t length) {
    char buffer[PATH_MAX];
    const char *place = recording() ? place_of(fd, buffer) : NULL;
    if (!place) return (int)syscall(SYS_ftruncate, fd, length);
    int chosen = begin(TRUNCATE);
    int outcome = (int)syscall(SYS_ftruncate, fd, length);
    int error = errno;
    if (outcome == 0) note(TRUNCATE, place, (uint64_t)length, NULL, 0);
    end(chosen);
    errno = error;
    return outcome;
}

int ftruncate(int fd, off_t length) { return truncate_at(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_at(fd, length); }

static int sync_at(int fd, long call) {
    char buffer[PATH_MAX];
    const char *place = recording() ? place_of(fd, buffer) : NULL;
    if (!place) return (int)syscall(call, fd);
    int chosen = begin(SYNC);
    note(SYNC, place, 0, NULL, 0);
    end(chosen);
    return 0;
}

int fsync(int fd) { return sync_at(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_at(fd, SYS_fdatasync); }

/* --- directories ---------------------------------------------------------------------------------------------------- */

/* What libc's call returned is written down if it is 0, as `kind` of the place; `moved` is where a rename leads to. */
#define CHANGE(kind, place, moved, call) \
    do { \
        if (!(place)) return call; \
        int chosen = begin(kind); \
        int outcome = call; \
        int error = errno; \
        const char *leads_to = moved; \
        if (outcome == 0) note(kind, place, 0, leads_to, leads_to ? strlen(leads_to) : 0); \
        end(chosen); \
        errno = error; \
        return outcome; \
    } while (0)

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
    char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
    const char *place = recording() ? place_at(from_fd, from, from_buffer) : NULL;
    const char *target = recording() ? place_at(to_fd, to, to_buffer) : NULL;
    if ((place || target) && (!place || !target || flags)) note(UNSUPPORTED, "renameat2", 0, NULL, 0);
    CHANGE(RENAME, place, target, (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) { return renameat2(from_fd, from, to_fd, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int directory_fd, const char *path, int flags) {
    char buffer[PATH_MAX];
    const char *place = recording() ? place_at(directory_fd, path, buffer) : NULL;
    enum kind kind = flags & AT_REMOVEDIR ? RMDIR : UNLINK;
    CHANGE(kind, place, NULL, (int)syscall(SYS_unlinkat, directory_fd, path, flags));
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int directory_fd, const char *path, mode_t mode) {
    char buffer[PATH_MAX];
    const char *place = recording() ? place_at(directory_fd, path, buffer) : NULL;
    CHANGE(MKDIR, place, NULL, (int)syscall(SYS_mkdirat, directory_fd, path, mode));
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* --- what cannot be written down ------------------------------------------------------------------------------------ */

static void refuse(const char *call, int fd) {
    char buffer[PATH_MAX];
    if (recording() && place_of(fd, buffer)) note(UNSUPPORTED, call, 0, buffer, strlen(buffer));
}

static void *map(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
    if (fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED)) refuse("mmap", fd);
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    return map(address, length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
    return map(address, length, protection, flags, fd, offset);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags) {
    REAL(copy_file_range);
    refuse("copy_file_range", to);
    return real(from, from_at, to, to_at, length, flags);
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
    refuse("sendfile", to);
    return syscall(SYS_sendfile, to, from, at, length);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
    REAL(fallocate64);
    refuse("fallocate", fd);
    return real(fd, mode, offset, length);
}

int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    REAL(posix_fallocate64);
    refuse("posix_fallocate", fd);
    return real(fd, offset, length);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    char buffer[PATH_MAX];
    const char *place = recording() ? place_at(to_fd, to, buffer) : NULL;
    if (place) note(UNSUPPORTED, "link", 0, place, strlen(place));
    return (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

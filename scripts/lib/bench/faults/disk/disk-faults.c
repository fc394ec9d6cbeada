/* Stands between a program and the file system (LD_PRELOAD) and makes calls fail by rules that another process writes
 * into a shared page while the program runs. Only files below DACHA_FAULTS_ROOT are touched; everything else, and
 * everything while there is no rule, goes straight through. Covers Node (libuv) and SQLite alike: both call libc.
 * The layout of the page is that of disk-faults.ts. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, OPEN_WRITE = 2, READ = 4, WRITE = 8, SYNC = 16, RENAME = 32, UNLINK = 64, TRUNCATE = 128, MKDIR = 256,
  STAT = 512, LIST = 1024 };
enum { PART = 1, CLIP = 2, DATABASE = 4, FOLDER = 8, OTHER = 16 };
enum { FAIL = 1, SHORT = 2, SHORT_KILL = 3, KILL_BEFORE = 4, KILL_AFTER = 5, FLIP = 6, SYNC_LOST = 7 };

struct rule {
  uint32_t calls, places, after, times, action;
  int32_t error;
  uint32_t param;
  _Atomic uint32_t seen, fired;
  uint32_t reserved[7];
};
struct page {
  uint32_t magic;
  _Atomic uint32_t rules;
  uint32_t reserved[14];
  struct rule rule[16];
};

#define FDS 65536
static struct page *page;
static const char *root;
static size_t root_length;
static uint8_t place_of[FDS];  /* 0: not ours */
static ino_t inode_of[FDS];
static off_t synced[FDS];      /* size at the last sync that succeeded */
static uint8_t shortened[FDS]; /* a write took only a part: so many of the next ones fail (Node tries twice) */
static int32_t shortened_error[FDS];

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("DACHA_FAULTS_PAGE");
  root = getenv("DACHA_FAULTS_ROOT");
  if (!file || !root) return;
  root_length = strlen(root);
  int fd = open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at != MAP_FAILED) page = at;
}

static int place_of_path(const char *path) {
  if (!page || !path || strncmp(path, root, root_length) != 0) return 0;
  size_t length = strlen(path);
  if (length > 5 && strcmp(path + length - 5, ".part") == 0) return PART;
  if (length > 4 && strcmp(path + length - 4, ".mp4") == 0) return CLIP;
  return strstr(path + root_length, ".sqlite") ? DATABASE : OTHER;
}

/* Its place, if it is still the file that was opened: a number can be given on in ways that are not seen here. */
static int ours(int fd) {
  if (!page || fd < 0 || fd >= FDS || !place_of[fd]) return 0;
  int saved = errno;
  struct stat stat;
  if (fstat(fd, &stat) != 0 || stat.st_ino != inode_of[fd]) place_of[fd] = 0;
  errno = saved;
  return place_of[fd];
}

/* The rule that fires at this call. */
static struct rule *due(uint32_t call, uint32_t place) {
  if (!page || !place) return NULL;
  uint32_t count = atomic_load(&page->rules);
  for (uint32_t i = 0; i < count && i < 16; i++) {
    struct rule *rule = &page->rule[i];
    if (!(rule->calls & call) || !(rule->places & place)) continue;
    uint32_t seen = atomic_fetch_add(&rule->seen, 1);
    if (seen < rule->after || seen - rule->after >= rule->times) continue;
    atomic_fetch_add(&rule->fired, 1);
    return rule;
  }
  return NULL;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* 1: the call fails, errno is set. */
static int fails(struct rule *rule) {
  if (!rule) return 0;
  if (rule->action == KILL_BEFORE) die();
  if (rule->action != FAIL) return 0;
  errno = rule->error;
  return 1;
}
static void after(struct rule *rule) {
  if (rule && rule->action == KILL_AFTER) die();
}

static int opened(int fd, int place) {
  if (fd < 0 || fd >= FDS) return fd;
  int saved = errno;
  struct stat stat;
  if (place && fstat(fd, &stat) == 0) {
    place_of[fd] = S_ISDIR(stat.st_mode) ? FOLDER : place;
    inode_of[fd] = stat.st_ino;
    synced[fd] = stat.st_size;
  } else place_of[fd] = 0;
  shortened[fd] = 0;
  errno = saved;
  return fd;
}

static int writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }

#define OPEN_BODY(name) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
  REAL(int, name, const char *, int, mode_t); \
  int place = place_of_path(path); \
  struct rule *rule = due(writes(flags) ? OPEN_WRITE : OPEN, place); \
  if (fails(rule)) return -1; \
  int fd = opened(real(path, flags, mode), place); \
  after(rule); \
  return fd;

int open(const char *path, int flags, ...) { OPEN_BODY("open") }
int open64(const char *path, int flags, ...) { OPEN_BODY("open64") }

int close(int fd) {
  REAL(int, "close", int);
  if (fd >= 0 && fd < FDS) place_of[fd] = 0;
  return real(fd);
}

/* A read that worked, with one bit turned when the rule says so. */
static ssize_t spoil(struct rule *rule, ssize_t got, void *buffer) {
  if (rule && rule->action == FLIP && got > 0)
    ((uint8_t *)buffer)[(rule->param >> 3) % (uint32_t)got] ^= (uint8_t)(1u << (rule->param & 7));
  after(rule);
  return got;
}

ssize_t read(int fd, void *buffer, size_t bytes) {
  REAL(ssize_t, "read", int, void *, size_t);
  struct rule *rule = due(READ, ours(fd));
  if (fails(rule)) return -1;
  return spoil(rule, real(fd, buffer, bytes), buffer);
}
#define PREAD(name) \
  ssize_t name(int fd, void *buffer, size_t bytes, off_t at) { \
    REAL(ssize_t, #name, int, void *, size_t, off_t); \
    struct rule *rule = due(READ, ours(fd)); \
    if (fails(rule)) return -1; \
    return spoil(rule, real(fd, buffer, bytes, at), buffer); \
  }
PREAD(pread)
PREAD(pread64)
#define PREADV(name) \
  ssize_t name(int fd, const struct iovec *parts, int count, off_t at) { \
    REAL(ssize_t, #name, int, const struct iovec *, int, off_t); \
    struct rule *rule = due(READ, ours(fd)); \
    if (fails(rule)) return -1; \
    ssize_t got = real(fd, parts, count, at); \
    if (got > 0 && (size_t)got > parts[0].iov_len) return spoil(rule, (ssize_t)parts[0].iov_len, parts[0].iov_base), got; \
    return spoil(rule, got, parts[0].iov_base); \
  }
PREADV(preadv)
PREADV(preadv64)
ssize_t readv(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "readv", int, const struct iovec *, int);
  struct rule *rule = due(READ, ours(fd));
  if (fails(rule)) return -1;
  return spoil(rule, real(fd, parts, count), parts[0].iov_base);
}

/* What a write does before the real one: -1 it fails; else how many of its bytes may be written. */
static ssize_t allowed(int fd, struct rule *rule, size_t bytes) {
  if (ours(fd) && shortened[fd]) {
    shortened[fd]--;
    errno = shortened_error[fd];
    return -1;
  }
  if (fails(rule)) return -1;
  if (rule && (rule->action == SHORT || rule->action == SHORT_KILL) && bytes > 1) {
    shortened[fd] = rule->action == SHORT ? 3 : 0;
    shortened_error[fd] = rule->error;
    return (ssize_t)(1 + rule->param % (bytes - 1));
  }
  return (ssize_t)bytes;
}
static ssize_t wrote(struct rule *rule, ssize_t written) {
  if (rule && rule->action == SHORT_KILL) die();
  after(rule);
  return written;
}

ssize_t write(int fd, const void *buffer, size_t bytes) {
  REAL(ssize_t, "write", int, const void *, size_t);
  struct rule *rule = due(WRITE, ours(fd));
  ssize_t may = allowed(fd, rule, bytes);
  return may < 0 ? -1 : wrote(rule, real(fd, buffer, (size_t)may));
}
#define PWRITE(name) \
  ssize_t name(int fd, const void *buffer, size_t bytes, off_t at) { \
    REAL(ssize_t, #name, int, const void *, size_t, off_t); \
    struct rule *rule = due(WRITE, ours(fd)); \
    ssize_t may = allowed(fd, rule, bytes); \
    return may < 0 ? -1 : wrote(rule, real(fd, buffer, (size_t)may, at)); \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

static size_t total(const struct iovec *parts, int count) {
  size_t sum = 0;
  for (int i = 0; i < count; i++) sum += parts[i].iov_len;
  return sum;
}
/* The first bytes of a vector. */
static int cut(const struct iovec *parts, int count, size_t bytes, struct iovec *into) {
  int used = 0;
  for (; used < count && used < 1024 && bytes > 0; used++) {
    into[used] = parts[used];
    if (into[used].iov_len > bytes) into[used].iov_len = bytes;
    bytes -= into[used].iov_len;
  }
  return used;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  struct rule *rule = due(WRITE, ours(fd));
  size_t bytes = total(parts, count);
  ssize_t may = allowed(fd, rule, bytes);
  if (may < 0) return -1;
  if ((size_t)may == bytes) return wrote(rule, real(fd, parts, count));
  struct iovec some[1024];
  return wrote(rule, real(fd, some, cut(parts, count, (size_t)may, some)));
}
#define PWRITEV(name) \
  ssize_t name(int fd, const struct iovec *parts, int count, off_t at) { \
    REAL(ssize_t, #name, int, const struct iovec *, int, off_t); \
    struct rule *rule = due(WRITE, ours(fd)); \
    size_t bytes = total(parts, count); \
    ssize_t may = allowed(fd, rule, bytes); \
    if (may < 0) return -1; \
    if ((size_t)may == bytes) return wrote(rule, real(fd, parts, count, at)); \
    struct iovec some[1024]; \
    return wrote(rule, real(fd, some, cut(parts, count, (size_t)may, some), at)); \
  }
PWRITEV(pwritev)
PWRITEV(pwritev64)

/* As Linux does after a failed write-back: the sync says so once, and what was not yet on disk is zeros later. */
static int sync_lost(int fd, struct rule *rule) {
  struct stat stat;
  if (place_of[fd] == PART && fstat(fd, &stat) == 0 && stat.st_size > synced[fd]) {
    off_t size = stat.st_size;
    REAL(int, "ftruncate64", int, off_t);
    if (real(fd, synced[fd]) == 0) (void)!real(fd, size);
  }
  errno = rule->error;
  return -1;
}
static int sync_with(const char *name, int (*real)(int), int fd) {
  (void)name;
  struct rule *rule = due(SYNC, ours(fd));
  if (fails(rule)) return -1;
  if (rule && rule->action == SYNC_LOST) return sync_lost(fd, rule);
  int result = real(fd);
  struct stat stat;
  int saved = errno;
  if (result == 0 && ours(fd) && fstat(fd, &stat) == 0) synced[fd] = stat.st_size;
  errno = saved;
  after(rule);
  return result;
}
int fsync(int fd) {
  REAL(int, "fsync", int);
  return sync_with("fsync", real, fd);
}
int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return sync_with("fdatasync", real, fd);
}

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  struct rule *rule = due(RENAME, place_of_path(from) | place_of_path(to));
  if (fails(rule)) return -1;
  int result = real(from, to);
  after(rule);
  return result;
}
int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  struct rule *rule = due(UNLINK, place_of_path(path));
  if (fails(rule)) return -1;
  int result = real(path);
  after(rule);
  return result;
}
/* What the file system library of C++, and so Node's rm, calls. */
int remove(const char *path) {
  REAL(int, "remove", const char *);
  struct rule *rule = due(UNLINK, place_of_path(path));
  if (fails(rule)) return -1;
  int result = real(path);
  after(rule);
  return result;
}
int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  struct rule *rule = due(MKDIR, place_of_path(path));
  if (fails(rule)) return -1;
  int result = real(path, mode);
  after(rule);
  return result;
}
#define FTRUNCATE(name) \
  int name(int fd, off_t length) { \
    REAL(int, #name, int, off_t); \
    struct rule *rule = due(TRUNCATE, ours(fd)); \
    if (fails(rule)) return -1; \
    int result = real(fd, length); \
    after(rule); \
    return result; \
  }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

/* libuv asks so for the state of a file, and closes. */
long syscall(long number, ...) {
  REAL(long, "syscall", long, long, long, long, long, long, long);
  va_list rest;
  va_start(rest, number);
  long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long);
  long d = va_arg(rest, long), e = va_arg(rest, long), f = va_arg(rest, long);
  va_end(rest);
  /* libuv closes so: the number may be that of a socket or pipe next, which no fault of a disk may meet. */
  if (number == SYS_close && a >= 0 && a < FDS) place_of[a] = 0;
  if (number == SYS_statx && fails(due(STAT, place_of_path((const char *)b)))) return -1;
  return real(number, a, b, c, d, e, f);
}
int statx(int folder, const char *path, int flags, unsigned mask, struct statx *into) {
  REAL(int, "statx", int, const char *, int, unsigned, struct statx *);
  if (fails(due(STAT, place_of_path(path)))) return -1;
  return real(folder, path, flags, mask, into);
}
int stat64(const char *path, struct stat64 *into) {
  REAL(int, "stat64", const char *, struct stat64 *);
  if (fails(due(STAT, place_of_path(path)))) return -1;
  return real(path, into);
}
DIR *opendir(const char *path) {
  REAL(DIR *, "opendir", const char *);
  if (fails(due(LIST, place_of_path(path)))) return NULL;
  return real(path);
}
int scandir64(const char *path, struct dirent64 ***names, int (*wanted)(const struct dirent64 *),
              int (*order)(const struct dirent64 **, const struct dirent64 **)) {
  REAL(int, "scandir64", const char *, struct dirent64 ***, int (*)(const struct dirent64 *),
       int (*)(const struct dirent64 **, const struct dirent64 **));
  if (fails(due(LIST, place_of_path(path)))) return -1;
  return real(path, names, wanted, order);
}

// Loaded before the C library: ends the process, as SIGKILL does, at the Nth write to an append-only file.
// CRASH_AT=N CRASH_WHEN=before|torn|written: before any of it is written, when half of it is, or when all of it is.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int seen;

static int is_due(int file) {
    struct stat status;
    const char *at = getenv("CRASH_AT");
    if (!at || fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || !(fcntl(file, F_GETFL) & O_APPEND)) return 0;
    return atomic_fetch_add(&seen, 1) + 1 == atoi(at);
}

static int is_when(const char *word) { return strcmp(getenv("CRASH_WHEN"), word) == 0; }

static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }

ssize_t write(int file, const void *bytes, size_t count) {
    ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (!is_due(file)) return real(file, bytes, count);
    if (is_when("before")) die();
    ssize_t wrote = real(file, bytes, is_when("torn") ? (count + 1) / 2 : count);
    die();
    return wrote;
}

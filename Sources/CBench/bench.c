#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// MARK: allocations

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static _Atomic uint64_t allocations;

static void count(void) { atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed); }

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    count();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

uint64_t bench_allocations(void) { return atomic_load_explicit(&allocations, memory_order_relaxed); }

// MARK: instructions and time

int64_t bench_instructions(void) {
    static int descriptor = -2;
    if (descriptor == -2) {
        struct perf_event_attr attributes = {
            .type = PERF_TYPE_HARDWARE,
            .size = sizeof attributes,
            .config = PERF_COUNT_HW_INSTRUCTIONS,
            .exclude_kernel = 1,
            .exclude_hv = 1,
        };
        descriptor = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
    }
    int64_t value;
    if (descriptor < 0 || read(descriptor, &value, sizeof value) != sizeof value) return -1;
    return value;
}

__attribute__((noinline)) void bench_measured(void (*body)(void *), void *context) { body(context); }

static double seconds_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int64_t bench_cpu_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int bench_pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

// MARK: sender and sink

#define BATCH 64
#define SINK_BYTES 65536
#define BUFFER_BYTES (4 << 20)

static int udp_socket(uint16_t port, struct sockaddr_in *address) {
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

struct bench_sent bench_send(uint16_t port, const uint8_t *bytes, const uint64_t *offsets, uint64_t ring,
                             uint64_t total, double rate, void (*progress)(double share)) {
    struct bench_sent sent = {0};
    struct sockaddr_in address;
    int descriptor = udp_socket(port, &address);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        sent.error = errno;
        return sent;
    }
    struct mmsghdr messages[BATCH] = {0};
    struct iovec vectors[BATCH];
    for (int i = 0; i < BATCH; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    double half = rate * 0.0005;
    unsigned burst = half < 1 ? 1 : half > BATCH ? BATCH : (unsigned)half;
    double begun = seconds_of(CLOCK_MONOTONIC), told = begun;
    while (sent.datagrams < total) {
        double now = seconds_of(CLOCK_MONOTONIC), due = begun + (double)sent.datagrams / rate;
        if (due > now) {
            // The last of the wait is spent looking at the clock: waking takes longer than a burst.
            if (due - now > 0.00015) {
                struct timespec pause = {0, (long)((due - now > 0.5 ? 0.5 : due - now - 0.0001) * 1e9)};
                nanosleep(&pause, NULL);
            }
            continue;
        }
        if (progress && now - told > 0.5) {
            told = now;
            progress((double)sent.datagrams / (double)total);
        }
        unsigned number = total - sent.datagrams < burst ? (unsigned)(total - sent.datagrams) : burst;
        for (unsigned i = 0; i < number; i++) {
            uint64_t place = (sent.datagrams + i) % ring;
            vectors[i] = (struct iovec){(void *)(bytes + offsets[place]), offsets[place + 1] - offsets[place]};
        }
        int done = sendmmsg(descriptor, messages, number, 0);
        if (done < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOBUFS)) continue;
        if (done < 0) {
            sent.error = errno;
            break;
        }
        sent.datagrams += (unsigned)done;
    }
    sent.seconds = seconds_of(CLOCK_MONOTONIC) - begun;
    close(descriptor);
    return sent;
}

struct bench_received bench_sink(uint16_t port, void (*ready)(uint16_t port)) {
    struct bench_received received = {0};
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int descriptor = udp_socket(port, &address), one = 1, size = BUFFER_BYTES;
    struct timeval wait = {0, 500000};
    uint8_t *room = malloc((size_t)BATCH * SINK_BYTES);
    if (descriptor < 0 || !room || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) {
        received.error = errno;
        free(room);
        return received;
    }
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(descriptor, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    struct mmsghdr messages[BATCH] = {0};
    struct iovec vectors[BATCH];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(uint32_t))];
    } controls[BATCH];
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){room + (size_t)i * SINK_BYTES, SINK_BYTES};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    ready(ntohs(address.sin_port));
    while (1) {
        for (int i = 0; i < BATCH; i++) {
            messages[i].msg_hdr.msg_control = &controls[i];
            messages[i].msg_hdr.msg_controllen = sizeof controls[i];
        }
        int done = recvmmsg(descriptor, messages, BATCH, MSG_WAITFORONE, NULL);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && received.datagrams == 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) continue;
        if (done <= 0) break;
        for (int i = 0; i < done; i++) {
            const uint8_t *at = vectors[i].iov_base, *end = at + messages[i].msg_len;
            received.lines += end > at;
            while ((at = memchr(at, '\n', (size_t)(end - at)))) {
                received.lines++;
                at++;
            }
        }
        received.datagrams += (unsigned)done;
        struct msghdr *last = &messages[done - 1].msg_hdr;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(last); c; c = CMSG_NXTHDR(last, c))
            if (c->cmsg_type == SO_RXQ_OVFL) memcpy(&received.dropped, CMSG_DATA(c), sizeof received.dropped);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    received.cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    close(descriptor);
    free(room);
    return received;
}

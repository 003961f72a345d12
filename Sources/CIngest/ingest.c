#define _GNU_SOURCE
#include "ingest.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/sock_diag.h>

// What a slot takes: the largest UDP payload and some.
#define SLOT_BYTES 65536u
// Slots start an odd number of cache lines apart beyond a power of two; at 65,536 the heads of all of them would
// fall into one set of the first and second level caches.
#define SLOT_STRIDE (SLOT_BYTES + 320u)
#define PAGE_BYTES 4096u

struct ingest_ring {
    struct ingest_datagram datagrams[INGEST_RING_SLOTS];
    struct mmsghdr messages[INGEST_RING_SLOTS];
    struct iovec vectors[INGEST_RING_SLOTS];
    struct sockaddr_in6 names[INGEST_RING_SLOTS];
    uint8_t *memory;
    int has_peers;
    int has_long;
};

static uint8_t class_of_v4(uint32_t host) {
    if ((host >> 24) == 127) return INGEST_PEER_LOOPBACK;
    if ((host >> 24) == 10) return INGEST_PEER_PRIVATE;
    if ((host >> 20) == 0xAC1) return INGEST_PEER_PRIVATE;   // 172.16/12
    if ((host >> 16) == 0xC0A8) return INGEST_PEER_PRIVATE;  // 192.168/16
    if ((host >> 16) == 0xA9FE) return INGEST_PEER_PRIVATE;  // 169.254/16
    return INGEST_PEER_ANY;
}

static uint8_t class_of_v6(const uint8_t *a) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    static const uint8_t loopback[16] = {[15] = 1};
    if (memcmp(a, mapped, sizeof mapped) == 0)
        return class_of_v4((uint32_t)a[12] << 24 | (uint32_t)a[13] << 16 | (uint32_t)a[14] << 8 | a[15]);
    if (memcmp(a, loopback, sizeof loopback) == 0) return INGEST_PEER_LOOPBACK;
    if ((a[0] & 0xFE) == 0xFC) return INGEST_PEER_PRIVATE;                   // fc00::/7
    if (a[0] == 0xFE && (a[1] & 0xC0) == 0x80) return INGEST_PEER_PRIVATE;  // fe80::/10
    return INGEST_PEER_ANY;
}

uint8_t ingest_peer_class(const void *address, size_t count) {
    sa_family_t family = AF_UNSPEC;
    if (count >= sizeof family) memcpy(&family, address, sizeof family);
    if (family == AF_INET && count >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return class_of_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (family == AF_INET6 && count >= offsetof(struct sockaddr_in6, sin6_addr) + 16) {
        struct sockaddr_in6 v6 = {0};
        memcpy(&v6, address, count < sizeof v6 ? count : sizeof v6);
        return class_of_v6(v6.sin6_addr.s6_addr);
    }
    // The unbound sender of a unix datagram has no name at all.
    return family == AF_UNIX || count == 0 ? INGEST_PEER_LOOPBACK : INGEST_PEER_ANY;
}

struct ingest_ring *ingest_ring_create(int peers) {
    struct ingest_ring *ring = calloc(1, sizeof *ring);
    if (!ring) return NULL;
    void *memory = mmap(NULL, (size_t)SLOT_STRIDE * INGEST_RING_SLOTS, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        free(ring);
        return NULL;
    }
    // A huge page behind the first byte of each slot would make the whole ring resident.
    madvise(memory, (size_t)SLOT_STRIDE * INGEST_RING_SLOTS, MADV_NOHUGEPAGE);
    ring->memory = memory;
    ring->has_peers = peers;
    for (size_t i = 0; i < INGEST_RING_SLOTS; i++) {
        ring->vectors[i] = (struct iovec){ring->memory + i * SLOT_STRIDE, SLOT_BYTES};
        struct msghdr *header = &ring->messages[i].msg_hdr;
        header->msg_iov = &ring->vectors[i];
        header->msg_iovlen = 1;
        if (peers) {
            header->msg_name = &ring->names[i];
            header->msg_namelen = sizeof ring->names[i];
        }
        ring->datagrams[i].bytes = ring->vectors[i].iov_base;
        ring->datagrams[i].peer = INGEST_PEER_ANY;
    }
    return ring;
}

void ingest_ring_destroy(struct ingest_ring *ring) {
    if (!ring) return;
    munmap(ring->memory, (size_t)SLOT_STRIDE * INGEST_RING_SLOTS);
    free(ring);
}

int ingest_ring_receive(struct ingest_ring *ring, int descriptor) {
    int count;
    do count = recvmmsg(descriptor, ring->messages, INGEST_RING_SLOTS, MSG_DONTWAIT, NULL);
    while (count < 0 && errno == EINTR);
    if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        struct msghdr *header = &ring->messages[i].msg_hdr;
        struct ingest_datagram *datagram = &ring->datagrams[i];
        datagram->count = ring->messages[i].msg_len;
        datagram->is_truncated = (header->msg_flags & MSG_TRUNC) != 0;
        if (datagram->count > PAGE_BYTES) ring->has_long = 1;
        if (!ring->has_peers) continue;
        // A unix sender's path may be longer than the room for names; the length is then that of the path.
        size_t name = header->msg_namelen;
        datagram->peer =
            ingest_peer_class(header->msg_name, name < sizeof ring->names[i] ? name : sizeof ring->names[i]);
        header->msg_namelen = sizeof ring->names[i];
    }
    return count;
}

const struct ingest_datagram *ingest_ring_datagrams(const struct ingest_ring *ring) { return ring->datagrams; }

void ingest_ring_trim(struct ingest_ring *ring) {
    if (!ring->has_long) return;
    madvise(ring->memory, (size_t)SLOT_STRIDE * INGEST_RING_SLOTS, MADV_DONTNEED);
    ring->has_long = 0;
}

int ingest_socket_drops(int descriptor, uint32_t *drops) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t count = sizeof info;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, info, &count) != 0) return -errno;
    if (count < (SK_MEMINFO_DROPS + 1) * sizeof info[0]) return -ENOTSUP;
    *drops = info[SK_MEMINFO_DROPS];
    return 0;
}

int ingest_one_arena(void) { return mallopt(M_ARENA_MAX, 1); }

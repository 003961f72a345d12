// The public face of the C shim. Only <stdint.h> and <stddef.h> here: a header with <sys/socket.h>
// breaks every Swift file that also imports Dispatch.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Where a datagram or a connection came from. The values are those of Swift's PeerClass.
enum {
    INGEST_PEER_LOOPBACK = 0,
    INGEST_PEER_PRIVATE = 1,
    INGEST_PEER_ANY = 2,
};

// The class of a socket address of `count` bytes (a struct sockaddr). Unix sockets are loopback, an address
// of an unknown family is any.
uint8_t ingest_peer_class(const void *address, size_t count);

// One received datagram. `bytes` points into the ring and is overwritten by the next ingest_ring_receive.
struct ingest_datagram {
    const uint8_t *bytes;
    uint32_t count;
    uint8_t peer;
    // 1 where the datagram was longer than a slot and its end is lost.
    uint8_t is_truncated;
};

// Slots for one recvmmsg call. One owner, one thread at a time.
struct ingest_ring;

// The most datagrams that one receive brings.
enum { INGEST_RING_SLOTS = 64 };

// A ring, or NULL when memory is short. A slot takes 65,536 bytes; its pages cost nothing until they are touched.
// Without `peers`, senders are not asked for and all datagrams come from INGEST_PEER_ANY.
struct ingest_ring *ingest_ring_create(int peers);
void ingest_ring_destroy(struct ingest_ring *ring);

// Receives what is queued, up to INGEST_RING_SLOTS datagrams, without waiting.
// Returns how many, 0 when nothing is queued, or the negative errno.
int ingest_ring_receive(struct ingest_ring *ring, int descriptor);

// The datagrams of the last receive.
const struct ingest_datagram *ingest_ring_datagrams(const struct ingest_ring *ring);

// Gives the pages of long datagrams back to the system, if any came since the last call.
void ingest_ring_trim(struct ingest_ring *ring);

// The kernel's count of datagrams dropped at a socket (modulo 2^32): SO_MEMINFO. Returns 0 or the negative errno.
int ingest_socket_drops(int descriptor, uint32_t *drops);

// Has every thread take its memory from one place. Returns 0 if the C library refuses. Before there are threads.
int ingest_one_arena(void);

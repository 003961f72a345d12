// What is done with bytes that are pointed at: mark, hash, compare, prefetch, sum. No library and no state.
// Nothing here reads a byte outside of what it is given: every text has a start and a count.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The words that the marks of a text of `count` bytes take: one bit a byte, and one for its end.
#define BYTES_MARK_WORDS(count) ((count) / 64 + 1)

// Marks what a line is cut at: bit i of `colons` is set where byte i is `:`, of `ends` where it is `|` or a newline.
// Bit `count` is set in both, so that a search from anywhere in 0…count ends. BYTES_MARK_WORDS(count) words are written.
void bytes_mark(const uint8_t *text, size_t count, uint64_t *colons, uint64_t *ends);

// The same in portable C: what machines without SSE2 run, and what the other is tested against.
void bytes_mark_portable(const uint8_t *text, size_t count, uint64_t *colons, uint64_t *ends);

// Whether the machine has an instruction for CRC-32C; only then may `bytes_crc32c` be called.
int bytes_has_crc32c(void);

// CRC-32C (Castagnoli) of `count` bytes.
uint32_t bytes_crc32c(const uint8_t *bytes, size_t count);

// Asks for huge pages behind memory that will be read here and there. Where the system has none, nothing happens.
void bytes_advise_huge(void *memory, size_t count);

static inline uint64_t bytes_load64(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint64_t bytes_load32(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// Brings the cache line of an address nearer; any address will do.
static inline void bytes_prefetch(const void *address) { __builtin_prefetch(address, 1); }

// Sixteen bytes at once where the compiler has such a type; it is not aligned, and may be any bytes.
typedef uint64_t bytes_pair __attribute__((vector_size(16), aligned(1), may_alias));

static inline bytes_pair bytes_differ(const uint8_t *left, const uint8_t *right) {
    return *(const bytes_pair *)left ^ *(const bytes_pair *)right;
}

// Whether two runs of `count` bytes are the same. The last step overlaps the one before it, so that none is too long.
static inline int bytes_equal(const uint8_t *left, const uint8_t *right, size_t count) {
    if (count >= 16) {
        size_t last = count - 16;
        bytes_pair difference = bytes_differ(left + last, right + last);
#pragma clang loop unroll(disable)
        for (size_t at = 0; at < last; at += 16) difference |= bytes_differ(left + at, right + at);
        return (difference[0] | difference[1]) == 0;
    }
    if (count >= 8) {
        size_t last = count - 8;
        return ((bytes_load64(left) ^ bytes_load64(right)) |
                (bytes_load64(left + last) ^ bytes_load64(right + last))) == 0;
    }
    if (count >= 4) {
        size_t last = count - 4;
        return ((bytes_load32(left) ^ bytes_load32(right)) |
                (bytes_load32(left + last) ^ bytes_load32(right + last))) == 0;
    }
    for (size_t at = 0; at < count; at++)
        if (left[at] != right[at]) return 0;
    return 1;
}

// Secrets of a process; see LineScanner.
struct bytes_seed {
    uint64_t first;
    uint64_t second;
    uint64_t third;
};

static inline uint64_t bytes_mix(uint64_t left, uint64_t right) {
    __uint128_t product = (__uint128_t)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// One run of bytes; the step is that of wyhash (Wang Yi, public domain). Without the secrets nobody can tell which
// runs collide, nor bring a factor to zero.
static inline __attribute__((always_inline)) uint64_t bytes_hash_run(const uint8_t *bytes, size_t count, uint64_t hash, uint64_t secret) {
    uint64_t left, right;
    if (count > 16) {
        size_t last = count - 16;
#pragma clang loop unroll(disable)
        for (size_t at = 0; at < last; at += 16)
            hash = bytes_mix(bytes_load64(bytes + at) ^ secret, bytes_load64(bytes + at + 8) ^ hash);
        left = bytes_load64(bytes + last);
        right = bytes_load64(bytes + last + 8);
    } else if (count >= 8) {
        left = bytes_load64(bytes);
        right = bytes_load64(bytes + count - 8);
    } else if (count >= 4) {
        left = bytes_load32(bytes);
        right = bytes_load32(bytes + count - 4);
    } else {
        left = count == 0 ? 0 : (uint64_t)bytes[0] << 16 | (uint64_t)bytes[count / 2] << 8 | bytes[count - 1];
        right = 0;
    }
    return bytes_mix(left ^ secret ^ count, right ^ hash);
}

// The hash of an identity: of what comes up to its first `:`, that included, and of the rest. The two do not wait for
// each other.
static inline __attribute__((always_inline)) uint64_t bytes_hash(const uint8_t *head, size_t head_count,
                                                                 const uint8_t *tail, size_t tail_count,
                                                                 struct bytes_seed seed) {
    return bytes_mix(bytes_hash_run(head, head_count, seed.first, seed.second) ^ seed.third,
                     bytes_hash_run(tail, tail_count, seed.second, seed.third) ^ seed.first);
}

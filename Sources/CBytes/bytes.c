#define _GNU_SOURCE
#include "bytes.h"

#include <sys/mman.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct marks {
    uint64_t colons;
    uint64_t ends;
};

// The bytes of a word that are zero, as bits 0…7.
static uint64_t zero_bytes(uint64_t word) {
    const uint64_t low = 0x7F7F7F7F7F7F7F7F;
    uint64_t zero = ~(((word & low) + low) | word | low);
    // Each byte's bit to a place of its own in the top byte: byte i meets the factor 2^(7 (8 - i)).
    return ((zero >> 7) * 0x0102040810204080) >> 56;
}

// Little-endian, as everything this agent runs on: byte i of the text is byte i of the word.
static struct marks mark_portable(const uint8_t *block) {
    struct marks marks = {0, 0};
    for (unsigned at = 0; at < 64; at += 8) {
        uint64_t word = bytes_load64(block + at);
        marks.colons |= zero_bytes(word ^ 0x3A3A3A3A3A3A3A3A) << at;
        marks.ends |= (zero_bytes(word ^ 0x7C7C7C7C7C7C7C7C) | zero_bytes(word ^ 0x0A0A0A0A0A0A0A0A)) << at;
    }
    return marks;
}

#if defined(__SSE2__)
static struct marks mark(const uint8_t *block) {
    const __m128i colon = _mm_set1_epi8(':'), bar = _mm_set1_epi8('|'), newline = _mm_set1_epi8('\n');
    struct marks marks = {0, 0};
    for (unsigned at = 0; at < 64; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(block + at));
        uint64_t colons = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, colon));
        uint64_t ends = (unsigned)_mm_movemask_epi8(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, bar), _mm_cmpeq_epi8(bytes, newline)));
        marks.colons |= colons << at;
        marks.ends |= ends << at;
    }
    return marks;
}
#else
static struct marks mark(const uint8_t *block) { return mark_portable(block); }
#endif

// Whole blocks are read where they lie; what is left over is copied first, so that nothing behind it is read.
#define MARK_TEXT(one)                                                     \
    size_t at = 0, word = 0;                                               \
    for (; count - at >= 64; at += 64, word++) {                           \
        struct marks marks = one(text + at);                               \
        colons[word] = marks.colons;                                       \
        ends[word] = marks.ends;                                           \
    }                                                                      \
    uint8_t rest[64] = {0};                                                \
    memcpy(rest, text + at, count - at);                                   \
    struct marks marks = one(rest);                                        \
    colons[word] = marks.colons | (uint64_t)1 << (count - at);             \
    ends[word] = marks.ends | (uint64_t)1 << (count - at);

void bytes_mark(const uint8_t *text, size_t count, uint64_t *colons, uint64_t *ends) { MARK_TEXT(mark) }

void bytes_mark_portable(const uint8_t *text, size_t count, uint64_t *colons, uint64_t *ends) {
    MARK_TEXT(mark_portable)
}

void bytes_advise_huge(void *memory, size_t count) {
#ifdef MADV_HUGEPAGE
    madvise(memory, count, MADV_HUGEPAGE);
#endif
}

#if defined(__x86_64__)
int bytes_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) uint32_t bytes_crc32c(const uint8_t *bytes, size_t count) {
    uint64_t sum = 0xFFFFFFFF;
    size_t at = 0;
    for (; at + 8 <= count; at += 8) sum = __builtin_ia32_crc32di(sum, bytes_load64(bytes + at));
    for (; at < count; at++) sum = __builtin_ia32_crc32qi((uint32_t)sum, bytes[at]);
    return ~(uint32_t)sum;
}
#else
int bytes_has_crc32c(void) { return 0; }

uint32_t bytes_crc32c(const uint8_t *bytes, size_t count) { __builtin_trap(); }
#endif

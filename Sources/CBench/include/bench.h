// What the bench needs of the system: counted allocations, counted instructions, a sender and a bare sink.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Calls of malloc, calloc, realloc and the aligned ones since the start, by any thread. The program that links this has
// its own versions of them, which count and go on to those of glibc.
uint64_t bench_allocations(void);

// Instructions that this thread executed outside of the kernel since the first call, or -1 where the machine does not
// count them.
int64_t bench_instructions(void);

// Runs the body. Callgrind is told to count in here alone: --toggle-collect=bench_measured.
void bench_measured(void (*body)(void *), void *context);

// Nanoseconds of CPU time that this process took.
int64_t bench_cpu_nanoseconds(void);

// Binds the process to one CPU; returns 0 or the errno.
int bench_pin(int cpu);

struct bench_sent {
    uint64_t datagrams;
    double seconds;
    // The errno of the call that ended it, or 0.
    int error;
};

// Sends `total` datagrams to a UDP port of 127.0.0.1, over and over from a ring of `count`: datagram i is the bytes from
// offsets[i] to offsets[i + 1]. At most `rate` a second, in bursts of half a millisecond; `progress` may be NULL.
struct bench_sent bench_send(uint16_t port, const uint8_t *bytes, const uint64_t *offsets, uint64_t count,
                             uint64_t total, double rate, void (*progress)(double share));

struct bench_received {
    uint64_t datagrams;
    uint64_t lines;
    uint32_t dropped;
    // CPU time, user and system.
    double cpu_seconds;
    int error;
};

// Receives from a UDP port of 127.0.0.1 and counts datagrams and newlines, until half a second brings nothing.
// `ready` is called with the port once it is bound.
struct bench_received bench_sink(uint16_t port, void (*ready)(uint16_t port));

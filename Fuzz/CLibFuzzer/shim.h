#include <stddef.h>
#include <stdint.h>

// libFuzzer's loop as a function (compiler-rt, "Using libFuzzer as a library"); linked by -sanitize=fuzzer.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));

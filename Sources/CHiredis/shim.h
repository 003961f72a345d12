#include <hiredis/hiredis.h>
// malloc_trim, which Glibc's module leaves out: hiredis' replies are what there is to give back.
#include <malloc.h>

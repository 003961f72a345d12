// The public face of the C shim. Only <stdint.h> and <stddef.h> here: a header with <sys/socket.h>
// breaks every Swift file that also imports Dispatch.
#pragma once
#include <stddef.h>
#include <stdint.h>

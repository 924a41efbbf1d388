// The same in a 32-bit program, whose calls come through libc and the vDSO.
#include "blocked_calls.c"

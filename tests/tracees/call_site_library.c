// What tracee_call_sites loads, twice under different names: a function that makes the call it is asked for.
#include "raw_call.h"

long call_from_library(long number);

long call_from_library(long number) { return raw_call(number); }

// What tracee_call_sites loads, twice under different names: a function that makes the call it is asked for.
long call_from_library(long number);

long call_from_library(long number) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(-1L), "S"(-1L), "d"(-1L)
                     : "rcx", "r11", "memory");
    return result;
}

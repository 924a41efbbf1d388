// Hot code on a stack like a goroutine's: a few hundred bytes or none are left below the stack pointer, and
// nothing is mapped on either side. Nobody may write there, as nothing is below the stack pointer but what
// the program keeps there.
#include "hot.h"

enum { PAGE = 4096, PLACES = 3 };

/// Makes the call so many times with the stack pointer at `stack`, without using the stack. Returns the last
/// result.
static long call_on_stack(uint8_t* stack, long number, long times) {
    long result = 0;
    register long count __asm__("rbx") = times;
    register uint8_t* here __asm__("r12") = stack;
    // The outer stack pointer is kept in r13.
    __asm__ volatile(
        "mov %%rsp, %%r13\n\t"
        "mov %%r12, %%rsp\n"
        "1:\n\t"
        "mov %[number], %%rax\n\t"
        "mov $-1, %%rdi\n\t"
        "syscall\n\t"
        "dec %%rbx\n\t"
        "jnz 1b\n\t"
        "mov %%r13, %%rsp"
        : "=&a"(result), "+r"(count), "+r"(here)
        : [number] "r"(number)
        : "rcx", "r11", "rdi", "r13", "memory", "cc");
    return result;
}

static _Noreturn void be_hot_at(uint8_t* page, int place) {
    const int offsets[PLACES] = {0, 256, PAGE};
    uint8_t* const stack = page + offsets[place];
    for (int i = 0; i < PAGE; ++i) page[i] = (uint8_t)(i * 31 + place);
    for (int i = 0; i < 10; ++i) {
        require(call_on_stack(stack, SYS_sched_getscheduler, HOT_CALLS / 10) == -EINVAL,
                "the kernel answers");
        require(call_on_stack(stack, SYS_inotify_rm_watch, HOT_CALLS / 10) == -EBADF, "the kernel answers");
    }
    require(call_on_stack(stack, FRESH + place, 1) == -ENOSYS, "the kernel does not know the number");
    for (int i = 0; i < PAGE; ++i) require(page[i] == (uint8_t)(i * 31 + place), "the stack is untouched");
    _exit(0);
}

int main(void) {
    begin();
    uint8_t* const guarded = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guarded == MAP_FAILED || mprotect(guarded + PAGE, PAGE, PROT_READ | PROT_WRITE) != 0) die("mmap");
    for (int place = 0; place < PLACES; ++place) {
        const pid_t pid = fork_child();
        if (pid == 0) be_hot_at(guarded + PAGE, place);
        wait_success(pid);
    }
    expect_fresh(0, PLACES);
    expect_processes(1 + PLACES);
    return 0;
}

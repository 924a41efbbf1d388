// One call from each kind of place that code can be in: libc, the program itself, libraries loaded at run
// time (one after another at the same address), a library in a memory file, memory filled at run time, the
// vDSO. The dynamic loader makes its own.
#include "raw_call.h"
#include "tracee.h"

#include <dlfcn.h>
#include <elf.h>

typedef long (*Call)(long number);

__attribute__((noinline)) static long call_from_program(long number) { return raw_call(number); }

static Call load(const char* path, void** library) {
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    require(*library != NULL, "the library can be loaded");
    const Call call = (Call)(intptr_t)dlsym(*library, "call_from_library");
    require(call != NULL, "the library has the function");
    return call;
}

static Call generate(void) {
    static const unsigned char code[] = {
        0x48, 0x89, 0xf8,                          // mov %rdi, %rax
        0x48, 0xc7, 0xc7, 0xff, 0xff, 0xff, 0xff,  // mov $-1, %rdi
        0x0f, 0x05, 0xc3,                          // syscall; ret
    };
    void* const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) die("mmap");
    memcpy(page, code, sizeof code);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) die("mprotect");
    return (Call)(intptr_t)page;
}

// A path to a nameless copy.
static const char* copy_in_memory(const char* path) {
    static char copy[64];
    char buffer[4096];
    ssize_t size;
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    const int to = memfd_create("code", 0);
    if (from < 0 || to < 0) die(path);
    while ((size = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, (size_t)size) != size) die("write to a memory file");
    close(from);
    snprintf(copy, sizeof copy, "/proc/self/fd/%d", to);
    return copy;
}

int main(void) {
    begin();
    getsid(-1);
    call_from_program(SYS_getpgid);

    void* library;
    const Call first = load(sibling_path("libcall_site_a.so"), &library);
    first(SYS_sched_get_priority_max);
    dlclose(library);
    const Call second = load(sibling_path("libcall_site_b.so"), &library);
    // The kernel gives an equally large library the room that has become free.
    require(second == first, "the second library is where the first one was");
    second(SYS_sched_get_priority_max);
    second(SYS_sched_get_priority_min);

    generate()(SYS_timer_getoverrun);
    load(copy_in_memory(sibling_path("libcall_site_a.so")), &library)(SYS_timer_delete);
    // Of a process's own time the vDSO knows nothing: it asks the kernel.
    struct timespec used;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) die("clock_gettime");

    expect_call(SYS_getsid, 1);
    expect_call(SYS_getpgid, 1);
    expect_call(SYS_sched_get_priority_max, 2);
    expect_call(SYS_sched_get_priority_min, 1);
    expect_call(SYS_timer_getoverrun, 1);
    expect_call(SYS_timer_delete, 1);
    expect_atleast(SYS_clock_gettime, 1);
    expect_atleast(SYS_pread64, 1);
    return 0;
}

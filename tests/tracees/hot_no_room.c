// Hot processes in which no more memory can be mapped, for want of address space, of data or of lockable
// memory: they go on as ever, and so do their children.
#include "hot.h"

#include <sys/resource.h>

enum limit { ADDRESS_SPACE, DATA, LOCKED_MEMORY, LIMITS };

static void set_limit(int resource, rlim_t value) {
    const struct rlimit limit = {value, value};
    if (setrlimit(resource, &limit) != 0) die("setrlimit");
}

static void leave_no_room(enum limit limit) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    switch (limit) {
        case ADDRESS_SPACE:
            set_limit(RLIMIT_AS, page);  // Less than there is.
            break;
        case DATA:
            set_limit(RLIMIT_DATA, 0);
            break;
        default:
            set_limit(RLIMIT_MEMLOCK, page);
            if (mlockall(MCL_FUTURE) != 0) die("mlockall");
            if (mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
                die("mmap of the only page that may be locked");
    }
    // Who may lock everything is not held by the last of them.
    if (limit == LOCKED_MEMORY && geteuid() == 0) return;
    require(mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED,
            "nothing can be mapped");
}

int main(void) {
    begin();
    for (int limit = 0; limit < LIMITS; ++limit) {
        const pid_t pid = fork_child();
        if (pid == 0) {
            leave_no_room((enum limit)limit);
            call_hotly(2 * HOT_CALLS);
            call_fresh(2 * limit);
            const pid_t grandchild = clone_like_fork(SIGCHLD);
            if (grandchild < 0) die("clone");
            if (grandchild == 0) {
                call_fresh(2 * limit + 1);
                _exit(0);
            }
            wait_success(grandchild);
            _exit(0);
        }
        wait_success(pid);
    }
    expect_fresh(0, 2 * LIMITS);
    expect_processes(1 + 2 * LIMITS);
    return 0;
}

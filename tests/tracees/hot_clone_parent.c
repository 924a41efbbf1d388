// Who the parent is does not tell whose filter a child has: a cool process makes children with CLONE_PARENT,
// whose parent is its hot one. Each makes a call that nobody else makes.
#include "hot.h"

enum { CHILDREN = 200 };

int main(void) {
    begin();
    int release_ends[2];
    char byte = 'x';
    if (pipe(release_ends) != 0) die("pipe");
    const pid_t middle = fork_child();
    if (middle == 0) {
        if (read(release_ends[0], &byte, 1) != 1) die("read");
        for (int i = 0; i < CHILDREN; ++i) {
            const pid_t pid = clone_like_fork(CLONE_PARENT | SIGCHLD);
            if (pid < 0) die("clone with CLONE_PARENT");
            if (pid > 0) continue;
            call_fresh(i);
            _exit(0);
        }
        _exit(0);
    }
    call_hotly(3 * HOT_CALLS);
    if (write(release_ends[1], &byte, 1) != 1) die("write");
    for (int i = 0; i < 1 + CHILDREN; ++i) {
        int status;
        if (waitpid(-1, &status, __WALL) < 0) die("waitpid");
        require(status == 0, "all end well");
    }
    expect_fresh(0, CHILDREN);
    expect_processes(2 + CHILDREN);
    return 0;
}

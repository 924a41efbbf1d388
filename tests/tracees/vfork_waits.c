// A parent that waits for its vfork child, where nothing but death can wake it, until the end of the input.
#include "tracee.h"

int main(void) {
    begin();
    printf("ready\n");
    const pid_t child = vfork();
    if (child < 0) die("vfork");
    if (child == 0) {
        char byte;
        while (syscall(SYS_read, STDIN_FILENO, &byte, 1) > 0) {
        }
        syscall(SYS_exit_group, 5);
    }
    print_status("the vfork child", wait_status(child));
    mark(SYS_getpgid);
    expect_call(SYS_getpgid, 1);
    expect_processes(2);
    return 0;
}

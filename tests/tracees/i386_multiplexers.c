// socketcall and ipc: one number, many calls. What belongs in the recording is the multiplexer.
#include "tracee.h"

#include <linux/net.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>

#if !defined(__i386__)
#error "to be compiled with -m32"
#endif

// From <linux/ipc.h>, which does not go together with <sys/ipc.h>.
enum { IPC_CALL_SHMGET = 23, IPC_CALL_SHMCTL = 24 };

int main(void) {
    begin();

    unsigned long socketpair_arguments[4] = {AF_UNIX, SOCK_STREAM, 0, 0};
    int ends[2];
    socketpair_arguments[3] = (unsigned long)ends;
    require(syscall(SYS_socketcall, SYS_SOCKETPAIR, socketpair_arguments) == 0,
            "socketpair through socketcall");
    unsigned long shutdown_arguments[2] = {(unsigned long)ends[0], SHUT_RDWR};
    require(syscall(SYS_socketcall, SYS_SHUTDOWN, shutdown_arguments) == 0, "shutdown through socketcall");
    require(syscall(SYS_socketcall, 999, shutdown_arguments) == -1 && errno == EINVAL, "no such socket call");

    const long segment = syscall(SYS_ipc, IPC_CALL_SHMGET, IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    require(segment >= 0, "shmget through ipc");
    require(syscall(SYS_ipc, IPC_CALL_SHMCTL, segment, IPC_RMID, 0, NULL) == 0, "shmctl through ipc");

    expect_call(SYS_socketcall, 3);
    expect_call(SYS_ipc, 2);
    expect_absent(SYS_socketpair);
    expect_absent(SYS_shutdown);
    expect_absent(SYS_shmget);
    expect_absent(SYS_shmctl);
    expect_processes(1);
    return 0;
}

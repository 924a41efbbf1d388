/* Made by callcensus from small.json.
 *
 * Compile it into a program and call small_load_seccomp() where the program is ready to be confined: the
 * filter counts from there on, for the calling thread, those that it creates, and whatever they execute.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int small_load_seccomp(void);

static struct sock_filter filter[] = {
    {0x20, 0, 0, 0x00000004},
    {0x15, 0, 1, 0xc000003e},
    {0x06, 0, 0, 0x7fff0000},
    {0x06, 0, 0, 0x00000000},
};

/* 0, or -1 with errno. Sets no_new_privs, without which loading a filter needs CAP_SYS_ADMIN. */
int small_load_seccomp(void) {
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : -1;
}

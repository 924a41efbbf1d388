/// Seccomp filters of a tracee's own: an action for each of a few calls, everything else is allowed.
#ifndef CALLCENSUS_TESTS_TRACEES_OWN_FILTER_H_
#define CALLCENSUS_TESTS_TRACEES_OWN_FILTER_H_

#include "tracee.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#if defined(__x86_64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_RISCV64
#endif

struct verdict {
    long number;
    /// A SECCOMP_RET_ action with its data.
    uint32_t action;
};

enum { MOST_VERDICTS = 16 };

/// Installs the filter and returns what seccomp(2) returned; -1 with errno on failure.
static inline long install_filter(const struct verdict* verdicts, int count, unsigned flags) {
    struct sock_filter code[4 + 2 * MOST_VERDICTS];
    unsigned short length = 0;
    require(count <= MOST_VERDICTS, "the filter is small");
    code[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_AUDIT_ARCH, 0,
                                                  (unsigned char)(1 + 2 * count));
    code[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < count; ++i) {
        const uint32_t number = (uint32_t)verdicts[i].number;
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
        code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdicts[i].action);
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {.len = length, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/// For the first filter of a tracee: skips where the kernel has none of what was asked for.
static inline long install_filter_or_skip(const struct verdict* verdicts, int count, unsigned flags) {
    const long result = install_filter(verdicts, count, flags);
    if (result < 0 && (errno == ENOSYS || errno == EINVAL)) skip("the kernel cannot install such a filter");
    if (result < 0) die("seccomp");
    return result;
}

/// Skips unless the kernel knows the action. To be called before anything is printed.
static inline void need_filter_action(uint32_t action) {
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0)
        skip("the kernel lacks that filter action");
}

#endif  // CALLCENSUS_TESTS_TRACEES_OWN_FILTER_H_

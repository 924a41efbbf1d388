#include "lint/other_ways.hpp"

#include <array>

#include "base/words.hpp"
#include "callcensus/families.hpp"

namespace callcensus {
namespace {

struct Row {
    std::string_view names;
    std::string_view ways;  // empty: the same as `names`
    std::string_view reason;
    std::string_view remedy = {};
};

// Sources: section 2 of the manual pages (man-pages 6.03) and, for newer calls, the kernel's
// include/linux/syscalls.h and include/uapi/linux/io_uring.h (6.18).
constexpr std::array rows{
    // Forms of the same call.
    Row{"chmod fchmod fchmodat fchmodat2", "", ""},
    Row{"chown chown32 fchown fchown32 fchownat lchown lchown32", "", ""},
    Row{"fsetxattr lsetxattr setxattr setxattrat", "", ""},
    Row{"fremovexattr lremovexattr removexattr removexattrat", "", ""},
    Row{"fgetxattr getxattr getxattrat lgetxattr", "", ""},
    Row{"flistxattr listxattr listxattrat llistxattr", "", ""},
    Row{"ftruncate ftruncate64 truncate truncate64", "", ""},
    Row{"chdir fchdir", "", ""},
    Row{"kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill", "", ""},
    Row{"recv recvfrom recvmmsg recvmmsg_time64 recvmsg", "", ""},
    Row{"send sendmmsg sendmsg sendto", "", ""},
    Row{"pread64 preadv preadv2 read readv", "", ""},
    Row{"pwrite64 pwritev pwritev2 write writev", "", ""},
    Row{"execve execveat", "", ""},
    Row{"finit_module init_module", "", ""},
    Row{"kexec_file_load kexec_load", "", ""},
    Row{"umount umount2", "", ""},
    Row{"quotactl quotactl_fd", "", ""},
    Row{"mprotect pkey_mprotect", "", ""},
    Row{"mlock mlock2 mlockall", "", ""},
    Row{"process_vm_readv process_vm_writev", "", ""},
    Row{"sched_setattr sched_setparam sched_setscheduler", "", ""},
    Row{"nice setpriority", "", ""},
    Row{"prlimit64 setrlimit", "", ""},
    Row{"wait4 waitid waitpid", "", ""},
    Row{"adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday stime", "", ""},
    Row{"setresuid setresuid32 setreuid setreuid32 setuid setuid32", "", ""},
    Row{"setregid setregid32 setresgid setresgid32 setgid setgid32", "", ""},
    Row{"migrate_pages move_pages", "", ""},
    Row{"mbind set_mempolicy set_mempolicy_home_node", "", ""},
    Row{"vm86 vm86old", "", ""},
    // Other calls to the same end.
    Row{"mount", "fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree open_tree_attr",
        "the newer interface mounts by them (Linux 5.2)"},
    Row{"fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree open_tree_attr", "mount",
        "the older interface mounts by it"},
    Row{"creat open openat openat2", "open_by_handle_at",
        "it opens files by number, with CAP_DAC_READ_SEARCH"},
    Row{"ptrace", "pidfd_getfd process_madvise process_vm_readv process_vm_writev",
        "they reach into other processes without tracing them"},
    Row{"process_vm_readv process_vm_writev", "ptrace", "a tracer reads and writes its tracee's memory"},
    Row{"pidfd_getfd", "ptrace", "a tracer makes its tracee pass its descriptors on"},
    Row{"unshare", "clone clone3", "they create namespaces for a new process by flags such as CLONE_NEWUSER",
        "deny clone where its first argument has such flags, and clone3 with errno 38 (ENOSYS)"},
    Row{"clone", "unshare", "it creates namespaces for the calling process by the same flags"},
    Row{"chroot", "pivot_root", "it changes the root of a mount namespace"},
    Row{"seccomp", "prctl", "PR_SET_SECCOMP loads filters, too",
        "deny prctl where its first argument is 22 (PR_SET_SECCOMP)"},
    Row{"pwrite64 pwritev pwritev2 write writev", "copy_file_range sendfile sendfile64 splice vmsplice",
        "they write what they take from another descriptor, or from memory"},
    Row{"setxattr fsetxattr lsetxattr", "file_setattr", "it changes attributes of inodes (Linux 6.17)"},
    Row{"accept accept4 bind connect fsetxattr link linkat listen mkdir mkdirat open openat openat2 pipe "
        "pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv recv recvfrom recvmsg rename "
        "renameat renameat2 rmdir send sendmsg sendto setsockopt setxattr socket splice statx symlink "
        "symlinkat unlink unlinkat write writev",
        "io_uring_setup", "io_uring makes the call inside the kernel, where no filter sees it"},
};

std::vector<OtherWays> with_families() {
    std::vector<OtherWays> all;
    for (const Family& family : all_families()) all.push_back({family.names, family.siblings, {}, {}});
    for (const Row& row : rows)
        all.push_back(
            {words_of(row.names), words_of(row.ways.empty() ? row.names : row.ways), row.reason, row.remedy});
    return all;
}

}  // namespace

std::span<const OtherWays> all_other_ways() {
    static const std::vector<OtherWays> all = with_families();
    return all;
}

}  // namespace callcensus

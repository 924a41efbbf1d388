#include "lint/other_ways.hpp"

#include <array>

#include "base/words.hpp"
#include "callcensus/families.hpp"

namespace callcensus {
namespace {

struct WayRow {
    std::string_view names;
    std::string_view ways;  // empty: the same as `names`
    std::string_view reason;
    std::string_view remedy = {};
};

// Sources: section 2 of the manual pages (man-pages 6.03) and, for newer calls, the kernel's
// include/linux/syscalls.h and include/uapi/linux/io_uring.h (6.18).
constexpr std::array way_rows{
    // Forms of the same call.
    WayRow{"chmod fchmod fchmodat fchmodat2", "", ""},
    WayRow{"chown chown32 fchown fchown32 fchownat lchown lchown32", "", ""},
    WayRow{"fsetxattr lsetxattr setxattr setxattrat", "", ""},
    WayRow{"fremovexattr lremovexattr removexattr removexattrat", "", ""},
    WayRow{"fgetxattr getxattr getxattrat lgetxattr", "", ""},
    WayRow{"flistxattr listxattr listxattrat llistxattr", "", ""},
    WayRow{"ftruncate ftruncate64 truncate truncate64", "", ""},
    WayRow{"chdir fchdir", "", ""},
    WayRow{"kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill", "", ""},
    WayRow{"recv recvfrom recvmmsg recvmmsg_time64 recvmsg", "", ""},
    WayRow{"send sendmmsg sendmsg sendto", "", ""},
    WayRow{"pread64 preadv preadv2 read readv", "", ""},
    WayRow{"pwrite64 pwritev pwritev2 write writev", "", ""},
    WayRow{"execve execveat", "", ""},
    WayRow{"finit_module init_module", "", ""},
    WayRow{"kexec_file_load kexec_load", "", ""},
    WayRow{"umount umount2", "", ""},
    WayRow{"quotactl quotactl_fd", "", ""},
    WayRow{"mprotect pkey_mprotect", "", ""},
    WayRow{"mlock mlock2 mlockall", "", ""},
    WayRow{"process_vm_readv process_vm_writev", "", ""},
    WayRow{"sched_setattr sched_setparam sched_setscheduler", "", ""},
    WayRow{"nice setpriority", "", ""},
    WayRow{"prlimit64 setrlimit", "", ""},
    WayRow{"wait4 waitid waitpid", "", ""},
    WayRow{"adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday stime", "", ""},
    WayRow{"setresuid setresuid32 setreuid setreuid32 setuid setuid32", "", ""},
    WayRow{"setregid setregid32 setresgid setresgid32 setgid setgid32", "", ""},
    WayRow{"migrate_pages move_pages", "", ""},
    WayRow{"mbind set_mempolicy set_mempolicy_home_node", "", ""},
    WayRow{"vm86 vm86old", "", ""},
    // Other calls to the same end.
    WayRow{"mount", "fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree open_tree_attr",
           "the newer interface mounts by them (Linux 5.2)"},
    WayRow{"fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree open_tree_attr", "mount",
           "the older interface mounts by it"},
    WayRow{"creat open openat openat2", "open_by_handle_at",
           "it opens files by number, with CAP_DAC_READ_SEARCH"},
    WayRow{"ptrace", "pidfd_getfd process_madvise process_vm_readv process_vm_writev",
           "they reach into other processes without tracing them"},
    WayRow{"process_vm_readv process_vm_writev", "ptrace", "a tracer reads and writes its tracee's memory"},
    WayRow{"pidfd_getfd", "ptrace", "a tracer makes its tracee pass its descriptors on"},
    WayRow{"unshare", "clone clone3",
           "they create namespaces for a new process by flags such as CLONE_NEWUSER",
           "deny clone where its first argument has such flags, and clone3 with errno 38 (ENOSYS)"},
    WayRow{"clone", "unshare", "it creates namespaces for the calling process by the same flags"},
    WayRow{"chroot", "pivot_root", "it changes the root of a mount namespace"},
    WayRow{"seccomp", "prctl", "PR_SET_SECCOMP loads filters, too",
           "deny prctl where its first argument is 22 (PR_SET_SECCOMP)"},
    WayRow{"pwrite64 pwritev pwritev2 write writev", "copy_file_range sendfile sendfile64 splice vmsplice",
           "they write what they take from another descriptor, or from memory"},
    WayRow{"setxattr fsetxattr lsetxattr", "file_setattr", "it changes attributes of inodes (Linux 6.17)"},
    WayRow{"accept accept4 bind connect fsetxattr link linkat listen mkdir mkdirat open openat openat2 pipe "
           "pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv recv recvfrom recvmsg rename "
           "renameat renameat2 rmdir send sendmsg sendto setsockopt setxattr socket splice statx symlink "
           "symlinkat unlink unlinkat write writev",
           "io_uring_setup", "io_uring makes the call inside the kernel, where no filter sees it"},
};

std::vector<OtherWays> with_families() {
    std::vector<OtherWays> all;
    for (const Family& family : all_families()) all.push_back({family.names, family.siblings, {}, {}});
    for (const WayRow& row : way_rows)
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

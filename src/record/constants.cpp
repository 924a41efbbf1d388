#include "record/constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "abi/constants.hpp"

namespace callcensus {
namespace {

// Of "A, B" those that the ABI has, with their values there.
std::vector<Constant> named(Abi abi, std::string_view names) {
    std::vector<Constant> constants;
    while (!names.empty()) {
        const auto end = names.find(',');
        const std::string_view name = names.substr(0, end);
        if (const auto value = find_constant(abi, name)) constants.push_back({*value, name});
        names.remove_prefix(end == std::string_view::npos ? names.size() : end + 2);
    }
    return constants;
}

std::vector<Constant> with(std::vector<Constant> constants, const std::vector<Constant>& more) {
    constants.insert(constants.end(), more.begin(), more.end());
    return constants;
}

// NAMED(O_CREAT, O_EXCL) is {{0x40, "O_CREAT"}, {0x80, "O_EXCL"}} on x86_64.
#define NAMED(...) named(abi, #__VA_ARGS__)

// The bits of an argument that hold one of several values, and no flags.
constexpr std::uint64_t all_bits = ~std::uint64_t{0};
constexpr std::uint64_t access_mode = 0x3;                      // O_ACCMODE
constexpr std::uint64_t map_type = 0xf;                         // MAP_TYPE
constexpr std::uint64_t socket_type = 0xf;                      // SOCK_TYPE_MASK
constexpr std::uint64_t exit_signal = 0xff;                     // CSIGNAL
constexpr std::uint64_t execution_domain = 0xff;                // PER_MASK
constexpr std::uint64_t futex_command = ~std::uint32_t{0x180};  // FUTEX_CMD_MASK

std::vector<Constants> make_tables(Abi abi) {
    const std::vector<Constant> signals =
        NAMED(SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV,
              SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
              SIGURG, SIGXCPU, SIGXFSZ, SIGPROF, SIGVTALRM, SIGIO, SIGWINCH, SIGPWR, SIGSYS);
    const std::vector<Constant> namespaces = NAMED(CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                                   CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWUSER);
    const std::vector<Constant> clone_flags =
        NAMED(CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD, CLONE_PTRACE, CLONE_VFORK,
              CLONE_PARENT, CLONE_THREAD, CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID,
              CLONE_CHILD_CLEARTID, CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID, CLONE_IO, CLONE_NEWNS,
              CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWUSER);

    return {
        {"open_flags", access_mode, NAMED(O_RDONLY, O_WRONLY, O_RDWR),
         NAMED(O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND, O_NONBLOCK, O_SYNC, O_DSYNC, FASYNC, O_DIRECT,
               O_LARGEFILE, O_TMPFILE, O_DIRECTORY, O_NOFOLLOW, O_NOATIME, O_CLOEXEC, O_PATH)},
        // Also of EFD_, SFD_, TFD_, IN_ and EPOLL_ flags, which have the values of these.
        {"fd_flags", 0, {}, NAMED(O_CLOEXEC, O_NONBLOCK, O_DIRECT)},
        {"at_flags",
         0,
         {},
         NAMED(AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH, AT_STATX_FORCE_SYNC,
               AT_STATX_DONT_SYNC, AT_RECURSIVE)},
        {"access_flags", 0, {}, NAMED(AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH)},
        {"unlink_flags", 0, {}, NAMED(AT_REMOVEDIR)},
        {"rename_flags", 0, {}, NAMED(RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT)},
        {"access", 0, {}, {{0, "F_OK"}, {4, "R_OK"}, {2, "W_OK"}, {1, "X_OK"}}},
        {"whence", all_bits, NAMED(SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE), {}},
        {"statx_mask",
         0,
         {},
         with(NAMED(STATX_BASIC_STATS, STATX_TYPE, STATX_MODE, STATX_NLINK, STATX_UID, STATX_GID, STATX_ATIME,
                    STATX_MTIME, STATX_CTIME, STATX_INO, STATX_SIZE, STATX_BLOCKS, STATX_BTIME),
              {{0x1000, "STATX_MNT_ID"}})},
        {"fcntl",
         all_bits,
         with(NAMED(F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_SETOWN,
                    F_GETOWN, F_SETSIG, F_GETSIG, F_SETOWN_EX, F_GETOWN_EX, F_OFD_GETLK, F_OFD_SETLK,
                    F_OFD_SETLKW, F_SETLEASE, F_GETLEASE, F_NOTIFY, F_DUPFD_CLOEXEC, F_SETPIPE_SZ,
                    F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS, F_GET_RW_HINT, F_SET_RW_HINT),
              {{12, "F_GETLK64"}, {13, "F_SETLK64"}, {14, "F_SETLKW64"}}),
         {}},
        {"request",
         all_bits,
         NAMED(TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCSWINSZ, TIOCGPGRP, TIOCSPGRP, TIOCSCTTY,
               TIOCNOTTY, TIOCSTI, TIOCLINUX, TIOCGPTN, TIOCSPTLCK, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX,
               FICLONE, FS_IOC_GETFLAGS, FS_IOC_SETFLAGS),
         {}},
        {"prot",
         0,
         {},
         NAMED(PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP),
         true},
        {"map_flags", map_type, NAMED(MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE),
         with(NAMED(MAP_FIXED, MAP_ANONYMOUS, MAP_GROWSDOWN, MAP_DENYWRITE, MAP_EXECUTABLE, MAP_LOCKED,
                    MAP_NORESERVE, MAP_POPULATE, MAP_NONBLOCK, MAP_STACK, MAP_HUGETLB, MAP_FIXED_NOREPLACE),
              {{0x40, "MAP_32BIT"}}),
         true},
        {"remap_flags", 0, {}, NAMED(MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP)},
        {"msync_flags", 0, {}, NAMED(MS_ASYNC, MS_INVALIDATE, MS_SYNC)},
        {"mlockall_flags", 0, {}, NAMED(MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT)},
        {"advice",
         all_bits,
         with(NAMED(MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE,
                    MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
                    MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD,
                    MADV_PAGEOUT, MADV_HWPOISON),
              {{22, "MADV_POPULATE_READ"}, {23, "MADV_POPULATE_WRITE"}, {25, "MADV_COLLAPSE"}}),
         {}},
        {"memfd_flags",
         0,
         {},
         with(NAMED(MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB),
              {{8, "MFD_NOEXEC_SEAL"}, {16, "MFD_EXEC"}})},
        {"random_flags", 0, {}, NAMED(GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE)},
        {"signal_names", all_bits, signals, {}},
        {"sigmask_how", all_bits, NAMED(SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK), {}},
        {"clone_flags", exit_signal, with({{0, ""}}, signals), clone_flags},
        // Of clone3: without the signal, and with flags that need 64 bits.
        {"clone3_flags",
         0,
         {},
         with({{0x80, "CLONE_NEWTIME"},
               {1ULL << 32, "CLONE_CLEAR_SIGHAND"},
               {1ULL << 33, "CLONE_INTO_CGROUP"}},
              clone_flags),
         true},
        {"unshare_flags",
         0,
         {},
         with(with(NAMED(CLONE_FS, CLONE_FILES, CLONE_SYSVSEM, CLONE_VM, CLONE_SIGHAND, CLONE_THREAD),
                   {{0x80, "CLONE_NEWTIME"}}),
              namespaces)},
        {"setns_flags", 0, {}, with({{0x80, "CLONE_NEWTIME"}}, namespaces)},
        {"wait_flags",
         0,
         {},
         with(NAMED(WNOHANG, WUNTRACED, WCONTINUED, WEXITED, WNOWAIT, __WNOTHREAD, __WALL),
              {{0x80000000, "__WCLONE"}})},
        {"wait_kind", all_bits, {{0, "P_ALL"}, {1, "P_PID"}, {2, "P_PGID"}, {3, "P_PIDFD"}}, {}},
        {"futex_op", futex_command,
         with(NAMED(FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP,
                    FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET,
                    FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI),
              {{13, "FUTEX_LOCK_PI2"}}),
         NAMED(FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME)},
        {"clock",
         all_bits,
         NAMED(CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
               CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
               CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM, CLOCK_TAI),
         {}},
        {"resource",
         all_bits,
         with(NAMED(RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS,
                    RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS),
              {{10, "RLIMIT_LOCKS"},
               {11, "RLIMIT_SIGPENDING"},
               {12, "RLIMIT_MSGQUEUE"},
               {13, "RLIMIT_NICE"},
               {14, "RLIMIT_RTPRIO"},
               {15, "RLIMIT_RTTIME"}}),
         {}},
        {"personality",
         execution_domain,
         {{0, "PER_LINUX"}, {8, "PER_LINUX32"}, {0xff, "0xff"}},
         with({{0xffffff00, "0xffffff00"}},
              NAMED(UNAME26, ADDR_NO_RANDOMIZE, FDPIC_FUNCPTRS, MMAP_PAGE_ZERO, ADDR_COMPAT_LAYOUT,
                    READ_IMPLIES_EXEC, ADDR_LIMIT_32BIT, SHORT_INODE, WHOLE_SECONDS, STICKY_TIMEOUTS,
                    ADDR_LIMIT_3GB))},
        {"domain",
         all_bits,
         NAMED(AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK, AF_XDP, AF_KEY,
               AF_BLUETOOTH, AF_CAN, AF_TIPC, AF_RDS, AF_AX25, AF_IPX, AF_APPLETALK, AF_X25, AF_PPPOX, AF_NFC,
               AF_KCM, AF_QIPCRTR, AF_SMC),
         {}},
        {"socket_type", socket_type,
         NAMED(SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP, SOCK_PACKET),
         NAMED(SOCK_CLOEXEC, SOCK_NONBLOCK)},
        {"accept_flags", 0, {}, NAMED(SOCK_CLOEXEC, SOCK_NONBLOCK)},
        {"shutdown_how", all_bits, NAMED(SHUT_RD, SHUT_WR, SHUT_RDWR), {}},
        {"msg_flags",
         0,
         {},
         NAMED(MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_CTRUNC, MSG_TRUNC, MSG_DONTWAIT, MSG_EOR, MSG_WAITALL,
               MSG_CONFIRM, MSG_ERRQUEUE, MSG_NOSIGNAL, MSG_MORE, MSG_WAITFORONE, MSG_ZEROCOPY, MSG_FASTOPEN,
               MSG_CMSG_CLOEXEC)},
        {"socket_level",
         all_bits,
         with(NAMED(SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6, SOL_PACKET),
              {{270, "SOL_NETLINK"}, {279, "SOL_ALG"}}),
         {}},
        {"socketcall",
         all_bits,
         {{1, "SYS_SOCKET"},    {2, "SYS_BIND"},        {3, "SYS_CONNECT"},     {4, "SYS_LISTEN"},
          {5, "SYS_ACCEPT"},    {6, "SYS_GETSOCKNAME"}, {7, "SYS_GETPEERNAME"}, {8, "SYS_SOCKETPAIR"},
          {9, "SYS_SEND"},      {10, "SYS_RECV"},       {11, "SYS_SENDTO"},     {12, "SYS_RECVFROM"},
          {13, "SYS_SHUTDOWN"}, {14, "SYS_SETSOCKOPT"}, {15, "SYS_GETSOCKOPT"}, {16, "SYS_SENDMSG"},
          {17, "SYS_RECVMSG"},  {18, "SYS_ACCEPT4"},    {19, "SYS_RECVMMSG"},   {20, "SYS_SENDMMSG"}},
         {}},
        {"epoll_op", all_bits, NAMED(EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD), {}},
        {"prctl",
         all_bits,
         with(NAMED(PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_GET_KEEPCAPS,
                    PR_SET_KEEPCAPS, PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP, PR_SET_SECCOMP,
                    PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_GET_TSC, PR_SET_TSC, PR_GET_SECUREBITS,
                    PR_SET_SECUREBITS, PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_TASK_PERF_EVENTS_DISABLE,
                    PR_TASK_PERF_EVENTS_ENABLE, PR_MCE_KILL, PR_MCE_KILL_GET, PR_SET_MM, PR_SET_PTRACER,
                    PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS,
                    PR_GET_TID_ADDRESS, PR_SET_THP_DISABLE, PR_GET_THP_DISABLE, PR_CAP_AMBIENT,
                    PR_GET_SPECULATION_CTRL, PR_SET_SPECULATION_CTRL, PR_SET_IO_FLUSHER, PR_GET_IO_FLUSHER),
              {{59, "PR_SET_SYSCALL_USER_DISPATCH"},
               {62, "PR_SCHED_CORE"},
               {65, "PR_SET_MDWE"},
               {66, "PR_GET_MDWE"},
               {0x53564d41, "PR_SET_VMA"}}),
         {}},
        {"arch_prctl",
         all_bits,
         {{0x1001, "ARCH_SET_GS"},
          {0x1002, "ARCH_SET_FS"},
          {0x1003, "ARCH_GET_FS"},
          {0x1004, "ARCH_GET_GS"},
          {0x1011, "ARCH_GET_CPUID"},
          {0x1012, "ARCH_SET_CPUID"},
          {0x1021, "ARCH_GET_XCOMP_SUPP"},
          {0x1022, "ARCH_GET_XCOMP_PERM"},
          {0x1023, "ARCH_REQ_XCOMP_PERM"},
          {0x3001, "ARCH_CET_STATUS"},
          {0x5001, "ARCH_SHSTK_ENABLE"},
          {0x5002, "ARCH_SHSTK_DISABLE"}},
         {}},
        {"seccomp_op",
         all_bits,
         NAMED(SECCOMP_SET_MODE_STRICT, SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL,
               SECCOMP_GET_NOTIF_SIZES),
         {}},
        {"seccomp_flags",
         0,
         {},
         with(NAMED(SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                    SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_TSYNC_ESRCH),
              {{0x20, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}})},
        {"ptrace",
         all_bits,
         NAMED(PTRACE_TRACEME, PTRACE_PEEKTEXT, PTRACE_PEEKDATA, PTRACE_PEEKUSER, PTRACE_POKETEXT,
               PTRACE_POKEDATA, PTRACE_POKEUSER, PTRACE_CONT, PTRACE_KILL, PTRACE_SINGLESTEP, PTRACE_ATTACH,
               PTRACE_DETACH, PTRACE_SYSCALL, PTRACE_SETOPTIONS, PTRACE_GETEVENTMSG, PTRACE_GETSIGINFO,
               PTRACE_SETSIGINFO, PTRACE_GETREGSET, PTRACE_SETREGSET, PTRACE_SEIZE, PTRACE_INTERRUPT,
               PTRACE_LISTEN),
         {}},
        {"bpf",
         all_bits,
         NAMED(BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM,
               BPF_MAP_GET_NEXT_KEY, BPF_PROG_LOAD, BPF_OBJ_PIN, BPF_OBJ_GET, BPF_PROG_ATTACH,
               BPF_PROG_DETACH, BPF_PROG_TEST_RUN, BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_QUERY,
               BPF_RAW_TRACEPOINT_OPEN, BPF_BTF_LOAD, BPF_LINK_CREATE),
         {}},
        {"keyctl",
         all_bits,
         NAMED(KEYCTL_GET_KEYRING_ID, KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_UPDATE, KEYCTL_REVOKE, KEYCTL_CHOWN,
               KEYCTL_SETPERM, KEYCTL_DESCRIBE, KEYCTL_CLEAR, KEYCTL_LINK, KEYCTL_UNLINK, KEYCTL_SEARCH,
               KEYCTL_READ, KEYCTL_INSTANTIATE, KEYCTL_SET_TIMEOUT, KEYCTL_INVALIDATE),
         {}},
        {"reboot",
         all_bits,
         NAMED(LINUX_REBOOT_CMD_RESTART, LINUX_REBOOT_CMD_HALT, LINUX_REBOOT_CMD_CAD_ON,
               LINUX_REBOOT_CMD_CAD_OFF, LINUX_REBOOT_CMD_POWER_OFF, LINUX_REBOOT_CMD_RESTART2,
               LINUX_REBOOT_CMD_SW_SUSPEND, LINUX_REBOOT_CMD_KEXEC),
         {}},
        {"mount_flags",
         0,
         {},
         NAMED(MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_SYNCHRONOUS, MS_REMOUNT, MS_MANDLOCK, MS_DIRSYNC,
               MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_MOVE, MS_REC, MS_SILENT, MS_POSIXACL, MS_UNBINDABLE,
               MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_RELATIME, MS_STRICTATIME, MS_LAZYTIME),
         true},
        // include/linux/fs.h, which the kernel does not export.
        {"umount_flags",
         0,
         {},
         {{1, "MNT_FORCE"}, {2, "MNT_DETACH"}, {4, "MNT_EXPIRE"}, {8, "UMOUNT_NOFOLLOW"}}},
        {"open_tree_flags",
         0,
         {},
         NAMED(OPEN_TREE_CLONE, O_CLOEXEC, AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW,
               AT_NO_AUTOMOUNT)},
        {"flock", 0, {}, {{1, "LOCK_SH"}, {2, "LOCK_EX"}, {8, "LOCK_UN"}, {4, "LOCK_NB"}}},
    };
}

#undef NAMED

const std::vector<Constants>& tables(Abi abi) {
    static std::map<Abi, std::vector<Constants>> all;
    std::vector<Constants>& list = all[abi];
    if (list.empty()) list = make_tables(abi);
    return list;
}

std::string number_or_name(const std::vector<Constant>& names, std::uint64_t value) {
    const auto found =
        std::find_if(names.begin(), names.end(), [&](const Constant& row) { return row.value == value; });
    return found == names.end() ? hexadecimal(value) : std::string(found->name);
}

}  // namespace

const Constants* find_constants(Abi abi, std::string_view kind) {
    const std::vector<Constants>& list = tables(abi);
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const Constants& row) { return row.kind == kind; });
    return found == list.end() ? nullptr : &*found;
}

std::string show_constant(const Constants& constants, std::uint64_t value) {
    if (!constants.is_long) value &= UINT32_MAX;
    const std::uint64_t field = value & constants.field;
    std::string text = constants.field == 0 ? std::string() : number_or_name(constants.values, field);
    if (constants.field == 0 && value == 0) return number_or_name(constants.flags, 0);
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "|") + part; };
    std::uint64_t rest = value & ~constants.field;
    for (const Constant& flag : constants.flags) {
        if (flag.value == 0 || (rest & flag.value) != flag.value) continue;
        add(std::string(flag.name));
        rest &= ~flag.value;
    }
    if (rest != 0) add(hexadecimal(rest));
    return text.empty() ? "0" : text;
}

std::string hexadecimal(std::uint64_t value) { return value == 0 ? "0" : fmt::format("{:#x}", value); }

}  // namespace callcensus

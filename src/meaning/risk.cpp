#include "callcensus/risk.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "base/words.hpp"

namespace callcensus {
namespace {

// Sources. What Docker's default profile grants: moby/profiles, seccomp/default.json at 02e898b1 (2026;
// before 2025 profiles/seccomp/default.json of moby/moby), of which tests/golden/docker-default.json holds
// the facts. io_uring_* have been withheld since Docker 25 (moby pull request 46762). Where two capabilities
// grant a call each, the narrower one stands here. Podman's profile (containers-common 0.50, seccomp.json) is
// wider: without a capability it grants the mount family, setns, unshare, clone3, pidfd_getfd, keyctl,
// pivot_root, reboot, syslog and the calls for memory policy, and relies on the kernel's own checks.
//
// What a call is dangerous for: the calls' manual pages (man-pages 6.03), capabilities(7), the kernel's
// Documentation/admin-guide/sysctl/{kernel,vm}.rst, Documentation/userspace-api, and the CVEs named.
struct RiskRow {
    RiskClass cls;
    std::string_view capability;
    std::string_view names;
    std::string_view reason;
};

constexpr auto dangerous = RiskClass::dangerous;
constexpr auto needs = RiskClass::needs_capability;
constexpr auto withheld = RiskClass::withheld;

constexpr std::array risk_rows{
    // Other ways to make calls, past this filter.
    RiskRow{
        dangerous, "", "io_uring_enter io_uring_register io_uring_setup",
        "makes calls inside the kernel where no seccomp filter sees them; many exploits (CVE-2021-41073, CVE-2022-29582)"},
    RiskRow{
        dangerous, "", "ptrace",
        "takes over other processes of the container; before Linux 4.8 it also bypassed seccomp filters (seccomp(2))"},
    RiskRow{dangerous, "", "process_vm_readv process_vm_writev",
            "reads or writes the memory of other processes, with the secrets in it"},
    RiskRow{dangerous, "CAP_SYS_PTRACE", "pidfd_getfd",
            "takes open files and sockets out of other processes"},
    // The kernel and the machine themselves.
    RiskRow{
        dangerous, "CAP_BPF", "bpf",
        "loads code into the kernel; flaws in its verifier gave full control (CVE-2017-16995, CVE-2021-3490)"},
    RiskRow{dangerous, "CAP_SYS_MODULE", "delete_module finit_module init_module",
            "loads or removes kernel modules: control of the host's kernel"},
    RiskRow{dangerous, "", "create_module", "loaded kernel modules before Linux 2.6"},
    RiskRow{dangerous, "", "kexec_file_load kexec_load", "boots another kernel in place of the host's"},
    RiskRow{dangerous, "CAP_SYS_RAWIO", "ioperm iopl", "reaches the hardware's ports past the kernel"},
    RiskRow{dangerous, "CAP_PERFMON", "perf_event_open",
            "measures the kernel and other processes, and has given control of the kernel (CVE-2013-2094)"},
    RiskRow{
        dangerous, "", "userfaultfd",
        "halts the kernel in the middle of a copy from user memory, which makes its races easy to exploit"},
    RiskRow{
        dangerous, "", "add_key keyctl request_key",
        "reaches the kernel's keys, which a container may share with the host (CVE-2016-0728: control of the kernel)"},
    // Namespaces, mounts and files outside.
    RiskRow{
        dangerous, "CAP_SYS_ADMIN", "unshare",
        "a new user namespace gives every capability in it, and so opens much more of the kernel (CVE-2022-0492)"},
    RiskRow{dangerous, "CAP_SYS_ADMIN", "setns",
            "enters other namespaces: those of the host, through a leaked descriptor"},
    RiskRow{
        dangerous, "CAP_SYS_ADMIN", "mount",
        "shows the host's devices and kernel file systems to the container, or runs flawed file system code"},
    RiskRow{dangerous, "CAP_SYS_ADMIN", "umount umount2",
            "uncovers what the runtime has hidden by mounts, such as parts of /proc"},
    RiskRow{
        dangerous, "CAP_SYS_ADMIN", "fsconfig fsmount fsopen fspick",
        "mounts file systems (the newer interface): as mount; an overflow in it left containers (CVE-2022-0185)"},
    RiskRow{dangerous, "CAP_SYS_ADMIN", "mount_setattr move_mount open_tree",
            "copies, moves and changes mounts: as mount, also to make read-only ones writable"},
    RiskRow{dangerous, "", "open_tree_attr",
            "copies and changes mounts: as open_tree and mount_setattr (Linux 6.15)"},
    RiskRow{dangerous, "", "pivot_root",
            "exchanges the root of the mount namespace, on which the container rests"},
    RiskRow{
        dangerous, "CAP_DAC_READ_SEARCH", "open_by_handle_at",
        "opens files by number, not by path, so also outside of the container (the Shocker exploit of 2014)"},

    // What one capability is for.
    RiskRow{
        needs, "CAP_SYS_ADMIN", "clone3",
        "may create namespaces, and takes its flags from memory, where no filter can look; libc falls back to clone"},
    RiskRow{needs, "CAP_SYS_ADMIN", "fanotify_init",
            "sees, and can forbid, what others do with files of whole mounts"},
    RiskRow{needs, "CAP_SYS_ADMIN", "lookup_dcookie",
            "turned the kernel's file cookies into paths, for profilers (until Linux 6.8)"},
    RiskRow{needs, "CAP_SYS_ADMIN", "lsm_get_self_attr lsm_list_modules lsm_set_self_attr",
            "reads and changes what security modules (AppArmor, SELinux) hold of the process"},
    RiskRow{needs, "CAP_SYS_ADMIN", "quotactl quotactl_fd",
            "manages the disk quotas of the host's file systems"},
    RiskRow{needs, "CAP_SYS_ADMIN", "setdomainname sethostname", "renames the machine, or the container"},
    RiskRow{needs, "CAP_SYSLOG", "syslog",
            "reads the kernel's log, with addresses that help an attacker, or clears it"},
    RiskRow{needs, "CAP_SYS_BOOT", "reboot",
            "reboots: the host, or from a PID namespace of its own that namespace"},
    RiskRow{needs, "CAP_SYS_CHROOT", "chroot",
            "changes the root directory; with open descriptors also a way out of one"},
    RiskRow{needs, "CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
            "places memory on the host's NUMA nodes"},
    RiskRow{needs, "CAP_SYS_PACCT", "acct",
            "switches the host's process accounting, and tells of other processes"},
    RiskRow{needs, "CAP_SYS_PTRACE", "kcmp",
            "compares kernel objects of processes, which tells of other processes"},
    RiskRow{needs, "CAP_SYS_PTRACE", "process_madvise",
            "advises on the memory of other processes: can slow them down"},
    RiskRow{needs, "CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime",
            "sets the clock of the whole host"},
    RiskRow{needs, "CAP_SYS_TTY_CONFIG", "vhangup", "hangs up the terminal for every process on it"},

    // What no container gets by default.
    RiskRow{withheld, "", "migrate_pages move_pages",
            "moves the memory of processes between the host's NUMA nodes"},
    RiskRow{withheld, "", "swapoff swapon", "switches the host's swap space"},
    RiskRow{withheld, "", "_sysctl",
            "read and wrote kernel parameters (until Linux 5.5; /proc/sys replaces it)"},
    RiskRow{withheld, "", "nfsservctl", "spoke to the kernel's NFS server (until Linux 3.1)"},
    RiskRow{withheld, "", "sysfs ustat",
            "tells of the host's file systems; obsolete: /proc/filesystems, statfs"},
    RiskRow{withheld, "", "uselib",
            "loaded a shared library by an old format; obsolete, and exploited (CVE-2004-1235)"},
    RiskRow{withheld, "", "bdflush",
            "steered the writing of dirty buffers; obsolete (removed in Linux 5.15)"},
    RiskRow{withheld, "", "get_kernel_syms query_module",
            "listed kernel symbols and modules before Linux 2.6"},
    RiskRow{withheld, "", "vm86 vm86old",
            "runs 16-bit code: rarely used kernel code that only DOS emulators need"},
    RiskRow{withheld, "", "pciconfig_iobase pciconfig_read pciconfig_write",
            "reaches the configuration of PCI devices"},
    RiskRow{withheld, "", "rtas", "calls the firmware of the machine"},
    RiskRow{withheld, "", "subpage_prot switch_endian sys_debug_setcontext",
            "particular to PowerPC: little used kernel code"},
    RiskRow{withheld, "", "spu_create spu_run",
            "ran code on the Cell processor's cores: little used kernel code"},
    RiskRow{withheld, "", "s390_guarded_storage", "sets up guarded storage (s390): little used kernel code"},
    RiskRow{withheld, "", "s390_sthyi", "tells of the machine and its hypervisor (s390)"},
    RiskRow{withheld, "", "cachectl sysmips", "particular to MIPS: little used kernel code"},
    RiskRow{withheld, "", "get_tls usr26 usr32", "particular to ARM: little used kernel code"},
    RiskRow{withheld, "", "file_getattr file_setattr",
            "reads and changes inode flags such as immutable (Linux 6.17): newer than Docker's profile"},
    RiskRow{withheld, "", "listns", "lists namespaces (Linux 6.19): newer than Docker's profile"},
    RiskRow{withheld, "", "uprobe",
            "for the kernel's own use by uprobes on x86_64 (Linux 6.18): newer than Docker's profile"},
    // Harmless forerunners that only 32-bit ABIs have: old programs need them, nobody else does.
    RiskRow{withheld, "", "nice oldfstat oldlstat oldolduname oldstat olduname readdir",
            "a forerunner of a call of today (setpriority, stat, uname, getdents): harmless, obsolete"},
    RiskRow{withheld, "", "sgetmask sigaction signal sigpending sigsuspend ssetmask",
            "a forerunner of the rt_sig calls, for old 32-bit programs: harmless, obsolete"},
    RiskRow{withheld, "", "syscall", "makes any other call indirectly (MIPS o32)"},
    RiskRow{
        withheld, "",
        "afs_syscall break ftime getpmsg gtty idle lock mpx multiplexer prof profil putpmsg security stty timerfd tuxcall ulimit vserver",
        "has a number but was never implemented, or long ago: no program needs it"},
};

std::vector<RiskyCall> by_name() {
    std::vector<RiskyCall> calls;
    for (const RiskRow& row : risk_rows)
        for (const std::string_view name : words_of(row.names))
            calls.push_back({name, {row.cls, row.capability, row.reason}});
    std::sort(calls.begin(), calls.end(),
              [](const RiskyCall& a, const RiskyCall& b) { return a.name < b.name; });
    return calls;
}

}  // namespace

std::string_view id(RiskClass cls) {
    constexpr std::array<std::string_view, 4> ids{"ordinary", "needs-capability", "withheld", "dangerous"};
    return ids.at(static_cast<std::size_t>(cls));
}

std::span<const RiskyCall> all_risky_calls() {
    static const std::vector<RiskyCall> calls = by_name();
    return calls;
}

Risk risk_of(std::string_view call) {
    const auto calls = all_risky_calls();
    const auto place =
        std::lower_bound(calls.begin(), calls.end(), call,
                         [](const RiskyCall& row, std::string_view name) { return row.name < name; });
    return place != calls.end() && place->name == call ? place->risk : Risk{};
}

}  // namespace callcensus

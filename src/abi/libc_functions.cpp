#include "abi/libc_functions.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/nearest.hpp"
#include "base/words.hpp"

namespace callcensus {
namespace {

// Sources: the manual pages of the functions and, where their names differ from the calls', the sections "C
// library/kernel differences" (man-pages 6.03). Names that some ABI has as calls of its own (send, stat64,
// sigaction) stand here for the ABIs that have not.
const std::vector<LibcFunctions>& rows() {
    static const std::vector<LibcFunctions> functions{
        // Files by descriptor.
        {"pread", "pread64"},
        {"aio_read", "pread64"},
        {"pwrite", "pwrite64"},
        {"aio_write", "pwrite64"},
        {"aio_fsync", "fsync fdatasync"},
        {"lseek64 llseek fseek fseeko fseeko64 ftell ftello rewind rewinddir seekdir", "lseek _llseek"},
        {"fread fgets fgetc getc getchar getline getdelim gets scanf fscanf eventfd_read", "read readv"},
        {"fwrite fflush fprintf printf dprintf vprintf vfprintf fputs fputc putc puts putchar perror eventfd_write",
         "write writev"},
        {"fclose closedir mq_close", "close"},
        {"closefrom", "close_range close"},
        {"fcntl64 lockf lockf64", "fcntl fcntl64"},
        {"ftruncate64", "ftruncate ftruncate64"},
        {"fstat64 __fxstat __fxstat64", "fstat newfstatat statx fstat64"},
        {"fstatvfs fstatvfs64 fstatfs64", "fstatfs fstatfs64"},
        {"fadvise posix_fadvise posix_fadvise64", "fadvise64 fadvise64_64 arm_fadvise64_64"},
        {"fallocate64 posix_fallocate posix_fallocate64", "fallocate"},
        {"sendfile64", "sendfile sendfile64"},
        {"preadv64", "preadv"},
        {"pwritev64", "pwritev"},
        {"isatty tcgetattr tcsetattr tcgetpgrp tcsetpgrp tcgetsid tcdrain tcflow tcflush tcsendbreak "
         "grantpt unlockpt ptsname ptsname_r sockatmark if_nametoindex if_indextoname",
         "ioctl"},
        {"ttyname ttyname_r", "ioctl readlink readlinkat"},
        // Files by path.
        {"open64 openat64 fopen fopen64 freopen opendir tmpfile mkstemp mkostemp shm_open sem_open posix_openpt getpt",
         "openat open"},
        {"creat64", "creat openat"},
        {"openpty forkpty", "openat open ioctl"},
        {"readdir readdir64 readdir_r scandir getdirentries ftw nftw glob", "getdents64"},
        {"stat64 __xstat __xstat64", "stat newfstatat statx stat64"},
        {"lstat64 __lxstat __lxstat64", "lstat newfstatat statx lstat64"},
        {"fstatat fstatat64 __fxstatat", "newfstatat statx fstatat64"},
        {"statvfs statvfs64 statfs64", "statfs statfs64"},
        {"truncate64", "truncate truncate64"},
        {"eaccess euidaccess", "faccessat2 faccessat access"},
        {"mkfifo", "mknod mknodat"},
        {"mkfifoat", "mknodat"},
        {"mkdtemp", "mkdir mkdirat"},
        {"remove", "unlink rmdir unlinkat"},
        {"shm_unlink sem_unlink", "unlink unlinkat"},
        {"realpath canonicalize_file_name", "readlink readlinkat"},
        {"getwd get_current_dir_name", "getcwd"},
        {"lchmod", "fchmodat fchmodat2"},
        {"utimes lutimes futimes futimens", "utimensat utimensat_time64"},
        {"umount", "umount2"},
        // Processes and threads.
        {"execl execle execlp execv execvp execvpe", "execve"},
        {"fexecve", "execveat execve"},
        {"posix_spawn posix_spawnp system popen", "clone3 clone vfork execve"},
        {"pthread_create thrd_create", "clone3 clone"},
        {"clone2 __clone", "clone"},
        {"daemon", "clone fork setsid"},
        {"_exit _Exit quick_exit", "exit_group"},
        {"pthread_exit thrd_exit", "exit"},
        {"wait wait3 pclose waitpid", "wait4 waitpid"},
        {"setpgrp", "setpgid"},
        {"nice", "setpriority getpriority"},
        {"pthread_setaffinity_np", "sched_setaffinity"},
        {"pthread_getaffinity_np get_nprocs sysconf", "sched_getaffinity"},
        {"pthread_setschedparam pthread_setschedprio", "sched_setscheduler sched_setparam"},
        {"pthread_getschedparam", "sched_getscheduler sched_getparam"},
        {"pthread_yield thrd_yield", "sched_yield"},
        {"sched_getcpu", "getcpu"},
        {"pthread_join thrd_join pthread_mutex_lock pthread_mutex_timedlock pthread_mutex_unlock "
         "pthread_cond_wait pthread_cond_timedwait pthread_cond_signal pthread_cond_broadcast "
         "pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_unlock pthread_barrier_wait "
         "sem_wait sem_timedwait sem_clockwait sem_post mtx_lock mtx_unlock cnd_wait cnd_signal",
         "futex futex_time64"},
        // Signals.
        {"sigaction signal sigset sigignore siginterrupt bsd_signal sysv_signal", "rt_sigaction"},
        {"sigprocmask pthread_sigmask sigblock sigsetmask sighold sigrelse siglongjmp getcontext setcontext swapcontext",
         "rt_sigprocmask"},
        {"sigsuspend sigpause", "rt_sigsuspend"},
        {"sigpending", "rt_sigpending"},
        {"sigtimedwait sigwaitinfo sigwait", "rt_sigtimedwait rt_sigtimedwait_time64"},
        {"sigreturn", "rt_sigreturn"},
        {"sigqueue", "rt_sigqueueinfo"},
        {"pthread_sigqueue", "rt_tgsigqueueinfo"},
        {"raise abort pthread_kill pthread_cancel", "tgkill tkill"},
        {"killpg", "kill"},
        {"pause", "ppoll"},
        // Time.
        {"sleep usleep thrd_sleep", "clock_nanosleep clock_nanosleep_time64 nanosleep"},
        {"clock time ftime timespec_get", "clock_gettime clock_gettime64"},
        {"timespec_getres", "clock_getres clock_getres_time64"},
        {"stime", "clock_settime clock_settime64"},
        {"adjtime ntp_adjtime ntp_gettime", "adjtimex clock_adjtime clock_adjtime64"},
        {"alarm ualarm", "setitimer"},
        {"pselect", "pselect6 pselect6_time64"},
        // Memory.
        {"malloc calloc realloc free posix_memalign aligned_alloc", "brk mmap mmap2 mremap munmap"},
        {"sbrk", "brk"},
        {"mmap64", "mmap mmap2"},
        {"posix_madvise", "madvise"},
        {"dlopen", "openat read mmap mmap2 mprotect"},
        // Sockets and queues.
        {"send", "sendto"},
        {"recv", "recvfrom"},
        {"getaddrinfo gethostbyname getnameinfo", "socket connect sendto sendmmsg recvfrom poll ppoll"},
        {"mq_send", "mq_timedsend mq_timedsend_time64"},
        {"mq_receive", "mq_timedreceive mq_timedreceive_time64"},
        {"mq_getattr mq_setattr", "mq_getsetattr"},
        // Users, limits and the machine.
        {"seteuid", "setresuid setresuid32"},
        {"setegid", "setresgid setresgid32"},
        {"initgroups", "setgroups setgroups32"},
        {"getrlimit64 getdtablesize", "prlimit64 getrlimit ugetrlimit"},
        {"setrlimit64", "prlimit64 setrlimit"},
        {"ulimit", "prlimit64 getrlimit setrlimit ugetrlimit"},
        {"prlimit", "prlimit64"},
        {"gethostname getdomainname", "uname"},
        {"getloadavg", "openat read"},
        {"klogctl", "syslog"},
        {"sysctl", "_sysctl"},
        {"arc4random arc4random_buf arc4random_uniform getentropy", "getrandom"},
    };
    return functions;
}

std::vector<std::string> of_these_abis(std::string_view calls, const std::set<Abi>& abis) {
    std::vector<std::string> there;
    for (const std::string_view call : words_of(calls))
        if (exists_on_any(abis, call)) there.emplace_back(call);
    return there;
}

// As C headers, the kernel's sources and its traces write them.
std::string_view without_prefix(std::string_view name) {
    for (const std::string_view prefix : {"__NR_", "SYS_", "__x64_sys_", "__arm64_sys_", "__ia32_sys_",
                                          "__se_sys_", "ksys_", "sys_enter_", "sys_exit_", "sys_"})
        if (name.rfind(prefix, 0) == 0) return name.substr(prefix.size());
    return name;
}

}  // namespace

const std::vector<LibcFunctions>& all_libc_functions() { return rows(); }

std::vector<std::string> calls_behind(std::string_view function, const std::set<Abi>& abis) {
    static const auto by_name = [] {
        std::map<std::string_view, std::string_view> calls;
        for (const LibcFunctions& row : rows())
            for (const std::string_view name : words_of(row.names)) calls.emplace(name, row.calls);
        return calls;
    }();
    const auto found = by_name.find(function);
    if (found == by_name.end() || exists_on_any(abis, function)) return {};
    return of_these_abis(found->second, abis);
}

std::vector<std::string> meant_calls(std::string_view name, const std::set<Abi>& abis) {
    const std::string_view bare = without_prefix(name);
    if (bare != name && exists_on_any(abis, bare)) return {std::string(bare)};
    if (auto calls = calls_behind(bare, abis); !calls.empty()) return calls;
    std::vector<std::string_view> candidates;
    for (const std::string& call : all_syscall_names())
        if (exists_on_any(abis, call)) candidates.emplace_back(call);
    std::string nearest = nearest_word(bare, candidates);
    return nearest.empty() ? std::vector<std::string>{} : std::vector{std::move(nearest)};
}

}  // namespace callcensus

// What evaluate() answers against what the kernel does: filters are really loaded, and the calls made.
//
// A call that a filter lets through must do no harm, and the kernel must be seen to decide it. So most
// filters are loaded in front of one that refuses everything with an errno of its own: whatever is weaker
// than ERRNO then shows as that (of several filters the strictest answer counts; seccomp(2)), and any call
// can be made with any arguments. The others are asked about harmless calls only, which shows TRACE apart
// from ALLOW, and the kernel's own way of remembering constant answers (seccomp_cache_prepare(),
// kernel/seccomp.c).
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "bpf/filter.hpp"
#include "callcensus/compile.hpp"
#include "callcensus/format.hpp"
#include "callcensus/meaning.hpp"
#include "catch.hpp"
#include "meaning/loading.hpp"
#include "random_profiles.hpp"

namespace kernel_test {

#if defined(__x86_64__) && !defined(__ILP32__)

using namespace callcensus;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int rounds = 100;
#else
constexpr int rounds = 300;
#endif

// Sanitizers call functions of theirs, which make calls.
#define RUNS_UNDER_THE_FILTER __attribute__((no_sanitize("address"), no_sanitize("undefined"), noinline))

enum class Outcome : int { none, returned, trapped, thread_killed, process_killed };

struct Query {
    bool by_int80 = false;
    std::uint32_t number = 0;
    std::uint64_t arguments[6]{};

    volatile Outcome outcome = Outcome::none;
    volatile std::int64_t value = 0;  // the result; of a trap si_errno
    // What else the signal of a trap says.
    volatile std::uint32_t trapped_number = 0;
    volatile std::uint32_t trapped_arch = 0;
    volatile std::uint64_t trapped_at = 0;
};

constexpr std::size_t max_queries = 256;

// In memory that the processes share, so that nothing needs to be called to report.
struct Shared {
    volatile std::uint32_t next = 0;
    volatile std::uint32_t count = 0;
    volatile int error = 0;
    volatile std::uint32_t worker = 0;
    sock_fprog filters[2]{};  // in the order of loading; none where there is no code
    Query queries[max_queries]{};
};
Shared* shared = nullptr;

// One instruction of each kind makes all calls: what is behind it is part of what a filter sees.
extern "C" const char callcensus_test_behind_syscall[];
extern "C" const char callcensus_test_behind_int80[];

RUNS_UNDER_THE_FILTER std::int64_t make_by_syscall(std::uint32_t number, const std::uint64_t* arguments) {
    std::int64_t result = 0;
    __asm__ volatile(
        "mov 24(%[arguments]), %%r10\n\t"
        "mov 32(%[arguments]), %%r8\n\t"
        "mov 40(%[arguments]), %%r9\n\t"
        "syscall\n"
        ".globl callcensus_test_behind_syscall\n"
        "callcensus_test_behind_syscall:\n"
        : "=a"(result)
        : "a"(std::uint64_t{number}), [arguments] "b"(arguments), "D"(arguments[0]), "S"(arguments[1]),
          "d"(arguments[2])
        : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
    return result;
}

// The sixth argument goes to what may be the frame pointer.
RUNS_UNDER_THE_FILTER std::int64_t make_by_int80(std::uint32_t number, const std::uint64_t* arguments) {
    std::int64_t result = 0;
    __asm__ volatile(
        "mov %%rbp, %%r12\n\t"
        "mov 0(%[arguments]), %%rbx\n\t"
        "mov 40(%[arguments]), %%rbp\n\t"
        "int $0x80\n"
        ".globl callcensus_test_behind_int80\n"
        "callcensus_test_behind_int80:\n\t"
        "mov %%r12, %%rbp\n"
        : "=a"(result)
        : "a"(std::uint64_t{number}), "c"(arguments[1]), "d"(arguments[2]), "S"(arguments[3]),
          "D"(arguments[4]), [arguments] "r"(arguments)
        : "rbx", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    return static_cast<std::int32_t>(result);
}

// SIGILL ends the process: that takes no call.
[[noreturn]] RUNS_UNDER_THE_FILTER void stop_here() {
    for (;;) __asm__ volatile("ud2");
}

[[noreturn]] RUNS_UNDER_THE_FILTER void make_calls() {
    while (shared->next < shared->count) {
        Query& query = shared->queries[shared->next];
        query.value = query.by_int80 ? make_by_int80(query.number, query.arguments)
                                     : make_by_syscall(query.number, query.arguments);
        query.outcome = Outcome::returned;
        shared->next = shared->next + 1;
    }
    stop_here();
}

// Goes on from within the handler, since to return from it takes a call.
RUNS_UNDER_THE_FILTER void on_trap(int, siginfo_t* info, void*) {
    Query& query = shared->queries[shared->next];
    query.value = info->si_errno;
    query.trapped_number = static_cast<std::uint32_t>(info->si_syscall);
    query.trapped_arch = info->si_arch;
    query.trapped_at = reinterpret_cast<std::uint64_t>(info->si_call_addr);
    query.outcome = Outcome::trapped;
    shared->next = shared->next + 1;
    make_calls();
}

RUNS_UNDER_THE_FILTER int load_and_make_calls(void*) {
    for (const sock_fprog& filter : shared->filters) {
        if (filter.len == 0) continue;
        const std::uint64_t arguments[6]{SECCOMP_SET_MODE_FILTER, 0,
                                         reinterpret_cast<std::uint64_t>(&filter)};
        const std::int64_t result = make_by_syscall(__NR_seccomp, arguments);
        if (result == 0) continue;
        shared->error = static_cast<int>(-result);
        stop_here();
    }
    make_calls();
}

// The calls are made by a thread of its own, without whose filter the first one notes that it has been killed
// and starts another.
[[noreturn]] void run_child() {
    constexpr std::size_t stack_size = 16 << 20;  // for a frame for each trap
    void* stack = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_DUMPABLE, 0);  // no core
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (const int number : {SIGILL, SIGSEGV, SIGALRM}) std::signal(number, SIG_DFL);  // Catch has its own
    struct sigaction trap {};
    trap.sa_sigaction = on_trap;
    trap.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigaction(SIGSYS, &trap, nullptr);
    ::alarm(60);
    while (stack != MAP_FAILED) {
        shared->worker = 1;
        auto* worker = const_cast<std::uint32_t*>(&shared->worker);
        const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                          CLONE_CHILD_CLEARTID;
        if (::clone(load_and_make_calls, static_cast<char*>(stack) + stack_size, flags, nullptr, nullptr,
                    nullptr, worker) < 0)
            break;
        while (shared->worker != 0)
            ::syscall(SYS_futex, worker, FUTEX_WAIT, 1, nullptr, nullptr, 0);  // until the kernel clears it
        shared->queries[shared->next].outcome = Outcome::thread_killed;
        shared->next = shared->next + 1;
    }
    shared->error = errno;
    stop_here();
}

// Asks the kernel; what went wrong, or nothing.
std::string ask_kernel() {
    shared->next = 0;
    shared->error = 0;
    while (shared->next < shared->count) {
        const pid_t child = ::fork();
        if (child == 0) run_child();
        if (child < 0) return "fork fails";
        int status = 0;
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        if (shared->error != 0) return "loading fails with errno " + std::to_string(shared->error);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGILL && shared->next == shared->count) break;
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
            return "the child ends with wait status " + std::to_string(status);
        shared->queries[shared->next].outcome = Outcome::process_killed;
        shared->next = shared->next + 1;
    }
    return {};
}

// 32-bit calls can be switched off.
bool has_int80() {
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGSEGV, SIG_DFL);
        ::prctl(PR_SET_DUMPABLE, 0);
        const std::uint64_t none[6]{};
        ::_exit(make_by_int80(20, none) == ::getpid() ? 0 : 1);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

constexpr std::uint32_t refused_by_guard = 4094;

// Refuses everything but the loading of the second filter.
Filter guard() {
    const auto program = reinterpret_cast<std::uint64_t>(&shared->filters[1]);
    const auto load = [](std::size_t place) {
        return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(place));
    };
    const auto unless = [](std::uint64_t value, std::uint8_t skip) {
        return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(value), 0, skip);
    };
    constexpr std::size_t third = offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t);
    return {load(offsetof(seccomp_data, arch)),
            unless(AUDIT_ARCH_X86_64, 7),
            load(offsetof(seccomp_data, nr)),
            unless(__NR_seccomp, 5),
            load(third),
            unless(program & UINT32_MAX, 3),
            load(third + sizeof(std::uint32_t)),
            unless(program >> 32, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | refused_by_guard)};
}

seccomp_data data_of(const Query& query) {
    seccomp_data data{};
    data.nr = static_cast<int>(query.number);
    data.arch = query.by_int80 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
    data.instruction_pointer = reinterpret_cast<std::uint64_t>(
        query.by_int80 ? callcensus_test_behind_int80 : callcensus_test_behind_syscall);
    std::copy(std::begin(query.arguments), std::end(query.arguments), data.args);
    return data;
}

struct Answer {
    Outcome outcome = Outcome::none;
    std::int64_t value = 0;
    friend bool operator==(const Answer&, const Answer&) = default;
};

// What becomes of a call; `let_through` of one that reaches the kernel. seccomp(2): no tracer and nobody who
// is asked means ENOSYS, an errno is at most 4095, an action that the kernel does not know kills.
Answer expected(std::uint32_t answer, bool guarded, std::int64_t let_through) {
    const std::uint32_t number = answer & SECCOMP_RET_DATA;
    switch (answer & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_KILL_THREAD:
            return {Outcome::thread_killed, 0};
        case SECCOMP_RET_TRAP:
            return {Outcome::trapped, number};
        case SECCOMP_RET_ERRNO:
            return {Outcome::returned, -std::int64_t{std::min(number, 4095U)}};
        case SECCOMP_RET_TRACE:
        case SECCOMP_RET_USER_NOTIF:
            return {Outcome::returned, guarded ? -std::int64_t{refused_by_guard} : -ENOSYS};
        case SECCOMP_RET_LOG:
        case SECCOMP_RET_ALLOW:
            return {Outcome::returned, guarded ? -std::int64_t{refused_by_guard} : let_through};
        default:
            return {Outcome::process_killed, 0};
    }
}

std::uint32_t answer_of(const Decision& decision) {
    switch (decision.action) {
        case Action::allow:
            return SECCOMP_RET_ALLOW;
        case Action::log:
            return SECCOMP_RET_LOG;
        case Action::trace:
            return SECCOMP_RET_TRACE | decision.value;
        case Action::notify:
            return SECCOMP_RET_USER_NOTIF;
        case Action::errno_:
            return SECCOMP_RET_ERRNO | decision.value;
        case Action::trap:
            return SECCOMP_RET_TRAP;
        case Action::kill:
        case Action::kill_thread:
            return SECCOMP_RET_KILL_THREAD;
        case Action::kill_process:
            return SECCOMP_RET_KILL_PROCESS;
    }
    return SECCOMP_RET_KILL_PROCESS;
}

Answer answer_of(const Query& query) {
    const bool says = query.outcome == Outcome::returned || query.outcome == Outcome::trapped;
    return {query.outcome, says ? query.value : 0};
}

std::string shown(const Query& query, const Answer& answer) {
    std::string text = query.by_int80 ? "int 0x80 " : "syscall ";
    text += std::to_string(query.number) + "(";
    for (const std::uint64_t argument : query.arguments) text += std::to_string(argument) + " ";
    return text + "): outcome " + std::to_string(static_cast<int>(answer.outcome)) + ", value " +
           std::to_string(answer.value);
}

// Sees to the memory, and counts.
class Kernel {
  public:
    Kernel() {
        void* memory =
            ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        REQUIRE(memory != MAP_FAILED);
        shared = new (memory) Shared;
        guard_ = guard();
    }
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;
    ~Kernel() { ::munmap(shared, sizeof(Shared)); }

    // A difference between the kernel and the interpreter, or nothing. Without the guard the queries must be
    // harmless.
    std::string compare(const Filter& filter, std::vector<Query> queries, bool guarded) {
        std::vector<std::uint32_t> answers;
        std::vector<Query> asked;
        std::array<int, 5> left{max_queries, max_queries, max_queries, 8, 3};  // a death takes time
        for (const Query& query : queries) {
            const auto answer = evaluate(filter, data_of(query));
            if (!answer) return "the interpreter takes it for no filter";
            if (left.at(static_cast<std::size_t>(expected(*answer, guarded, 0).outcome))-- <= 0) continue;
            asked.push_back(query);
            answers.push_back(*answer);
        }
        std::vector<std::int64_t> let_through(asked.size());
        if (!guarded) {
            if (std::string wrong = ask({}, {}, asked); !wrong.empty()) return wrong + ", without a filter";
            for (std::size_t i = 0; i < asked.size(); ++i) let_through[i] = shared->queries[i].value;
        }
        if (std::string wrong = ask(guarded ? guard_ : Filter(), filter, asked); !wrong.empty()) return wrong;
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const Query& query = shared->queries[i];
            const Answer wanted = expected(answers[i], guarded, let_through[i]);
            ++decisions_;
            ++outcomes_[static_cast<std::size_t>(wanted.outcome)];
            if (answer_of(query) != wanted)
                return "the kernel: " + shown(query, answer_of(query)) +
                       "; the interpreter: " + shown(query, wanted);
            const seccomp_data data = data_of(query);
            if (query.outcome == Outcome::trapped &&
                (query.trapped_number != query.number || query.trapped_arch != data.arch ||
                 query.trapped_at != data.instruction_pointer))
                return "the signal tells of another call than " + shown(query, wanted);
        }
        return {};
    }

    [[nodiscard]] int decisions() const { return decisions_; }
    [[nodiscard]] int outcomes(Outcome outcome) const {
        return outcomes_.at(static_cast<std::size_t>(outcome));
    }

  private:
    static sock_fprog program(const Filter& filter) {
        return {static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
    }
    static std::string ask(const Filter& first, const Filter& second, const std::vector<Query>& queries) {
        shared->filters[0] = program(first);
        shared->filters[1] = program(second);
        std::copy(queries.begin(), queries.end(), std::begin(shared->queries));
        shared->count = static_cast<std::uint32_t>(queries.size());
        return ask_kernel();
    }

    Filter guard_;
    int decisions_ = 0;
    std::array<int, 5> outcomes_{};
};

Query query_of(testing::RandomProfiles& random, Abi abi, std::uint32_t number) {
    Query query;
    query.by_int80 = abi == Abi::i386;
    query.number = number;
    const Arguments arguments = random.arguments(true);
    std::copy(arguments.begin(), arguments.end(), std::begin(query.arguments));
    return query;
}

// Whether the filter says something else than the profile means. The kernel hands on 64 bits of an argument
// also where the ABI has 32: of a register that int 0x80 takes, and of x32.
std::string misread(const Meaning& meaning, const CompiledFilter& filter, Abi abi, const std::string& name,
                    const Query& query) {
    Arguments arguments{};
    std::copy(std::begin(query.arguments), std::end(query.arguments), arguments.begin());
    const Decision decision = meaning.decide(abi, name, arguments);
    const auto answer = evaluate(filter.code, data_of(query));
    if (answer == answer_of(decision)) return {};
    return "the filter does not say what the profile means: " +
           shown(query, expected(answer.value_or(0), true, 0)) + ", meant " +
           std::to_string(answer_of(decision));
}

const std::vector<Abi>& executable_abis() {
    static const std::vector<Abi> abis =
        has_int80() ? std::vector{Abi::x86_64, Abi::i386, Abi::x32} : std::vector{Abi::x86_64, Abi::x32};
    return abis;
}

}  // namespace

TEST_CASE("the kernel decides as the interpreter says, for profiles") {
    constexpr unsigned seed = 20;
    testing::RandomProfiles random(seed);
    testing::RandomProfiles::Wishes wishes;
    wishes.every_action = true;
    wishes.repeated_indexes = true;
    const std::vector<std::string> any{"read",           "clone", "socket",    "socketcall", "statx",
                                       "mseal",          "bind",  "semop",     "ipc",        "exit_group",
                                       "open_tree_attr", "mmap",  "futex_wait"};
    const std::vector<std::string> harmless{"getppid", "getuid", "getpgid", "sched_get_priority_max",
                                            "sched_get_priority_min"};
    const std::vector<std::vector<std::string>> architectures{
        {"SCMP_ARCH_X86_64"},
        {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"},
        {"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32"}};
    const std::array<std::uint32_t, 4> without_name{999, 0x40000000 + 999, 0x7fffffff, 0xffffffff};
    const Machine machine{"amd64", docker_default_capabilities(), {6, 1}};
    Kernel kernel;
    int compiled = 0;
    for (int round = 0; round < rounds; ++round) {
        const bool guarded = round % 4 != 3;
        wishes.calls = guarded ? any : harmless;
        wishes.large_constants = random.below(2) == 0;
        wishes.architectures = architectures[random.below(3)];
        const Profile profile = random.profile(wishes);
        const auto filter = compile(profile, machine);
        const auto meaning = meaning_of(profile, machine);
        REQUIRE(meaning);
        if (!filter) continue;
        ++compiled;
        const auto wrong = calls_compiled_wrong(profile, machine, Abi::x86_64);
        std::vector<Query> queries;
        for (const Abi abi : executable_abis()) {
            for (const std::string& name : wishes.calls)
                if (const auto number = syscall_number(abi, name))
                    for (int sample = 0; sample < 4; ++sample) {
                        queries.push_back(query_of(random, abi, *number));
                        if (wrong.count(name) != 0) continue;
                        if (const std::string difference =
                                misread(*meaning, *filter, abi, name, queries.back());
                            !difference.empty()) {
                            CAPTURE(seed, round);
                            INFO(write_as(*find_format("oci"), profile, {})->content);
                            FAIL(difference);
                        }
                    }
            queries.push_back(query_of(random, abi, without_name[random.below(4)]));
        }
        const std::string difference = kernel.compare(filter->code, queries, guarded);
        CAPTURE(seed, round, guarded);
        REQUIRE(difference == "");
    }
    CHECK(compiled > rounds * 9 / 10);
    // Fewer where this kernel takes no int 0x80.
    const int abis = static_cast<int>(executable_abis().size());
    CHECK(kernel.decisions() > rounds * 20 * abis);
    for (const Outcome outcome :
         {Outcome::returned, Outcome::trapped, Outcome::thread_killed, Outcome::process_killed})
        CHECK(kernel.outcomes(outcome) > rounds * abis / 12);
}

TEST_CASE("the kernel decides as the interpreter says, for any instructions") {
    constexpr unsigned seed = 21;
    testing::RandomProfiles random(seed);
    Kernel kernel;
    const auto one_of = [&](const auto& list) {
        return list[random.below(static_cast<unsigned>(list.size()))];
    };
    const std::vector<std::uint16_t> tests{BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    const std::vector<std::uint32_t> answers{SECCOMP_RET_ALLOW,          SECCOMP_RET_LOG | 3,
                                             SECCOMP_RET_TRACE | 7,      SECCOMP_RET_USER_NOTIF,
                                             SECCOMP_RET_ERRNO,          SECCOMP_RET_ERRNO | 13,
                                             SECCOMP_RET_ERRNO | 99,     SECCOMP_RET_ERRNO | 0xffff,
                                             SECCOMP_RET_TRAP | 0x1234,  SECCOMP_RET_TRAP,
                                             SECCOMP_RET_KILL_THREAD,    SECCOMP_RET_KILL_PROCESS,
                                             SECCOMP_RET_ERRNO | 0x8000, 0x00010000};
    const std::vector<std::uint32_t> numbers{0, 39, 20, 999, 0x40000000 + 39, 0x7fffffff, 0xffffffff};
    for (int round = 0; round < rounds; ++round) {
        std::vector<Query> queries;
        for (const Abi abi : executable_abis())
            for (int sample = 0; sample < 12; ++sample)
                queries.push_back(query_of(random, abi, one_of(numbers)));
        // What the data hold, so that comparisons go both ways.
        const auto constant = [&] {
            std::array<std::uint32_t, sizeof(seccomp_data) / sizeof(std::uint32_t)> words{};
            const seccomp_data data = data_of(one_of(queries));
            std::memcpy(words.data(), &data, sizeof data);
            return one_of(words) + (random.below(4) == 0 ? random.below(3) - 1 : 0);
        };
        Filter filter;
        for (unsigned left = 4 + random.below(36); left > 0; --left) {  // `left` more, the answer at the end
            const auto skip = [&] { return static_cast<std::uint8_t>(random.below(std::min(left, 6U))); };
            switch (random.below(8)) {
                case 0:
                    filter.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, constant()));
                    break;
                case 1:
                    filter.push_back(BPF_STMT(BPF_JMP | BPF_JA, skip()));
                    break;
                case 2:
                    filter.push_back(BPF_STMT(BPF_RET | BPF_K, one_of(answers)));
                    break;
                case 3:
                case 4:
                    filter.push_back(
                        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                 4 * random.below(sizeof(seccomp_data) / sizeof(std::uint32_t))));
                    break;
                default:
                    filter.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | BPF_K | one_of(tests)),
                                              constant(), skip(), skip()));
            }
        }
        filter.push_back(BPF_STMT(BPF_RET | BPF_K, one_of(answers)));
        const std::string difference = kernel.compare(filter, queries, true);
        CAPTURE(seed, round);
        REQUIRE(difference == "");
    }
    CHECK(kernel.decisions() > rounds * 15);
    for (const Outcome outcome :
         {Outcome::returned, Outcome::trapped, Outcome::thread_killed, Outcome::process_killed})
        CHECK(kernel.outcomes(outcome) > rounds / 4);
}

#endif

}  // namespace kernel_test

// Runs a command under a seccomp profile, which libseccomp loads as a container runtime would:
//
//     run_under_profile RULES COMMAND [ARG...]
//
// COMMAND is a path. RULES is a file with a profile as lines of words, in any order:
//
//     default SCMP_ACT_ERRNO 38          the number only where the action wants one
//     architecture SCMP_ARCH_X86_64      every one that the filter is for; others are killed
//     SCMP_ACT_ALLOW openat              an action and the name of a call, for every one of the architectures
//
// Exits with 125 when the filter cannot be made or loaded, or the command cannot be executed.
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { OWN_FAILURE = 125, WORD_SIZE = 64 };

struct named {
    const char* name;
    uint32_t value;
};

static const struct named architectures[] = {
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},   {"SCMP_ARCH_X86", SCMP_ARCH_X86},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},         {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},         {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE}, {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
};

static _Noreturn void fail(const char* what, const char* which, int error) {
    fprintf(stderr, "run_under_profile: %s %s: %s\n", what, which, strerror(error));
    exit(OWN_FAILURE);
}

static uint32_t action_named(const char* name, unsigned errno_value) {
    if (strcmp(name, "SCMP_ACT_ALLOW") == 0) return SCMP_ACT_ALLOW;
    if (strcmp(name, "SCMP_ACT_ERRNO") == 0) return SCMP_ACT_ERRNO(errno_value);
    if (strcmp(name, "SCMP_ACT_KILL_PROCESS") == 0) return SCMP_ACT_KILL_PROCESS;
    fail("unknown action", name, EINVAL);
}

static uint32_t architecture_named(const char* name) {
    for (size_t i = 0; i < sizeof architectures / sizeof architectures[0]; ++i)
        if (strcmp(architectures[i].name, name) == 0) return architectures[i].value;
    fail("unknown architecture", name, EINVAL);
}

// One kind of line at a time, since libseccomp wants them in that order: the default makes the filter, and a
// rule holds for those architectures which the filter has by then.
enum kind { DEFAULT, ARCHITECTURE, RULE };

static enum kind kind_of(const char* first_word) {
    return strcmp(first_word, "default") == 0        ? DEFAULT
           : strcmp(first_word, "architecture") == 0 ? ARCHITECTURE
                                                     : RULE;
}

static void add_rule(scmp_filter_ctx filter, const char* action, const char* call) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR) {
        // As runc does: a call that this libseccomp is too old to know.
        fprintf(stderr, "run_under_profile: left out, since unknown here: %s\n", call);
        return;
    }
    const int result = seccomp_rule_add(filter, action_named(action, EPERM), number, 0);
    if (result != 0) fail("no rule can be made for", call, -result);
}

static scmp_filter_ctx add_lines(scmp_filter_ctx filter, FILE* rules, enum kind wanted) {
    char line[3 * WORD_SIZE];
    char first[WORD_SIZE];
    char second[WORD_SIZE];
    rewind(rules);
    while (fgets(line, sizeof line, rules) != NULL) {
        unsigned number = EPERM;
        if (sscanf(line, "%63s %63s %u", first, second, &number) < 2) fail("not understood:", line, EINVAL);
        if (kind_of(first) != wanted) continue;
        if (wanted == DEFAULT) {
            filter = seccomp_init(action_named(second, number));
            if (filter == NULL) fail("no filter can be made for", second, EINVAL);
            // Only those that are listed.
            seccomp_arch_remove(filter, seccomp_arch_native());
        } else if (wanted == ARCHITECTURE) {
            const int result = seccomp_arch_add(filter, architecture_named(second));
            if (result != 0) fail("cannot be added:", second, -result);
        } else {
            add_rule(filter, first, second);
        }
    }
    return filter;
}

int main(int argc, char** argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: run_under_profile RULES COMMAND [ARG...]\n");
        return OWN_FAILURE;
    }
    FILE* const rules = fopen(argv[1], "re");
    if (rules == NULL) fail("cannot be read:", argv[1], errno);
    scmp_filter_ctx filter = NULL;
    for (enum kind kind = DEFAULT; kind <= RULE; ++kind) {
        filter = add_lines(filter, rules, kind);
        if (filter == NULL) fail("no default in", argv[1], EINVAL);
    }

    // Being killed by a filter leaves a core.
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) fail("cannot be set:", "RLIMIT_CORE", errno);
    const int result = seccomp_load(filter);
    if (result != 0) fail("cannot be loaded:", argv[1], -result);
    // From here on nothing but what the command itself does: no search for it, no clean-up.
    execv(argv[2], argv + 2);
    fail("cannot be executed:", argv[2], errno);
}

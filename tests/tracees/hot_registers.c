// A tracer that makes a hot thread call something else has to leave no trace of it: every register, the
// flags, the red zone, the signal mask and the mappings are as the kernel leaves them after `syscall`.
#include "hot.h"

#include <stddef.h>

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, REGISTERS };
enum { RED_ZONE = 128, XMM_REGISTERS = 16 };

struct image {
    uint64_t registers[REGISTERS];
    uint64_t flags;
    uint8_t xmm[XMM_REGISTERS][16];
    uint8_t red_zone[RED_ZONE];
};

// Named by the assembly.
struct image image_before __attribute__((aligned(16)));
struct image image_after __attribute__((aligned(16)));
extern const char behind_the_call[];

/// Loads everything from image_before, calls, and stores everything in image_after.
void call_with_all_registers(void);

#define FLAGS_AT "120"
#define XMM_AT "128"
#define RED_ZONE_AT "384"
_Static_assert(offsetof(struct image, flags) == 120 && offsetof(struct image, xmm) == 128 &&
                   offsetof(struct image, red_zone) == 384,
               "as the assembly has it");

#define LOAD(name, index) "mov image_before + 8 * " #index "(%rip), %" #name "\n"
#define STORE(name, index) "mov %" #name ", image_after + 8 * " #index "(%rip)\n"
#define LOAD_XMM(index) "movaps image_before + " XMM_AT " + 16 * " #index "(%rip), %xmm" #index "\n"
#define STORE_XMM(index) "movaps %xmm" #index ", image_after + " XMM_AT " + 16 * " #index "(%rip)\n"
#define ALL(on)                                                                                      \
    on(rax, 0) on(rbx, 1) on(rcx, 2) on(rdx, 3) on(rsi, 4) on(rdi, 5) on(rbp, 6) on(r8, 7) on(r9, 8) \
        on(r10, 9) on(r11, 10) on(r12, 11) on(r13, 12) on(r14, 13) on(r15, 14)
#define ALL_XMM(on) \
    on(0) on(1) on(2) on(3) on(4) on(5) on(6) on(7) on(8) on(9) on(10) on(11) on(12) on(13) on(14) on(15)

__asm__(
    ".text\n"
    ".globl call_with_all_registers\n"
    ".type call_with_all_registers, @function\n"
    "call_with_all_registers:\n"
    "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "lea -128(%rsp), %rdi\n lea image_before + " RED_ZONE_AT "(%rip), %rsi\n mov $128, %ecx\n"
    "push image_before + " FLAGS_AT "(%rip)\n"  // It is in the red zone only for a moment.
    "cld\n"
    "popf\n"
    "rep movsb\n"  // Which changes no flag.
    ALL_XMM(LOAD_XMM) ALL(LOAD)
    "syscall\n"
    ".globl behind_the_call\n"
    "behind_the_call:\n"
    ALL(STORE) ALL_XMM(STORE_XMM)
    "lea -128(%rsp), %rsp\n pushf\n pop image_after + " FLAGS_AT "(%rip)\n lea 128(%rsp), %rsp\n"
    "lea -128(%rsp), %rsi\n lea image_after + " RED_ZONE_AT "(%rip), %rdi\n mov $128, %ecx\n"
    "rep movsb\n"
    "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
    "ret\n"
    ".size call_with_all_registers, . - call_with_all_registers\n");

static void fill_with_pattern(unsigned round) {
    uint8_t* const bytes = (uint8_t*)&image_before;
    for (size_t i = 0; i < sizeof image_before; ++i) bytes[i] = (uint8_t)(i * 37 + round * 101 + 1);
    // Carry, parity, adjust, zero, sign and overflow, in turn all and none; interrupts are always on.
    image_before.flags = 0x202 | (round % 2 == 0 ? 0x8d5 : 0);
}

static void call_and_compare(unsigned round, long number, long result) {
    fill_with_pattern(round);
    image_before.registers[RAX] = (uint64_t)number;
    if (number == SYS_getpriority) image_before.registers[RDI] = 77;  // No such choice.
    call_with_all_registers();
    struct image expected = image_before;
    expected.registers[RAX] = (uint64_t)result;
    expected.registers[RCX] = (uint64_t)(uintptr_t)behind_the_call;
    expected.registers[R11] = image_before.flags;
    for (int i = 0; i < REGISTERS; ++i) {
        if (image_after.registers[i] == expected.registers[i]) continue;
        printf("round %u: register %d is %#llx, not %#llx\n", round, i,
               (unsigned long long)image_after.registers[i], (unsigned long long)expected.registers[i]);
    }
    require(image_after.flags == expected.flags, "the flags are the same");
    require(memcmp(image_after.xmm, expected.xmm, sizeof expected.xmm) == 0,
            "the xmm registers are the same");
    require(memcmp(image_after.red_zone, expected.red_zone, RED_ZONE) == 0, "the red zone is the same");
}

/// Without the stack, which may grow.
static size_t read_mappings(char* text, size_t size) {
    size_t length = 0;
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0) die("open /proc/self/maps");
    for (ssize_t more; (more = read(fd, text + length, size - 1 - length)) > 0;) length += (size_t)more;
    close(fd);
    text[length] = '\0';
    char* const stack = strstr(text, "[stack]");
    require(stack != NULL, "there is a stack");
    char* line = stack;
    while (line > text && line[-1] != '\n') --line;
    memset(line, '.', (size_t)(stack - line));
    return length;
}

int main(void) {
    begin();
    static char mappings_before[64 * 1024];
    static char mappings_after[64 * 1024];
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGRTMIN + 3);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    printf("registers:\n");  // Now libc has its buffer.
    read_mappings(mappings_before, sizeof mappings_before);

    for (unsigned round = 0; round < HOT_CALLS; ++round)
        call_and_compare(round, round % 2 == 0 ? SYS_getpriority : SYS_getppid,
                         round % 2 == 0 ? -EINVAL : getppid());
    for (unsigned i = 0; i < 5; ++i) call_and_compare(i, FRESH + (long)i, -ENOSYS);

    read_mappings(mappings_after, sizeof mappings_after);
    sigset_t mask_after;
    sigprocmask(SIG_SETMASK, NULL, &mask_after);
    require(memcmp(&mask, &mask_after, sizeof(uint64_t)) == 0, "the signal mask is the same");
    if (strcmp(mappings_before, mappings_after) != 0)
        printf("mappings before\n%s\nand after\n%s", mappings_before, mappings_after);
    expect_fresh(0, 5);
    expect_processes(1);
    return 0;
}

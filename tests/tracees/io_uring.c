// io_uring: what is done through the ring is not seen as calls, only the set-up and the entering. Operations
// that are asked to be asynchronous run in kernel threads which look like threads of this process.
#include "tracee.h"

#include <linux/io_uring.h>

enum { ENTRIES = 8, ROUNDS = 5 };

int main(void) {
    begin();
    struct io_uring_params params;
    memset(&params, 0, sizeof params);
    const int ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
    if (ring < 0) skip("io_uring is not to be had");

    const size_t submission_size = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    const size_t completion_size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    const int access = PROT_READ | PROT_WRITE;
    char* const submission = mmap(NULL, submission_size, access, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    char* const completion = mmap(NULL, completion_size, access, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe* const entries =
        mmap(NULL, params.sq_entries * sizeof *entries, access, MAP_SHARED, ring, IORING_OFF_SQES);
    if (submission == MAP_FAILED || completion == MAP_FAILED || (void*)entries == MAP_FAILED)
        die("mmap of the ring");

    uint32_t* const array = (uint32_t*)(submission + params.sq_off.array);
    _Atomic uint32_t* const submission_tail = (_Atomic uint32_t*)(submission + params.sq_off.tail);
    _Atomic uint32_t* const completion_head = (_Atomic uint32_t*)(completion + params.cq_off.head);
    _Atomic uint32_t* const completion_tail = (_Atomic uint32_t*)(completion + params.cq_off.tail);
    int completed = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        const uint32_t tail = atomic_load(submission_tail);
        const uint32_t index = tail % params.sq_entries;
        memset(&entries[index], 0, sizeof entries[index]);
        entries[index].opcode = IORING_OP_NOP;
        entries[index].flags = IOSQE_ASYNC;
        array[index] = index;
        atomic_store(submission_tail, tail + 1);
        if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
            die("io_uring_enter");
        while (atomic_load(completion_tail) == atomic_load(completion_head)) sched_yield();
        atomic_fetch_add(completion_head, 1);
        ++completed;
    }
    printf("completed: %d\n", completed);
    mark_times(SYS_getpgid, 3);
    expect_call(SYS_io_uring_setup, 1);
    expect_call(SYS_io_uring_enter, ROUNDS);
    expect_call(SYS_getpgid, 3);
    expect_processes(1);
    return 0;
}

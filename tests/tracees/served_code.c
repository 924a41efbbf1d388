// Calls made from a file whose file system (FUSE) is served by a child: who opens or reads that file waits
// for the child, which a tracer itself may have stopped.
#include "tracee.h"

#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/uio.h>

enum { IN_SERVED_CODE = SYS_getpgid, BY_SERVER = SYS_getsid, FILE_NODE = 2 };

// mov %edi,%eax; mov $-1,%edi; syscall; ret
static const unsigned char code[] = {0x89, 0xf8, 0xbf, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x05, 0xc3};

static void reply(int device, uint64_t request, int error, const void* answer, size_t size) {
    struct fuse_out_header header = {(uint32_t)(sizeof header + size), error, request};
    const struct iovec parts[] = {{&header, sizeof header}, {(void*)answer, size}};
    // The request may have been given up by now.
    if (writev(device, parts, size == 0 ? 1 : 2) < 0 && errno != ENOENT) die("answering a request");
}

static struct fuse_attr attributes_of(uint64_t node) {
    struct fuse_attr attributes = {.ino = node, .nlink = 1, .blksize = 4096};
    attributes.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755;
    attributes.size = node == FUSE_ROOT_ID ? 0 : sizeof code;
    return attributes;
}

static void answer(int device, const struct fuse_in_header* request, const void* body) {
    const uint64_t id = request->unique;
    switch (request->opcode) {
        case FUSE_INIT: {
            const struct fuse_init_out out = {
                .major = 7, .minor = 31, .max_write = 4096, .max_readahead = 4096};
            reply(device, id, 0, &out, sizeof out);
            break;
        }
        case FUSE_LOOKUP: {
            const struct fuse_entry_out out = {.nodeid = FILE_NODE, .attr = attributes_of(FILE_NODE)};
            reply(device, id, strcmp(body, "code") == 0 ? 0 : -ENOENT, &out,
                  strcmp(body, "code") == 0 ? sizeof out : 0);
            break;
        }
        case FUSE_GETATTR: {
            const struct fuse_attr_out out = {.attr = attributes_of(request->nodeid)};
            reply(device, id, 0, &out, sizeof out);
            break;
        }
        case FUSE_OPEN: {
            const struct fuse_open_out out = {0};
            reply(device, id, 0, &out, sizeof out);
            break;
        }
        case FUSE_READ: {
            const struct fuse_read_in* const what = body;
            reply(device, id, 0, code, what->offset == 0 ? sizeof code : 0);
            break;
        }
        case FUSE_FLUSH:
        case FUSE_RELEASE:
            reply(device, id, 0, NULL, 0);
            break;
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
            break;
        default:
            reply(device, id, -ENOSYS, NULL, 0);
    }
}

static _Noreturn void serve(int device) {
    static _Alignas(8) char request[1 << 17];
    for (;;) {
        const ssize_t size = read(device, request, sizeof request);
        if (size < 0 && errno == ENODEV) _exit(0);  // unmounted
        if (size < 0 && errno != EINTR && errno != ENOENT && errno != EAGAIN) die("reading a request");
        if (size < 0) continue;
        mark(BY_SERVER);
        answer(device, (const struct fuse_in_header*)request, request + sizeof(struct fuse_in_header));
    }
}

int main(void) {
    begin();
    const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0 || unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        skip("no FUSE file system can be mounted");
    const char* const folder = make_temporary_folder();
    char options[96];
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%d,group_id=%d", device, (int)getuid(),
             (int)getgid());
    if (mount("served", folder, "fuse", 0, options) != 0) {
        rmdir(folder);
        skip("no FUSE file system can be mounted");
    }
    const pid_t server = fork_child();
    if (server == 0) serve(device);
    close(device);

    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/code", folder);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) die("open of the served file");
    void* const memory = mmap(NULL, sizeof code, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    if (memory == MAP_FAILED) die("mmap of the served file");
    close(file);
    long (*const call)(int) = (long (*)(int))(uintptr_t)memory;
    for (int i = 0; i < 5; ++i) require(call(IN_SERVED_CODE) == -ESRCH, "the served code makes the call");

    if (munmap(memory, sizeof code) != 0) die("munmap");
    if (umount2(folder, MNT_DETACH) != 0 || rmdir(folder) != 0) die("umount");
    wait_success(server);
    expect_call(IN_SERVED_CODE, 5);
    expect_atleast(BY_SERVER, 4);
    expect_processes(2);
    return 0;
}

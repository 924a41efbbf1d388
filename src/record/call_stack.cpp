#include "record/call_stack.hpp"

#include <elfutils/libdwfl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>

#include "base/procfs.hpp"
#include "record/mapped_file.hpp"

namespace callcensus {
namespace {

// The task stands still meanwhile.
constexpr std::chrono::milliseconds longest_unwinding{250};
// What libdw takes from a file it reads into memory.
constexpr off_t largest_file = off_t{4} << 30;

// The callbacks are given this only through the modules' user data, which is not there yet when a module is
// reported: ptrace belongs to one thread, and so does this.
struct Unwinding {
    pid_t tid = 0;
    std::vector<procfs::Mapping> code;
    std::vector<StackFrame> frames;
    std::size_t most = 0;
    std::chrono::steady_clock::time_point deadline;
};
thread_local Unwinding* current = nullptr;

// libdw's own way opens the path in our mount namespace and maps the file, which whoever truncates it then
// could kill us by.
int find_elf(Dwfl_Module* module, void** user_data, const char* name, Dwarf_Addr base, char** file_name,
             Elf** elf) {
    *elf = nullptr;
    if (name[0] != '/') return ::dwfl_linux_proc_find_elf(module, user_data, name, base, file_name, elf);
    const auto mapping = std::find_if(
        current->code.begin(), current->code.end(),
        [&](const procfs::Mapping& candidate) { return candidate.begin >= base && candidate.name == name; });
    if (mapping == current->code.end()) return -1;
    UniqueFd file = open_mapped(current->tid, *mapping);
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || status.st_size > largest_file) return -1;
    *elf = ::elf_begin(file.get(), ELF_C_READ, nullptr);
    return *elf != nullptr ? file.release() : -1;
}

int no_debug_file(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*, GElf_Word,
                  char**) {
    return -1;
}

int add_frame(Dwfl_Frame* frame, void*) {
    Dwarf_Addr address = 0;
    bool is_interrupted = false;
    if (!::dwfl_frame_pc(frame, &address, &is_interrupted)) return DWARF_CB_ABORT;
    // To libdw the first one is interrupted, too: it stands after the instruction that makes the call.
    current->frames.push_back({address, is_interrupted && !current->frames.empty()});
    const bool goes_on =
        current->frames.size() < current->most && std::chrono::steady_clock::now() < current->deadline;
    return goes_on ? DWARF_CB_OK : DWARF_CB_ABORT;
}

}  // namespace

std::vector<StackFrame> call_stack(pid_t tid, std::size_t most) {
    static const Dwfl_Callbacks callbacks{find_elf, no_debug_file, nullptr, nullptr};
    Unwinding unwinding{tid,
                        procfs::executable_mappings(tid),
                        {},
                        most,
                        std::chrono::steady_clock::now() + longest_unwinding};
    // libdw opens the program by itself, which is among these.
    std::set<dev_t> devices;
    for (const procfs::Mapping& mapping : unwinding.code) devices.insert(mapping.device);
    for (const dev_t device : devices)
        if (procfs::is_served_by_a_process(tid, device)) return {};
    current = &unwinding;
    const std::unique_ptr<Dwfl, decltype(&::dwfl_end)> dwfl(::dwfl_begin(&callbacks), &::dwfl_end);
    if (dwfl && ::dwfl_linux_proc_report(dwfl.get(), tid) == 0 &&
        ::dwfl_report_end(dwfl.get(), nullptr, nullptr) == 0 &&
        ::dwfl_linux_proc_attach(dwfl.get(), tid, true) == 0)
        ::dwfl_getthread_frames(dwfl.get(), tid, add_frame, nullptr);
    current = nullptr;
    return std::move(unwinding.frames);
}

}  // namespace callcensus

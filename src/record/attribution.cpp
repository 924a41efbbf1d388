#include "callcensus/attribution.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "abi/known_call.hpp"
#include "base/elf_image.hpp"
#include "base/process_memory.hpp"
#include "base/procfs.hpp"
#include "record/call_stack.hpp"
#include "record/mapped_file.hpp"

namespace callcensus {
namespace {

using procfs::Mapping;

// So often is a recording's call looked at, at most, for sites that are not known yet.
constexpr std::size_t most_looks = 16;
// Beyond that many functions in all the cache begins anew: a hundred megabytes.
constexpr std::size_t most_functions_kept = std::size_t{4} << 20;
constexpr std::size_t most_images_kept = 4096;
// As many as a target can make, and as a recording may keep: more is of no use.
constexpr std::size_t most_searches = 4096;
constexpr std::size_t most_executables = 4096;
constexpr std::uint64_t largest_vdso = 65536;

// Whether the call can put code where other code was. What else happens to mappings is no matter: nobody
// makes a call from where there is no code, and code at a place that held none is simply looked for anew.
// (Nobody is known to attach shared memory, with SHM_REMAP and SHM_EXEC, over code.)
bool replaces_code(const SyscallSeen& seen) {
    static const KnownCall mmap_call("mmap"), mmap2_call("mmap2"), mprotect_call("mprotect"),
        pkey_mprotect_call("pkey_mprotect"), mremap_call("mremap");
    // i386's first mmap has its arguments in memory.
    if (mmap_call.is(seen.call) && seen.call.abi == Abi::i386) return true;
    if (mmap_call.is(seen.call) || mmap2_call.is(seen.call) || mprotect_call.is(seen.call) ||
        pkey_mprotect_call.is(seen.call))
        return (seen.arguments[2] & PROT_EXEC) != 0;
    return mremap_call.is(seen.call) && (seen.arguments[3] & MREMAP_FIXED) != 0;
}

// Where 32-bit code enters the kernel, whoever makes the call.
bool is_landing_pad(const CallSite& site) {
    return site.module == "[vdso]" && site.symbol == "__kernel_vsyscall";
}

// A file is known by what changes with it.
using FileKey = std::tuple<dev_t, ino_t, off_t, time_t, long>;

FileKey key_of(const struct stat& status) {
    return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

}  // namespace

class Attribution::Impl {
  public:
    void on(const Event& event) {
        std::visit([this](const auto& what) { note(what); }, event);
    }

    std::optional<CallSite> site_of(const SyscallSeen& seen) {
        if (seen.instruction_pointer == 0) return std::nullopt;
        Process* const process = process_of(seen.task);
        auto site = site_at(seen.task.tid, process, seen.instruction_pointer);
        if (site && is_landing_pad(*site))
            if (const auto caller = caller_of_vsyscall(seen))
                if (auto calling = site_at(seen.task.tid, process, *caller)) return calling;
        return site;
    }

    std::optional<CallSite> new_site_of(const SyscallSeen& seen) {
        const Process* const process = process_of(seen.task);
        if (seen.instruction_pointer == 0 || process == nullptr) return std::nullopt;
        if (searches_.size() >= most_searches && searches_.count(seen.call) == 0) return std::nullopt;
        Search& search = searches_[seen.call];
        if (search.sites.size() >= sites_kept) return std::nullopt;
        if (search.executables.size() <= process->executable)
            search.executables.resize(process->executable + 1);
        if (search.executables[process->executable]) {
            if (search.looks.size() >= most_looks) return std::nullopt;
            if (!process->runs_freely && std::find(search.looks.begin(), search.looks.end(),
                                                   look_of(seen, *process)) != search.looks.end())
                return std::nullopt;
        }
        search.executables[process->executable] = true;
        if (search.looks.size() < most_looks) search.looks.push_back(look_of(seen, *process));
        auto site = site_of(seen);
        if (!site || std::find(search.sites.begin(), search.sites.end(), *site) != search.sites.end())
            return std::nullopt;
        search.sites.push_back(*site);
        return site;
    }

    std::vector<CallSite> stack_of(const SyscallSeen& seen, std::size_t most) {
        std::vector<CallSite> stack;
        if (most == 0 || seen.instruction_pointer == 0) return stack;
        Process* const process = process_of(seen.task);
        for (const StackFrame& frame : call_stack(seen.task.tid, most))
            if (auto site = site_at(seen.task.tid, process, frame.address, frame.is_interrupted))
                stack.push_back(std::move(*site));
        if (!stack.empty() && is_landing_pad(stack.front())) stack.erase(stack.begin());
        if (stack.empty())
            if (auto site = site_of(seen)) stack.push_back(std::move(*site));
        return stack;
    }

  private:
    struct Process {
        std::size_t executable = 0;  // index into executables_
        // How its mappings change is not seen: nothing of them is kept.
        bool runs_freely = false;
        std::vector<Mapping> code;     // as read last; empty where that would be wrong now
        std::uint32_t generation = 0;  // of its code, as far as seen
    };
    struct Task {
        std::uint32_t serial = 0;
        pid_t process = 0;
        bool replaces_code = false;  // in the call that it is in
    };
    // Children share their parent's executable and its addresses.
    using Look = std::tuple<std::size_t, std::uint32_t, std::uint64_t>;
    // For the sites of one call.
    struct Search {
        std::vector<CallSite> sites;
        std::vector<Look> looks;
        std::vector<bool> executables;  // those that have made the call
    };

    static Look look_of(const SyscallSeen& seen, const Process& process) {
        return {process.executable, process.generation, seen.instruction_pointer};
    }

    // ---- events ----

    void note(const TaskStarted& started) {
        Task task{started.task.serial, started.process, false};
        if (started.task.tid == started.process) {
            Process process;
            if (const Process* creator = process_of(started.creator)) {
                process.executable = creator->executable;
                process.generation = creator->generation;
            }
            if (!started.executable.empty()) process.executable = intern(started.executable);
            process.runs_freely = started.scope != Scope::process;
            processes_.insert_or_assign(started.process, std::move(process));
        }
        tasks_.insert_or_assign(started.task.tid, task);
    }
    void note(const Execed& execed) {
        if (Process* process = process_of(execed.task)) {
            process->executable = intern(execed.executable);
            ++process->generation;
            process->code.clear();
        }
    }
    void note(const SyscallSeen& seen) {
        if (replaces_code(seen)) replacing_code(seen.task, true);
    }
    void note(const SyscallReturned& returned) {
        if (const auto task = tasks_.find(returned.task.tid); task != tasks_.end())
            if (std::exchange(task->second.replaces_code, false)) replacing_code(returned.task, false);
    }
    void note(const LetRun& let_run) {
        if (Process* process = process_of(let_run.task)) {
            process->runs_freely = true;
            process->code.clear();
        }
    }
    void note(const TaskExited& exited) {
        const auto task = tasks_.find(exited.task.tid);
        if (task == tasks_.end() || task->second.serial != exited.task.serial) return;
        if (task->second.process == exited.task.tid) processes_.erase(exited.task.tid);
        tasks_.erase(task);
    }
    template <class Other>
    void note(const Other&) {}

    // Both when the call begins and when it has ended: in between another thread may have had us look.
    void replacing_code(TaskId id, bool begins) {
        Process* const process = process_of(id);
        if (process == nullptr) return;
        tasks_[id.tid].replaces_code = begins;
        ++process->generation;
        // A child of vfork(2) changes its parent's mappings, too.
        for (auto& [pid, other] : processes_) other.code.clear();
    }

    Process* process_of(TaskId id) {
        const auto task = tasks_.find(id.tid);
        if (task == tasks_.end() || task->second.serial != id.serial) return nullptr;
        const auto process = processes_.find(task->second.process);
        return process != processes_.end() ? &process->second : nullptr;
    }

    std::size_t intern(const std::string& executable) {
        if (const auto known = executables_.find(executable); known != executables_.end())
            return known->second;
        if (executables_.size() >= most_executables) return most_executables;  // all others are one
        return executables_.try_emplace(executable, executables_.size()).first->second;
    }

    // ---- looking ----

    // Of the instruction before `address`, or at it. `process` may be unknown.
    std::optional<CallSite> site_at(pid_t tid, Process* process, std::uint64_t address,
                                    bool is_interrupted = false) {
        // A call that never returns can be the last instruction of its function, and of its mapping.
        const std::uint64_t instruction = is_interrupted ? address : address - 1;
        // An emulated call of the vsyscall page begins at its first byte.
        const auto mapping = [&] {
            auto found = mapping_at(tid, process, instruction);
            return found ? found : mapping_at(tid, process, address);
        }();
        if (!mapping) return std::nullopt;
        CallSite site;
        site.module = mapping->name.empty() ? "[anonymous]" : mapping->name;
        const std::uint64_t in_file = instruction - mapping->begin + mapping->offset;
        site.offset = address - mapping->begin + mapping->offset;
        if (mapping->name == "[vdso]") {
            std::vector<std::byte> memory(std::min(mapping->end - mapping->begin, largest_vdso));
            if (!read_memory(tid, mapping->begin, memory)) return site;
            const ReadAt read_at = reader_of(memory);
            if (const auto image = ElfImage::read(read_at))
                describe(site, *image, in_file, address - instruction, read_at);
        } else if (const UniqueFd file = open_mapped(tid, *mapping)) {
            const ReadAt read_at = reader_of_file(file.get());
            if (const ElfImage* image = image_of(file.get(), read_at))
                describe(site, *image, in_file, address - instruction, read_at);
        }
        return site;
    }

    // `behind`: how far behind the instruction the site is said to be.
    static void describe(CallSite& site, const ElfImage& image, std::uint64_t in_file, std::uint64_t behind,
                         const ReadAt& read_at) {
        site.build_id = image.build_id();
        const auto address = image.address_of(in_file);
        if (!address) return;
        site.offset = *address + behind;
        if (auto function = image.function_at(*address, read_at)) {
            site.symbol = std::move(function->name);
            site.symbol_offset = site.offset - function->address;
        }
    }

    static std::optional<Mapping> mapping_in(const std::vector<Mapping>& mappings, std::uint64_t address) {
        const auto behind = std::upper_bound(
            mappings.begin(), mappings.end(), address,
            [](std::uint64_t value, const Mapping& mapping) { return value < mapping.begin; });
        if (behind == mappings.begin() || address >= std::prev(behind)->end) return std::nullopt;
        return *std::prev(behind);
    }

    // By the task and not by its process: of a process whose first thread has ended, /proc/PID/maps is empty.
    static std::optional<Mapping> mapping_at(pid_t tid, Process* process, std::uint64_t address) {
        if (process == nullptr || process->runs_freely)
            return mapping_in(procfs::executable_mappings(tid), address);
        if (auto known = mapping_in(process->code, address)) return known;
        process->code = procfs::executable_mappings(tid);
        return mapping_in(process->code, address);
    }

    const ElfImage* image_of(int fd, const ReadAt& read_at) {
        struct stat status {};
        if (::fstat(fd, &status) != 0) return nullptr;
        if (functions_kept_ > most_functions_kept || images_.size() >= most_images_kept) {
            images_.clear();
            functions_kept_ = 0;
        }
        const auto [entry, is_new] = images_.try_emplace(key_of(status));
        if (is_new) {
            entry->second = ElfImage::read(read_at);
            if (entry->second) functions_kept_ += entry->second->functions();
        }
        return entry->second ? &*entry->second : nullptr;
    }

    // __kernel_vsyscall pushes ecx, edx and ebp before it enters the kernel (Linux,
    // arch/x86/entry/vdso/vdso32/system_call.S); over them is where it returns to.
    static std::optional<std::uint64_t> caller_of_vsyscall(const SyscallSeen& seen) {
        std::array<std::uint32_t, 4> words{};
        if (!read_memory(seen.task.tid, seen.stack_pointer, std::as_writable_bytes(std::span(words))))
            return std::nullopt;
        return words.back();
    }

    std::unordered_map<pid_t, Task> tasks_;
    std::unordered_map<pid_t, Process> processes_;
    std::unordered_map<std::string, std::size_t> executables_;
    std::unordered_map<Syscall, Search> searches_;
    std::map<FileKey, std::optional<ElfImage>> images_;
    std::size_t functions_kept_ = 0;
};

Attribution::Attribution() : impl_(std::make_unique<Impl>()) {}
Attribution::Attribution(Attribution&&) noexcept = default;
Attribution& Attribution::operator=(Attribution&&) noexcept = default;
Attribution::~Attribution() = default;

void Attribution::on(const Event& event) { impl_->on(event); }
std::optional<CallSite> Attribution::site_of(const SyscallSeen& seen) { return impl_->site_of(seen); }
std::optional<CallSite> Attribution::new_site_of(const SyscallSeen& seen) { return impl_->new_site_of(seen); }
std::vector<CallSite> Attribution::stack_of(const SyscallSeen& seen, std::size_t most) {
    return impl_->stack_of(seen, most);
}

}  // namespace callcensus

#include "callcensus/attribution.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
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
constexpr std::size_t max_looks = 16;
// Beyond that many functions in all the cache begins anew: a hundred megabytes.
constexpr std::size_t max_functions_kept = std::size_t{4} << 20;
constexpr std::size_t max_images_kept = 4096;
// As many as a target can make, and as a recording may keep: more is of no use.
constexpr std::size_t max_searches = 4096;
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
    explicit Impl(const ProcessTree& tree) : tree_(tree) {}

    void on(const Event& event) {
        std::visit([this](const auto& what) { note(what); }, event);
    }

    std::optional<CallSite> site_of(const SyscallSeen& seen) {
        if (seen.instruction_pointer == 0) return std::nullopt;
        Code* const code = code_kept_of(seen.task);
        auto site = site_at(seen.task.tid, code, seen.instruction_pointer);
        if (site && is_landing_pad(*site))
            if (const auto caller = caller_of_vsyscall(seen))
                if (auto calling = site_at(seen.task.tid, code, *caller)) return calling;
        return site;
    }

    std::optional<CallSite> new_site_of(const SyscallSeen& seen) {
        const ProcessTree::Task* const task = tree_.find(seen.task);
        if (seen.instruction_pointer == 0 || task == nullptr) return std::nullopt;
        if (searches_.size() >= max_searches && searches_.count(seen.call) == 0) return std::nullopt;
        Search& search = searches_[seen.call];
        if (search.sites.size() >= sites_kept) return std::nullopt;
        const ProcessTree::Process& process = *task->process;
        if (search.executables.size() <= process.executable)
            search.executables.resize(process.executable + 1);
        const Look look{process.executable, code_[process.place].generation, seen.instruction_pointer};
        if (search.executables[process.executable]) {
            if (search.looks.size() >= max_looks) return std::nullopt;
            if (!runs_freely(process) &&
                std::find(search.looks.begin(), search.looks.end(), look) != search.looks.end())
                return std::nullopt;
        }
        search.executables[process.executable] = true;
        if (search.looks.size() < max_looks) search.looks.push_back(look);
        auto site = site_of(seen);
        if (!site || std::find(search.sites.begin(), search.sites.end(), *site) != search.sites.end())
            return std::nullopt;
        search.sites.push_back(*site);
        return site;
    }

    std::vector<CallSite> stack_of(const SyscallSeen& seen, std::size_t most) {
        std::vector<CallSite> stack;
        if (most == 0 || seen.instruction_pointer == 0) return stack;
        Code* const code = code_kept_of(seen.task);
        for (const StackFrame& frame : call_stack(seen.task.tid, most))
            if (auto site = site_at(seen.task.tid, code, frame.address, frame.is_interrupted))
                stack.push_back(std::move(*site));
        if (!stack.empty() && is_landing_pad(stack.front())) stack.erase(stack.begin());
        if (stack.empty())
            if (auto site = site_of(seen)) stack.push_back(std::move(*site));
        return stack;
    }

  private:
    // Of a process.
    struct Code {
        std::vector<Mapping> mappings;  // as read last; empty where that would be wrong now
        std::uint32_t generation = 0;   // as far as seen
    };
    // Children share their parent's executable and its addresses.
    using Look = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>;
    // For the sites of one call.
    struct Search {
        std::vector<CallSite> sites;
        std::vector<Look> looks;
        std::vector<bool> executables;  // those that have made the call
    };

    // How its mappings change is not seen: nothing of them is kept.
    static bool runs_freely(const ProcessTree::Process& process) { return process.scope != Scope::process; }

    // Null where nothing may be kept.
    Code* code_kept_of(TaskId id) {
        const ProcessTree::Task* const task = tree_.find(id);
        return task != nullptr && !runs_freely(*task->process) ? &code_[task->process->place] : nullptr;
    }

    // ---- events ----

    void note(const TaskStarted& started) {
        const ProcessTree::Process& process = *tree_.find(started.task)->process;
        if (process.threads_ever != 1) return;
        if (code_.size() <= process.place) code_.resize(process.place + 1);
        const std::uint32_t generation = process.creator ? code_[process.creator->place].generation : 0;
        code_[process.place] = {{}, generation};
    }
    void note(const Execed& execed) {
        if (const ProcessTree::Task* const task = tree_.find(execed.task)) {
            Code& code = code_[task->process->place];
            ++code.generation;
            code.mappings.clear();
        }
    }
    void note(const SyscallSeen& seen) {
        if (replaces_code(seen) && replacing_code(seen.task)) in_replacing_call_.insert(seen.task.serial);
    }
    void note(const SyscallReturned& returned) {
        if (!in_replacing_call_.empty() && in_replacing_call_.erase(returned.task.serial) != 0)
            replacing_code(returned.task);
    }
    void note(const Released& released) {
        if (const ProcessTree::Task* const task = tree_.find(released.task))
            code_[task->process->place].mappings.clear();
    }
    void note(const TaskExited& exited) {
        in_replacing_call_.erase(exited.task.serial);
        const ProcessTree::Task* const task = tree_.find(exited.task);
        if (task != nullptr && task->process->threads == 0) code_[task->process->place] = {};
    }
    template <class Other>
    void note(const Other&) {}

    // Both when the call begins and when it has ended: in between another thread may have had us look. False
    // where the task is not known.
    bool replacing_code(TaskId id) {
        const ProcessTree::Task* const task = tree_.find(id);
        if (task == nullptr) return false;
        ++code_[task->process->place].generation;
        // A child of vfork(2) changes its parent's mappings, too.
        for (Code& code : code_) code.mappings.clear();
        return true;
    }

    // ---- looking ----

    // Of the instruction before `address`, or at it. `code`: of its process, where that may be kept.
    std::optional<CallSite> site_at(pid_t tid, Code* code, std::uint64_t address,
                                    bool is_interrupted = false) {
        // A call that never returns can be the last instruction of its function, and of its mapping.
        const std::uint64_t instruction = is_interrupted ? address : address - 1;
        // An emulated call of the vsyscall page begins at its first byte.
        const auto mapping = [&] {
            auto found = mapping_at(tid, code, instruction);
            return found ? found : mapping_at(tid, code, address);
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

    // `after`: how far after the beginning of the instruction the site is said to be.
    static void describe(CallSite& site, const ElfImage& image, std::uint64_t in_file, std::uint64_t after,
                         const ReadAt& read_at) {
        site.build_id = image.build_id();
        const auto address = image.address_of(in_file);
        if (!address) return;
        site.offset = *address + after;
        if (auto function = image.function_at(*address, read_at)) {
            site.symbol = std::move(function->name);
            site.symbol_offset = site.offset - function->address;
        }
    }

    static std::optional<Mapping> mapping_in(const std::vector<Mapping>& mappings, std::uint64_t address) {
        const auto next = std::upper_bound(
            mappings.begin(), mappings.end(), address,
            [](std::uint64_t value, const Mapping& mapping) { return value < mapping.begin; });
        if (next == mappings.begin() || address >= std::prev(next)->end) return std::nullopt;
        return *std::prev(next);
    }

    // By the task and not by its process: of a process whose first thread has ended, /proc/PID/maps is empty.
    static std::optional<Mapping> mapping_at(pid_t tid, Code* code, std::uint64_t address) {
        if (code == nullptr) return mapping_in(procfs::executable_mappings(tid), address);
        if (auto known = mapping_in(code->mappings, address)) return known;
        code->mappings = procfs::executable_mappings(tid);
        return mapping_in(code->mappings, address);
    }

    const ElfImage* image_of(int fd, const ReadAt& read_at) {
        struct stat status {};
        if (::fstat(fd, &status) != 0) return nullptr;
        if (functions_kept_ > max_functions_kept || images_.size() >= max_images_kept) {
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

    const ProcessTree& tree_;
    std::vector<Code> code_;                               // by the places of processes
    std::unordered_set<std::uint32_t> in_replacing_call_;  // serials of tasks
    std::unordered_map<Syscall, Search> searches_;
    std::map<FileKey, std::optional<ElfImage>> images_;
    std::size_t functions_kept_ = 0;
};

Attribution::Attribution(const ProcessTree& tree) : impl_(std::make_unique<Impl>(tree)) {}
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

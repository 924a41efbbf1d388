/// Which program or library makes a system call: the module behind the call's instruction pointer.
///
///     ProcessTree tree;
///     Attribution attribution(tree);
///     Verdict on(const Event& event) {                // a Sink
///         tree.on(event), attribution.on(event);      // every event, before anything else
///         if (const auto* seen = std::get_if<SyscallSeen>(&event))
///             if (const auto site = attribution.site_of(*seen)) std::cerr << text(*site) << '\n';
///         …
///
/// It looks at the task's mappings, and at the files behind them in the task's own mount namespace, while the
/// task is stopped: ask in the handling of the event, from the thread that runs the recorder. Everything that
/// it reads is the target's to choose, so that nothing of it is believed: what cannot be read or understood
/// is left out of the answer.
///
/// Limits: a file that was replaced on disk is opened only with CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN in
/// the initial user namespace (/proc/PID/map_files); without them its module is named without build-id and
/// symbol. Symbols are those in the file itself, .symtab and .dynsym; separate debug files are not looked
/// for.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "callcensus/call_site.hpp"
#include "callcensus/event.hpp"
#include "callcensus/process_tree.hpp"

namespace callcensus {

class Attribution {
  public:
    /// The tree, which must outlive it, has had each event first.
    explicit Attribution(const ProcessTree& tree);
    Attribution(Attribution&&) noexcept;
    Attribution& operator=(Attribution&&) noexcept;
    ~Attribution();

    /// Keeps what is known of the processes' mappings right.
    void on(const Event& event);

    /// Who makes the call. For a 32-bit program's call through the vDSO's __kernel_vsyscall that is who
    /// called that. Empty where the place is not known, or the task is gone.
    [[nodiscard]] std::optional<CallSite> site_of(const SyscallSeen& seen);

    /// The same for recordings, which keep the first few sites of each call: empty also where this site has
    /// been told, the call has its few, or the search for further ones has gone on for long enough. What most
    /// events cost here is a look into a table.
    [[nodiscard]] std::optional<CallSite> new_site_of(const SyscallSeen& seen);

    /// The call's stack, the site itself first. Works without frame pointers where the modules have .eh_frame
    /// (nearly all have). Ends early where a caller cannot be found, or after a quarter of a second.
    [[nodiscard]] std::vector<CallSite> stack_of(const SyscallSeen& seen, std::size_t most = 32);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace callcensus

// A call that our code watches for, recognised by number on every ABI of this machine at the cost of a
// comparison.
//
//     static const KnownCall execve_call("execve");
//     if (execve_call.is(call)) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "callcensus/abi.hpp"

namespace callcensus {

class KnownCall {
  public:
    /// Looks the name up, so that objects should be static. On the ABIs of this machine, which are those that
    /// we trace: libseccomp compares with each name that it knows, and a start would take a millisecond more.
    /// An ABI without that call never matches.
    explicit KnownCall(std::string_view name) {
        for (const AbiInfo& row : all_abis())
            numbers_.push_back(row.native == native_abi() ? syscall_number(row.abi, name) : std::nullopt);
    }

    [[nodiscard]] bool is(Syscall call) const {
        return numbers_[static_cast<std::size_t>(call.abi)] == call.number;
    }

  private:
    std::vector<std::optional<std::uint32_t>> numbers_;  // in the order of the ABIs
};

}  // namespace callcensus

// What attribution needs to know of an ELF file: where its code is loaded, its build-id, its functions. The
// file may be anything that a hostile program has mapped: every number in it is checked, work and memory are
// bounded, and what makes no sense is left out. Not by libelf, which takes memory for a section as large as
// the file says, and a sparse file says anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace callcensus {

/// Reads all of `bytes` from a place in the file, or says that it cannot.
using ReadAt = std::function<bool(std::uint64_t offset, std::span<std::byte> bytes)>;
/// By pread(2): the file may shrink while we read it, which would kill a reader by mmap(2).
[[nodiscard]] ReadAt reader_of_file(int fd);
/// Refers to the bytes.
[[nodiscard]] ReadAt reader_of(std::span<const std::byte> bytes);

class ElfImage {
  public:
    /// Empty where the file is not ELF in the byte order of this machine.
    [[nodiscard]] static std::optional<ElfImage> read(const ReadAt& read_at);

    /// In lower-case hexadecimal digits; empty where there is none.
    [[nodiscard]] const std::string& build_id() const { return build_id_; }

    /// The address, as in the symbol table, of what is at a place in the file; empty where that is not
    /// loaded.
    [[nodiscard]] std::optional<std::uint64_t> address_of(std::uint64_t file_offset) const;

    struct Symbol {
        std::string name;
        std::uint64_t address = 0;
    };
    /// The function that holds an address. Of several names for it the plainest: `read`, not `__libc_read`.
    /// The names are read from the file, which must be the same.
    [[nodiscard]] std::optional<Symbol> function_at(std::uint64_t address, const ReadAt& read_at) const;

    /// How much memory it takes, roughly.
    [[nodiscard]] std::size_t functions() const { return functions_.size(); }

  private:
    template <class Layout>
    friend class ElfReader;

    struct Segment {
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
        std::uint64_t address = 0;
        bool executable = false;
    };
    struct Function {
        std::uint64_t address = 0;
        std::uint64_t end = 0;
        std::uint64_t name = 0;  // where it is in the file
        bool has_size = false;   // else it reaches, as far as we know, to the end of its section
    };

    std::string build_id_;
    std::vector<Segment> segments_;
    std::vector<Function> functions_;  // by address
};

}  // namespace callcensus

#include "base/elf_image.hpp"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace callcensus {
namespace {

// Far above what there is (a browser has 700,000 functions), and soon read.
constexpr std::size_t max_headers = 65536;
constexpr std::uint64_t largest_notes = 65536;  // of all segments together
constexpr std::uint64_t largest_build_id = 64;
constexpr std::uint64_t max_symbols = std::uint64_t{1} << 23;  // of all tables together
constexpr std::size_t max_functions = std::size_t{1} << 21;
constexpr std::size_t symbols_at_once = 4096;
constexpr std::size_t longest_name = 1024;
// Functions that begin before an address and may still reach beyond it.
constexpr int max_enclosing = 64;

struct Layout32 {
    using Header = Elf32_Ehdr;
    using Program = Elf32_Phdr;
    using Section = Elf32_Shdr;
    using Symbol = Elf32_Sym;
};
struct Layout64 {
    using Header = Elf64_Ehdr;
    using Program = Elf64_Phdr;
    using Section = Elf64_Shdr;
    using Symbol = Elf64_Sym;
};

template <class T>
bool read_into(const ReadAt& read_at, std::uint64_t offset, T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return read_at(offset, std::as_writable_bytes(std::span(&value, 1)));
}

template <class T>
std::vector<T> read_table(const ReadAt& read_at, std::uint64_t offset, std::size_t count) {
    std::vector<T> table(std::min(count, max_headers));
    if (!read_at(offset, std::as_writable_bytes(std::span(table)))) table.clear();
    return table;
}

// The end of a range that may pretend to reach beyond the last address.
std::uint64_t end_of(std::uint64_t begin, std::uint64_t size) {
    return size > UINT64_MAX - begin ? UINT64_MAX : begin + size;
}

// From notes as in elf(5): sizes of name and description, type, then both, each padded to four bytes.
std::string find_build_id(std::span<const std::byte> notes) {
    const auto padded = [](std::uint64_t size) { return (size + 3) / 4 * 4; };
    while (notes.size() >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;  // the same in both sizes
        std::memcpy(&note, notes.data(), sizeof note);
        notes = notes.subspan(sizeof note);
        const std::uint64_t name_size = padded(note.n_namesz);
        if (name_size > notes.size() || note.n_descsz > notes.size() - name_size) return {};
        const std::string_view name(reinterpret_cast<const char*>(notes.data()), note.n_namesz);
        const auto description = notes.subspan(name_size, note.n_descsz);
        if (note.n_type == NT_GNU_BUILD_ID && name == std::string_view("GNU\0", 4) &&
            description.size() <= largest_build_id) {
            constexpr std::string_view digits = "0123456789abcdef";
            std::string id;
            for (const std::byte byte : description) {
                id += digits[std::to_integer<unsigned>(byte) >> 4];
                id += digits[std::to_integer<unsigned>(byte) & 15];
            }
            return id;
        }
        notes = notes.subspan(std::min<std::uint64_t>(name_size + padded(note.n_descsz), notes.size()));
    }
    return {};
}

std::string read_name(const ReadAt& read_at, std::uint64_t offset) {
    // Most names are short, and the last ones of a file have little after them.
    std::string name;
    std::array<char, 64> piece;
    while (name.size() < longest_name) {
        std::size_t size = piece.size();
        while (size > 0 &&
               !read_at(offset + name.size(), std::as_writable_bytes(std::span(piece.data(), size))))
            size /= 2;
        const auto* const end =
            static_cast<const char*>(size == 0 ? nullptr : std::memchr(piece.data(), 0, size));
        name.append(piece.data(), end != nullptr ? static_cast<std::size_t>(end - piece.data()) : size);
        if (end != nullptr || size == 0) break;
    }
    return name.substr(0, name.find('@'));  // "memcpy@@GLIBC_2.14"
}

bool is_plainer(std::string_view a, std::string_view b) {
    const auto key = [](std::string_view name) {
        return std::pair(std::min(name.find_first_not_of('_'), name.size()), name.size());
    };
    return key(a) != key(b) ? key(a) < key(b) : a < b;
}

}  // namespace

ReadAt reader_of_file(int fd) {
    return [fd](std::uint64_t offset, std::span<std::byte> bytes) {
        while (!bytes.empty()) {
            if (offset > static_cast<std::uint64_t>(INT64_MAX) - bytes.size()) return false;
            const ssize_t count = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(count));
            offset += static_cast<std::uint64_t>(count);
        }
        return true;
    };
}

ReadAt reader_of(std::span<const std::byte> image) {
    return [image](std::uint64_t offset, std::span<std::byte> bytes) {
        if (offset > image.size() || bytes.size() > image.size() - offset) return false;
        const auto from = image.subspan(static_cast<std::size_t>(offset), bytes.size());
        std::copy(from.begin(), from.end(), bytes.begin());
        return true;
    };
}

template <class Layout>
class ElfReader {
  public:
    explicit ElfReader(const ReadAt& read_at) : read_at_(read_at) {}

    std::optional<ElfImage> read() {
        typename Layout::Header header;
        if (!read_into(read_at_, 0, header)) return std::nullopt;
        if (header.e_phentsize == sizeof(typename Layout::Program)) read_segments(header);
        if (header.e_shentsize == sizeof(typename Layout::Section)) read_sections(header);
        return std::move(image_);
    }

  private:
    void read_segments(const typename Layout::Header& header) {
        for (const auto& segment :
             read_table<typename Layout::Program>(read_at_, header.e_phoff, header.e_phnum)) {
            if (segment.p_type == PT_LOAD)
                image_.segments_.push_back(
                    {segment.p_offset, segment.p_filesz, segment.p_vaddr, (segment.p_flags & PF_X) != 0});
            if (segment.p_type == PT_NOTE && image_.build_id_.empty() && segment.p_filesz <= notes_left_) {
                notes_left_ -= segment.p_filesz;
                std::vector<std::byte> notes(static_cast<std::size_t>(segment.p_filesz));
                if (read_at_(segment.p_offset, notes)) image_.build_id_ = find_build_id(notes);
            }
        }
    }

    void read_sections(const typename Layout::Header& header) {
        // More than 65279 sections: the first one has the number (elf(5), e_shnum). No linked file has.
        sections_ = read_table<typename Layout::Section>(read_at_, header.e_shoff, header.e_shnum);
        for (const auto& section : sections_)
            if ((section.sh_type == SHT_SYMTAB || section.sh_type == SHT_DYNSYM) &&
                section.sh_entsize == sizeof(typename Layout::Symbol) && section.sh_link < sections_.size())
                read_symbols(section, sections_[section.sh_link]);
        auto& functions = image_.functions_;
        std::sort(functions.begin(), functions.end(),
                  [](const auto& a, const auto& b) { return a.address < b.address; });
        functions.shrink_to_fit();
    }

    void read_symbols(const typename Layout::Section& table, const typename Layout::Section& names) {
        using Symbol = typename Layout::Symbol;
        std::vector<Symbol> symbols;
        const std::uint64_t count = std::min<std::uint64_t>(table.sh_size / sizeof(Symbol), symbols_left_);
        symbols_left_ -= count;
        for (std::uint64_t at = 0; at < count; at += symbols.size()) {
            symbols.resize(static_cast<std::size_t>(std::min<std::uint64_t>(count - at, symbols_at_once)));
            if (!read_at_(end_of(table.sh_offset, at * sizeof(Symbol)),
                          std::as_writable_bytes(std::span(symbols))))
                return;
            for (const Symbol& symbol : symbols) add(symbol, names);
        }
    }

    template <class Symbol>
    void add(const Symbol& symbol, const typename Layout::Section& names) {
        const unsigned type = symbol.st_info & 15U;  // ELF64_ST_TYPE, the same in both sizes
        if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) return;
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= sections_.size()) return;
        const auto& section = sections_[symbol.st_shndx];
        if ((section.sh_flags & SHF_EXECINSTR) == 0 || symbol.st_name >= names.sh_size) return;
        auto& functions = image_.functions_;
        if (functions.size() >= max_functions) return;
        const bool has_size = symbol.st_size != 0;
        const std::uint64_t end =
            has_size ? end_of(symbol.st_value, symbol.st_size) : end_of(section.sh_addr, section.sh_size);
        functions.push_back({symbol.st_value, end, end_of(names.sh_offset, symbol.st_name), has_size});
    }

    const ReadAt& read_at_;
    ElfImage image_;
    std::vector<typename Layout::Section> sections_;
    std::uint64_t notes_left_ = largest_notes;
    std::uint64_t symbols_left_ = max_symbols;
};

std::optional<ElfImage> ElfImage::read(const ReadAt& read_at) {
    std::array<unsigned char, EI_NIDENT> identity{};
    if (!read_into(read_at, 0, identity) || std::memcmp(identity.data(), ELFMAG, SELFMAG) != 0)
        return std::nullopt;
    constexpr int native = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
    if (identity[EI_DATA] != native) return std::nullopt;
    if (identity[EI_CLASS] == ELFCLASS32) return ElfReader<Layout32>(read_at).read();
    if (identity[EI_CLASS] == ELFCLASS64) return ElfReader<Layout64>(read_at).read();
    return std::nullopt;
}

std::optional<std::uint64_t> ElfImage::address_of(std::uint64_t file_offset) const {
    const Segment* found = nullptr;
    for (const Segment& segment : segments_) {
        if (file_offset < segment.offset || file_offset - segment.offset >= segment.size) continue;
        // Two segments may share a piece of the file; the code is in the one that can be executed.
        if (found == nullptr || (segment.executable && !found->executable)) found = &segment;
    }
    if (found == nullptr) return std::nullopt;
    return file_offset - found->offset + found->address;
}

std::optional<ElfImage::Symbol> ElfImage::function_at(std::uint64_t address, const ReadAt& read_at) const {
    const auto next = std::upper_bound(
        functions_.begin(), functions_.end(), address,
        [](std::uint64_t value, const Function& function) { return value < function.address; });
    // The innermost one with a size; a label without counts only where no function comes after it.
    const Function* found = nullptr;
    int looked_at = 0;
    for (auto at = next; at != functions_.begin() && looked_at < max_enclosing; ++looked_at) {
        --at;
        if (address >= at->end) continue;
        if (at->has_size) {
            found = &*at;
            break;
        }
        if (found == nullptr && at->address == std::prev(next)->address) found = &*at;
    }
    if (found == nullptr) return std::nullopt;
    Symbol symbol{{}, found->address};
    constexpr int max_names = 16;
    int names = 0;
    for (auto at = std::lower_bound(
             functions_.begin(), functions_.end(), found->address,
             [](const Function&function, std::uint64_t value) { return function.address < value; });
         at != functions_.end() && at->address == found->address && names < max_names; ++at, ++names) {
        if (address >= at->end || at->has_size != found->has_size) continue;
        std::string name = read_name(read_at, at->name);
        // "$x", "$d": where code and data begin, on Arm and RISC-V
        if (name.empty() || name.front() == '$') continue;
        if (symbol.name.empty() || is_plainer(name, symbol.name)) symbol.name = std::move(name);
    }
    if (symbol.name.empty()) return std::nullopt;
    return symbol;
}

}  // namespace callcensus

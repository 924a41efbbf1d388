#include "base/elf_image.hpp"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/sysmacros.h>

#include <cstring>

#include "base/procfs.hpp"
#include "base/unique_fd.hpp"
#include "callcensus/call_site.hpp"
#include "catch.hpp"

namespace elf_image_test {

using namespace callcensus;

extern "C" {
// Found in the test program itself.
[[gnu::noinline]] int callcensus_test_function(int value) { return value * 3 + 1; }
}

namespace {

using Bytes = std::vector<std::byte>;

template <class T>
std::uint64_t append(Bytes& bytes, const T* values, std::size_t count) {
    const auto at = bytes.size();
    bytes.resize(at + count * sizeof(T));
    std::memcpy(bytes.data() + at, values, count * sizeof(T));
    return at;
}

constexpr std::uint64_t code_address = 0x401000;
constexpr std::uint64_t code_offset = 0x1000;

// A file with code at 0x401000 (of which there is none in it), a build-id and these symbols.
template <class Header, class Program, class Section, class Symbol, unsigned char cls>
Bytes an_elf_file() {
    Bytes file;
    Header header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = cls;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    append(file, &header, 1);

    const char names[] = "\0__libc_get\0get\0inner\0label\0$x\0outer@@V1\0data\0after";
    const auto name = [&](std::string_view of) {
        return static_cast<Elf32_Word>(std::string_view(names, sizeof names).find(of));
    };
    const auto names_at = append(file, names, sizeof names);
    const auto symbol = [&](std::string_view of, unsigned type, unsigned section, std::uint64_t value,
                            std::uint64_t size) {
        Symbol made{};
        made.st_name = name(of);
        made.st_info = static_cast<unsigned char>(type);
        made.st_shndx = static_cast<Elf32_Half>(section);
        made.st_value = static_cast<decltype(made.st_value)>(value);
        made.st_size = static_cast<decltype(made.st_size)>(size);
        return made;
    };
    const Symbol symbols[] = {
        {},
        symbol("__libc_get", STT_FUNC, 1, 0x401000, 0x20),
        symbol("get", STT_FUNC, 1, 0x401000, 0x20),
        symbol("$x", STT_NOTYPE, 1, 0x401000, 0),
        symbol("outer", STT_FUNC, 1, 0x401040, 0x40),
        symbol("inner", STT_GNU_IFUNC, 1, 0x401050, 0x10),
        symbol("label", STT_NOTYPE, 1, 0x401090, 0),
        symbol("data", STT_OBJECT, 1, 0x401020, 0x20),
        symbol("after", STT_FUNC, SHN_UNDEF, 0x401020, 0x20),
        symbol("after", STT_FUNC, 2, 0x401020, 0x20),  // in a section without code
    };
    const auto symbols_at = append(file, symbols, std::size(symbols));

    Elf64_Nhdr note{4, 3, NT_GNU_BUILD_ID};
    const auto notes_at = append(file, &note, 1);
    append(file, "GNU\0\x0a\xbc\x01\0", 8);

    Section sections[4]{};
    sections[1].sh_type = SHT_PROGBITS;
    sections[1].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    sections[1].sh_addr = code_address;
    sections[1].sh_size = 0xa0;
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = static_cast<decltype(sections[2].sh_offset)>(names_at);
    sections[2].sh_size = sizeof names;
    sections[3].sh_type = SHT_SYMTAB;
    sections[3].sh_link = 2;
    sections[3].sh_entsize = sizeof(Symbol);
    sections[3].sh_offset = static_cast<decltype(sections[3].sh_offset)>(symbols_at);
    sections[3].sh_size = sizeof symbols;
    header.e_shoff = static_cast<decltype(header.e_shoff)>(append(file, sections, std::size(sections)));
    header.e_shentsize = sizeof(Section);
    header.e_shnum = std::size(sections);

    Program programs[3]{};
    programs[0].p_type = PT_LOAD;  // shares the page with the code
    programs[0].p_flags = PF_R;
    programs[0].p_offset = 0;
    programs[0].p_vaddr = 0x400000;
    programs[0].p_filesz = 0x2000;
    programs[1].p_type = PT_LOAD;
    programs[1].p_flags = PF_R | PF_X;
    programs[1].p_offset = code_offset;
    programs[1].p_vaddr = code_address;
    programs[1].p_filesz = 0xa0;
    programs[2].p_type = PT_NOTE;
    programs[2].p_offset = static_cast<decltype(programs[2].p_offset)>(notes_at);
    programs[2].p_filesz = 20;
    header.e_phoff = static_cast<decltype(header.e_phoff)>(append(file, programs, std::size(programs)));
    header.e_phentsize = sizeof(Program);
    header.e_phnum = std::size(programs);

    std::memcpy(file.data(), &header, sizeof header);
    return file;
}

Bytes an_elf_file(int bits) {
    return bits == 64 ? an_elf_file<Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr, Elf64_Sym, ELFCLASS64>()
                      : an_elf_file<Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr, Elf32_Sym, ELFCLASS32>();
}

std::string function(const ElfImage& image, std::uint64_t address, const Bytes& file) {
    const auto found = image.function_at(address, reader_of(file));
    return found ? found->name : "";
}

// As attribution does, wherever it leads.
void look_around(const Bytes& file) {
    const auto image = ElfImage::read(reader_of(file));
    if (!image) return;
    CHECK(image->build_id().size() <= 128);
    for (const std::uint64_t offset : {std::uint64_t{0}, code_offset + 0x45, UINT64_MAX})
        static_cast<void>(image->address_of(offset));
    for (const std::uint64_t address : {std::uint64_t{0}, code_address, code_address + 0x45, UINT64_MAX})
        CHECK(function(*image, address, file).size() <= 1024);
}

}  // namespace

TEST_CASE("an ELF file tells addresses, build-id and functions") {
    const int bits = GENERATE(32, 64);
    const Bytes file = an_elf_file(bits);
    const auto image = ElfImage::read(reader_of(file));
    REQUIRE(image);
    CHECK(image->build_id() == "0abc01");
    CHECK(image->address_of(0x10) == 0x400010U);
    CHECK(image->address_of(code_offset + 0x9f) == code_address + 0x9f);
    CHECK(image->address_of(code_offset + 0xa0) == 0x4010a0U);  // in the other segment only
    CHECK_FALSE(image->address_of(0x2000));

    CHECK(function(*image, 0x400fff, file).empty());
    CHECK(function(*image, 0x401000, file) == "get");  // the plainest of its names
    CHECK(function(*image, 0x40101f, file) == "get");
    CHECK(function(*image, 0x401020, file).empty());     // data, undefined, and not in code
    CHECK(function(*image, 0x401040, file) == "outer");  // without its version
    CHECK(function(*image, 0x401050, file) == "inner");
    CHECK(function(*image, 0x401060, file) == "outer");
    CHECK(function(*image, 0x401080, file).empty());
    CHECK(function(*image, 0x401095, file) == "label");  // which reaches to the end of its section
    CHECK(function(*image, 0x4010a0, file).empty());
    CHECK(image->function_at(0x401055, reader_of(file))->address == 0x401050);
}

TEST_CASE("the test program finds its own functions and build-id") {
    const UniqueFd self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    const ReadAt read_at = reader_of_file(self.get());
    const auto image = ElfImage::read(read_at);
    REQUIRE(image);
    ElfW(Addr) base = 0;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* found) {
            *static_cast<ElfW(Addr)*>(found) = info->dlpi_addr;
            return 1;  // the program is the first
        },
        &base);
    const auto address = reinterpret_cast<std::uintptr_t>(&callcensus_test_function) - base;
    const auto found = image->function_at(address + 1, read_at);
    REQUIRE(found);
    CHECK(found->name == "callcensus_test_function");
    CHECK(found->address == address);
}

TEST_CASE("what is no ELF file of this machine is none") {
    const Bytes file = an_elf_file(64);
    CHECK_FALSE(ElfImage::read(reader_of({})));
    CHECK_FALSE(ElfImage::read(reader_of(Bytes(4096))));
    for (const auto& [at, value] :
         {std::pair(1, 'e'), std::pair(int{EI_DATA}, '\x02'), std::pair(int{EI_CLASS}, '\x03')}) {
        Bytes other = file;
        other[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
        CHECK_FALSE(ElfImage::read(reader_of(other)));
    }
}

TEST_CASE("a file that ends early, or lies in any one byte, does no harm") {
    const int bits = GENERATE(32, 64);
    const Bytes file = an_elf_file(bits);
    for (std::size_t size = 0; size < file.size(); ++size)
        look_around(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
    for (std::size_t at = 0; at < file.size(); ++at)
        for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            Bytes other = file;
            other[at] = static_cast<std::byte>(value);
            look_around(other);
        }
}

TEST_CASE("of a file without end only so much is read") {
    Bytes file = an_elf_file(64);
    auto* const header = reinterpret_cast<Elf64_Ehdr*>(file.data());
    auto* const sections = reinterpret_cast<Elf64_Shdr*>(file.data() + header->e_shoff);
    sections[3].sh_size = std::uint64_t{1} << 50;
    std::uint64_t asked = 0;
    // Behind its end it goes on with the same symbol for ever.
    Elf64_Sym endless{};
    endless.st_info = STT_FUNC;
    endless.st_shndx = 1;
    endless.st_size = 8;
    const auto image = ElfImage::read([&](std::uint64_t offset, std::span<std::byte> bytes) {
        asked += bytes.size();
        if (reader_of(file)(offset, bytes)) return true;
        for (std::size_t at = 0; at + sizeof endless <= bytes.size(); at += sizeof endless)
            std::memcpy(bytes.data() + at, &endless, sizeof endless);
        return true;
    });
    REQUIRE(image);
    CHECK(image->functions() <= std::size_t{1} << 21);
    CHECK(asked < std::uint64_t{1} << 28);
}

TEST_CASE("of a file of symbol tables alone only so much is read") {
    Bytes file = an_elf_file(64);
    auto* const header = reinterpret_cast<Elf64_Ehdr*>(file.data());
    Elf64_Shdr table = reinterpret_cast<Elf64_Shdr*>(file.data() + header->e_shoff)[3];
    REQUIRE(table.sh_type == SHT_SYMTAB);
    constexpr std::uint64_t tables_at = std::uint64_t{1} << 40;
    header->e_shoff = tables_at;
    header->e_shnum = 65535;
    table.sh_size = std::uint64_t{1} << 20;
    std::uint64_t asked = 0;
    const auto image = ElfImage::read([&](std::uint64_t offset, std::span<std::byte> bytes) {
        asked += bytes.size();
        if (offset == tables_at)
            for (std::size_t at = 0; at < bytes.size(); at += sizeof table)
                std::memcpy(bytes.data() + at, &table, sizeof table);
        else if (!reader_of(file)(offset, bytes))
            std::fill(bytes.begin(), bytes.end(), std::byte{});  // symbols of nothing
        return true;
    });
    REQUIRE(image);
    CHECK(asked < std::uint64_t{1} << 28);
}

TEST_CASE("lines of maps are taken apart") {
    const auto code = procfs::parse_mapping(
        "7f1c5a028000-7f1c5a19d000 r-xp 00028000 fe:01 1234567                    /usr/lib/x y/libc.so.6 (deleted)");
    REQUIRE(code);
    CHECK(code->begin == 0x7f1c5a028000);
    CHECK(code->end == 0x7f1c5a19d000);
    CHECK(code->is_executable);
    CHECK(code->offset == 0x28000);
    CHECK(code->device == makedev(0xfe, 1));
    CHECK(code->inode == 1234567);
    CHECK(code->name == "/usr/lib/x y/libc.so.6 (deleted)");

    const auto memory = procfs::parse_mapping("55d0-55d1 rw-p 00000000 00:00 0 ");
    REQUIRE(memory);
    CHECK_FALSE(memory->is_executable);
    CHECK(memory->name.empty());
    CHECK(procfs::parse_mapping(
              "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]")
              ->name == "[vsyscall]");

    const std::string line = "55d0-55d1 r-xp 00000000 fe:00 12 ";
    for (std::size_t size = 0; size < line.size(); ++size)
        CHECK_FALSE(procfs::parse_mapping(std::string_view(line).substr(0, size)));
}

TEST_CASE("lines of mountinfo are taken apart") {
    const std::string line = "36 35 0:52 /a\\040-\\040b /mnt rw,noatime shared:1 - fuse.sshfs host:/a rw";
    const auto mount = procfs::parse_mount(line);
    REQUIRE(mount);
    CHECK(mount->device == makedev(0, 52));
    CHECK(mount->type == "fuse.sshfs");
    CHECK(procfs::parse_mount("36 35 8:1 / / rw - ext4 /dev/sda1 rw")->type == "ext4");
    for (std::size_t size = 0; size < line.find(" - "); ++size)
        CHECK_FALSE(procfs::parse_mount(std::string_view(line).substr(0, size)));
}

TEST_CASE("our own code is among our executable mappings") {
    const auto address = reinterpret_cast<std::uintptr_t>(&callcensus_test_function);
    const auto mappings = procfs::executable_mappings(::getpid());
    CHECK(std::count_if(mappings.begin(), mappings.end(), [&](const procfs::Mapping& mapping) {
              return mapping.begin <= address && address < mapping.end && mapping.is_executable;
          }) == 1);
}

TEST_CASE("a call site in words") {
    const CallSite read{"/usr/lib/libc.so.6", "0abc", 0x10e1b2, "read", 0x12};
    CHECK(text(read) == "libc.so.6 (read+0x12)");
    CHECK(short_text(read) == "libc.so.6 (read)");
    const CallSite unknown{"/usr/lib/libc.so.6", "0abc", 0x10e1b2, "", 0};
    CHECK(text(unknown) == "libc.so.6+0x10e1b2");
    CHECK(short_text(unknown) == "libc.so.6+0x10e1b2");
    CHECK(module_name({"[anonymous]", "", 5, "", 0}) == "[anonymous]");
    CHECK(module_name({"[anon:a/b]", "", 5, "", 0}) == "[anon:a/b]");
    CHECK(module_name({"/memfd:x (deleted)", "", 5, "", 0}) == "memfd:x (deleted)");
}

}  // namespace elf_image_test

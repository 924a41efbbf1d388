"""Who made a call: the module, its build-id, and the place in it."""

import os
import pathlib
import re
import struct
import subprocess

import pytest

import harness
from harness import needs, python

TRACEES = harness.TRACEES.resolve()
# In the last one a process runs freely almost at once: then only calls that are new stop it.
ENGINES = {"ptrace": ("--engine", "ptrace"), "adaptive": ("--engine", "adaptive"),
           "let run": ("--engine", "adaptive", "--patience", "0")}
PROGRAM, FIRST, SECOND = "tracee_call_sites", "libcall_site_a.so", "libcall_site_b.so"
SYSCALL = b"\x0f\x05"


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, check=True, text=True).stdout
    return re.search(r"Build ID: (\w+)", notes)[1]


def function(path, name):
    """The address of a function as the file's symbol tables have it, and its size."""
    for table in ("--defined-only", "-D"):
        lines = subprocess.run(["nm", "-S", table, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               check=True, text=True).stdout.splitlines()
        for words in map(str.split, lines):
            if len(words) == 4 and words[3].split("@")[0] == name:
                return int(words[0], 16), int(words[1], 16)
    raise AssertionError(f"{path} has no {name}")


def code_before(path, address, size):
    """What stands before an address of a 64-bit ELF file that is loaded."""
    data = pathlib.Path(path).read_bytes()
    start, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    for at in range(start, start + 56 * count, 56):
        kind, _, offset, begin, _, length = struct.unpack_from("<IIQQQQ", data, at)
        if kind == 1 and begin <= address - size and address <= begin + length:
            return data[address - size - begin + offset:][:size]
    raise AssertionError(f"nothing is loaded at {address:#x} of {path}")


class TestSites(harness.Case):
    def record(self, engine, *command, status=0):
        done = self.trace("--recording", "r.json", "-o", "p.json", *ENGINES[engine], "--", *command)
        assert done.status == status
        recording = self.json("r.json")
        sites = {}
        for call in recording["calls"]:
            sites[call["abi"], call.get("name")] = [site | recording["modules"][site["module"]]
                                                    for site in call["sites"]]
        return sites

    def assert_place(self, site, path, symbol, code=SYSCALL):
        """That it is in this file, in this function, and behind an instruction that makes calls."""
        assert os.path.realpath(site["path"]) == os.path.realpath(path)
        assert site["build_id"] == build_id(path)
        assert site.get("symbol") == symbol
        if symbol is not None:
            begin, size = function(path, symbol)
            assert site["offset"] == begin + site["symbol_offset"]
            assert 0 < site["symbol_offset"] <= size
        if code:
            assert code_before(path, site["offset"], len(code)) == code

    @pytest.mark.parametrize("engine", ENGINES)
    @needs("nm", "readelf")
    def test_every_kind_of_place(self, engine):
        if not (TRACEES / PROGRAM).exists():
            pytest.skip(f"{PROGRAM} is not built here")
        sites = {name: of for (abi, name), of in self.record(engine, str(TRACEES / PROGRAM)).items()
                 if abi == "x86_64"}
        only = {name: of[0] for name, of in sites.items() if len(of) == 1}
        assert os.path.basename(only["getsid"]["path"]) == "libc.so.6"
        self.assert_place(only["getsid"], only["getsid"]["path"], "getsid")
        self.assert_place(only["getpgid"], TRACEES / PROGRAM, "call_from_program")

        # The same call from the same address, where there was another library by then. Known calls of
        # a process that runs freely are not seen.
        twice = sites["sched_get_priority_max"]
        self.assert_place(twice[0], TRACEES / FIRST, "call_from_library")
        if engine != "let run":
            assert len(twice) == 2
            self.assert_place(twice[1], TRACEES / SECOND, "call_from_library")
        self.assert_place(only["sched_get_priority_min"], TRACEES / SECOND, "call_from_library")
        assert build_id(TRACEES / FIRST) != build_id(TRACEES / SECOND)

        generated = only["timer_getoverrun"]
        assert (generated["path"], generated["build_id"]) == ("[anonymous]", "")
        assert generated["offset"] == 12
        assert "symbol" not in generated

        in_memory = only["timer_delete"]
        assert in_memory["path"] == "/memfd:code (deleted)"
        if self.user is None and os.geteuid() == 0:
            self.assert_place(in_memory | {"path": TRACEES / FIRST}, TRACEES / FIRST, "call_from_library")

        vdso = only["clock_gettime"]
        assert vdso["path"] == "[vdso]"
        assert re.search(r"\A(__vdso_)?clock_gettime\Z", vdso["symbol"])
        assert re.search(r"\A[0-9a-f]{40}\Z", vdso["build_id"])

        loader = only["pread64"]
        assert re.search(r"\Ald-linux", os.path.basename(loader["path"]))
        self.assert_place(loader, loader["path"], loader.get("symbol"))

    @pytest.mark.parametrize("engine", ENGINES)
    @needs("nm", "readelf")
    def test_a_32_bit_program(self, engine):
        program = TRACEES / "tracee_i386"
        if not program.exists():
            pytest.skip("no 32-bit programs are built here")
        sites = self.record(engine, str(program))
        self.assert_place(sites["i386", "getpgid"][0], program, "main", None)
        # Through the vDSO, which is not who asks.
        getsid = sites["i386", "getsid"][0]
        assert os.path.basename(getsid["path"]) == "libc.so.6"
        self.assert_place(getsid, getsid["path"], "syscall", None)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_what_a_thread_does_after_its_leader(self, engine):
        """/proc/PID/maps of a process whose leader has ended is empty."""
        sites = self.record(engine, str(TRACEES / "tracee_leader_exits_first"), status=11)
        # Of the execve that began it only the success was seen.
        assert [name for (_, name), of in sites.items() if not of] == ["execve"]

    def test_few_of_many(self):
        code = "import os\nfor i in range(300):\n if os.fork() == 0: os._exit(0)\n os.wait()"
        sites = self.record("ptrace", *python(code))
        assert all(len(of) <= 4 for of in sites.values()), sites
        assert all(len(of) == len({(site["path"], site["offset"]) for site in of})
                   for of in sites.values()), sites
        assert [name for (_, name), of in sites.items() if not of] == ["execve"]

    def test_show_and_diff_tell(self):
        self.record("ptrace", "true")
        (self.directory / "r.json").rename(self.directory / "small.json")
        sites = self.record("ptrace", *python("import os; os.getsid(0)"))
        where, = (of[0] for (_, name), of in sites.items() if name == "getsid")
        short = os.path.basename(where["path"]) + " (getsid)"
        shown = self.run_natively(harness.PROGRAM, "show", "r.json")
        assert re.search(rf"(?m)^  getsid .*  {re.escape(short)}$", shown.out)
        difference = self.run_natively(harness.PROGRAM, "diff", "small.json", "r.json")
        assert re.search(rf"\+ getsid .*\n(      made by .*\n)+      at {re.escape(short)}\n", difference.out)


class TestSitesAsNobody(harness.AsNobody, TestSites):
    pass

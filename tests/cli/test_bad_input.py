"""Files that cannot be written or make no sense: found before the target runs where that is possible, told in
one line, and nothing that was there is lost."""

import json
import os
import re
import stat
import subprocess
import threading

import pytest

import harness
from harness import FAILED

PROFILE = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
           "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}]}

ARGUMENT = {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}
# What comes from a file may hold anything, and goes to a terminal.
ODD = "two\nlines\r\x1b[31m\0\x7f"


def pytest_generate_tests(metafunc):
    """What differs between the kinds of files stands in their classes."""
    if "wrong_shape" in metafunc.fixturenames:
        metafunc.parametrize("wrong_shape", metafunc.cls.WRONG_SHAPES)
    if metafunc.function.__name__ == "test_messages_stay_on_their_line":
        metafunc.parametrize("path, value", metafunc.cls.TEXTS_IN_MESSAGES)
    if metafunc.function.__name__ == "test_truncated":
        length = len(metafunc.cls().good().rstrip().encode())
        metafunc.parametrize("length", range(1, length, max(1, length // 25)))


def recording():
    return {
        "format": "callcensus-recording", "version": 1, "generator": "callcensus 0.1.0", "engine": "ptrace",
        "counts": "exact", "host": {"kernel": "6.18.44", "machine": "x86_64"}, "command": ["ls", "-l"],
        "started": "2026-11-22T01:46:00.123Z", "duration_ms": 12.345, "complete": True, "gaps": [],
        "notes": [],
        "exit_code": 0, "executables": ["/usr/bin/ls"],
        "processes": [{"pid": 123, "parent": None, "started_ms": 0.1, "executables": [0], "threads": 1,
                       "exit_code": 0}],
        "calls": [{"abi": "x86_64", "number": 0, "name": "read", "count": 12,
                   "first": {"ms": 1.2, "process": 0, "executable": 0}, "returned": {"ok": 9, "ENOENT": 2},
                   "unfinished": 1, "executables": [{"executable": 0, "count": 12}]}]}


def changed(value, path, new):
    """A copy in which the member at `path` is another, or gone where `new` is None."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    if new is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return copy


def position_of(text, fragment):
    """line:column of its first occurrence, both from 1, columns in bytes as compilers count them."""
    offset = text.index(fragment)
    line = text.count("\n", 0, offset)
    return f"{line + 1}:{len(text[text.rfind(chr(10), 0, offset) + 1:offset].encode()) + 1}"


class TestOutputThatCannotBeWritten(harness.Case):
    """Found out before the target runs: minutes of recording for nothing are not acceptable."""

    def assert_refused(self, path, *fragments):
        before = self.files()
        for option in ("-o", "--recording"):
            other = ["-o", str(self.path("other.json"))] if option == "--recording" else []
            done = self.trace(option, str(path), *other, "--", "touch", str(self.path("ran")))
            self.assert_complains(done, str(path), *fragments)
            assert self.files() == before
        self.write("r.json", json.dumps(recording()))
        self.assert_complains(self.callcensus("derive", "r.json", "-o", str(path)), str(path))
        self.path("r.json").unlink()
        assert self.files() == before

    def test_missing_directory(self):
        self.assert_refused("nowhere/p.json", "directory does not exist")
        self.assert_refused(self.path("nowhere/deeper/p.json"), "directory does not exist")

    def test_directory(self):
        self.path("folder").mkdir()
        self.assert_refused("folder", "is a directory")
        self.assert_refused("folder/", "is a directory")
        self.assert_refused(".", "is a directory")
        assert list(self.path("folder").iterdir()) == []

    def test_directory_behind_a_link(self):
        self.path("folder").mkdir()
        self.path("link").symlink_to("folder")
        self.assert_refused("link", "is a directory")

    def test_parent_that_is_a_file(self):
        self.write("file", "")
        self.assert_refused("file/p.json", "not a directory")

    def test_links_in_a_circle(self):
        self.path("loop").symlink_to("loop")
        self.assert_refused("loop")
        assert self.path("loop").is_symlink()

    def test_name_that_is_too_long(self):
        self.assert_refused("x" * 300)

    def test_no_name(self):
        done = self.trace("-o", "", "--", "touch", "ran")
        self.assert_complains(done)
        assert self.files() == []

    def test_standard_output_twice(self):
        done = self.trace("-o", "-", "--recording", "-", "--", "touch", "ran")
        self.assert_complains(done, "--recording")
        assert self.files() == []

    @pytest.mark.parametrize("profile, other", [
        ("same.json", "same.json"), ("same.json", "./same.json"), ("same.json", "{directory}/same.json"),
        ("same.json", "link.json")])
    def test_profile_and_recording_in_one_file(self, profile, other):
        other = other.format(directory=self.directory)
        self.path("link.json").symlink_to("same.json")
        done = self.trace("-o", profile, "--recording", other, "--", "touch", "ran")
        left = self.files()
        for name in set(left) - {"link.json"}:
            self.path(name).unlink()
        self.assert_complains(done, "same file")
        assert left == ["link.json"]

    @harness.needs_root
    @harness.needs("unshare", "mount")
    def test_read_only_file_system(self):
        self.path("mounted").mkdir()
        done = self.run_natively(
            "unshare", "--mount", "sh", "-c",
            'mount -t tmpfs -o ro tmpfs mounted && "$@"; echo "status $?"', "sh",
            *self.command([harness.PROGRAM, "trace", "-o", "mounted/p.json", "--", "touch", "ran"]))
        assert done.out == f"status {FAILED}\n"
        assert re.search(r"\Acallcensus: mounted/p.json: [^\n]*: Read-only file system\n\Z", done.err)
        assert self.files() == ["mounted"]


class TestOutputThatCannotBeWrittenAsNobody(harness.AsNobody, TestOutputThatCannotBeWritten):
    # setpriv inside of the mount namespace, which it takes root to make.
    def run_natively(self, *arguments, **options):
        if arguments[0] != "unshare":
            return super().run_natively(*arguments, **options)
        self.user, user = None, self.user
        self.cleanups.callback(setattr, self, "user", user)
        os.chmod(self.directory, 0o777)
        return super().run_natively(*arguments, **options)

    def test_directory_of_somebody_else(self):
        self.path("theirs").mkdir()
        os.chmod(self.path("theirs"), 0o755)
        self.assert_refused("theirs/p.json", "Permission denied")

    def test_file_of_somebody_else_in_a_sticky_directory(self):
        # Such as /tmp: a new file beside it may be made, but not put in its place.
        self.path("sticky").mkdir()
        os.chmod(self.path("sticky"), 0o1777)
        self.path("sticky/p.json").write_text("theirs", encoding="ascii")
        done = self.trace("-o", "sticky/p.json", "--", "touch", "ran")
        assert self.path("sticky/p.json").read_text(encoding="ascii") == "theirs"
        self.assert_complains(done, "sticky/p.json")
        assert self.files() == ["sticky"]

    def test_device_of_somebody_else(self):
        if os.access("/dev/kmsg", os.F_OK):
            self.assert_refused("/dev/kmsg", "cannot be written")


class TestOutputThatFailsAtTheEnd(harness.Case):
    """What shows only when writing: the target has run, and what it did must not be lost."""

    def assert_salvaged(self, done):
        assert done.status == FAILED
        assert "callcensus: " in done.err
        assert "profile written" not in done.err
        found = re.search(r"recording is safe in (\S+);", done.err)
        assert found is not None
        path = found[1]
        assert not (path.startswith("/dev/") and not path.startswith("/dev/shm/")), \
            "a folder of devices is no place for a recording"
        # Derived from by the very command that the message gives.
        command = re.search(r"callcensus derive (\S+)", done.err)
        derived = self.callcensus("derive", "-q", "-o", "later.json", command[1])
        self.assert_succeeded(derived)
        assert "execve" in harness.observed(self.json("later.json"))
        return path

    def trace_to(self, output, **options):
        return self.trace("-o", output, "--", "sh", "-c", "echo ran >ran; exit 3", **options)

    def test_full_device(self):
        done = self.trace_to("/dev/full")
        found = re.search(r"recording is safe in (\S+);", done.err)
        if found:
            self.cleanups.callback(lambda: os.path.exists(found[1]) and os.unlink(found[1]))
        assert "/dev/full: cannot be written: No space left on device" in done.err
        assert self.path("ran").exists()
        assert self.assert_salvaged(done).startswith(str(self.directory))
        assert stat.S_ISCHR(os.stat("/dev/full").st_mode)

    def test_standard_output_full(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run(  # its standard output is no pipe, which Case.trace would make it
                self.command([harness.PROGRAM, "trace", "-o", "-", "--", "sh", "-c",
                              "echo ran >ran; exit 3"]),
                stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, cwd=self.directory,
                env=self.environment(), timeout=harness.DEADLINE_S, check=False)
        done = harness.Done(process.returncode, "", process.stderr.decode())
        assert "standard output: cannot be written: No space left on device" in done.err
        self.assert_salvaged(done)

    def test_standard_output_closed(self):
        done = self.trace("-o", "-", "--", "sh", "-c", "echo ran >ran; exit 3",
                          preexec_fn=lambda: os.close(1))
        assert self.path("ran").exists()
        self.assert_salvaged(done)

    def test_reader_gone(self):
        # As in `callcensus trace -o - ... | head -c0`: EPIPE is an error like others, and no SIGPIPE.
        read_end, write_end = os.pipe()
        running = self.start_trace("-o", "-", "--", "sh", "-c", "echo ran >ran; exit 3", stdout=write_end)
        os.close(write_end)
        os.close(read_end)
        process = running.process
        _, err = process.communicate(timeout=harness.DEADLINE_S)
        self.assert_salvaged(harness.Done(process.returncode, "", err.decode()))

    def test_full_device_of_derive(self):
        self.write("r.json", json.dumps(recording()))
        self.assert_complains(self.callcensus("derive", "r.json", "-o", "/dev/full"),
                              "No space left on device")
        assert self.files() == ["r.json"]

    def test_directory_that_vanishes_meanwhile(self):
        self.path("folder").mkdir()
        if self.user:
            os.chmod(self.path("folder"), 0o777)
        done = self.trace("-o", "folder/p.json", "--", "rmdir", "folder")
        assert "folder/p.json: " in done.err
        self.assert_salvaged(done)

    def test_the_recording_that_was_asked_for_is_enough(self):
        done = self.trace("-o", "/dev/full", "--recording", "r.json", "--", "sh", "-c", "exit 3")
        assert done.status == FAILED
        assert "safe in" not in done.err
        assert "recording written to r.json" in done.err
        assert self.files() == ["r.json"]
        self.assert_succeeded(self.callcensus("derive", "r.json"))

    @harness.needs_root
    @harness.needs("unshare", "mount", "setpriv")
    def test_full_file_system(self):
        self.path("full").mkdir()
        self.path("room").mkdir()
        os.chmod(self.path("room"), 0o777)
        script = r"""
            mount -t tmpfs -o size=16k,mode=777 tmpfs full || exit 99
            echo earlier >full/p.json
            chmod 666 full/p.json
            dd if=/dev/zero of=full/rest bs=4096 2>dd.log
            "$@"
            echo "status $?"
            cat full/p.json
            ls -A full
        """
        script_options = {"env": self.environment(TMPDIR=str(self.path("room")))}
        user, self.user = self.user, None
        who = ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups", "--"] if user else []
        done = self.run_natively("unshare", "--mount", "sh", "-c", script, "sh", *who, harness.PROGRAM,
                                 "trace", "-o", "full/p.json", "--", "sh", "-c", "echo the target; exit 3",
                                 **script_options)
        self.user = user
        assert done.out == f"the target\nstatus {FAILED}\nearlier\np.json\nrest\n"
        assert "full/p.json: cannot be written: No space left on device" in done.err
        done.status = FAILED
        assert self.assert_salvaged(done).startswith(str(self.path("room")))

    @harness.needs_root
    @harness.needs("unshare", "mount", "chroot")
    def test_no_room_anywhere(self):
        # Nothing can be written at all: the names of the calls go to standard error as the last resort.
        script = r"""
            mount -t tmpfs -o size=16k,mode=777 tmpfs full || exit 99
            dd if=/dev/zero of=full/rest bs=4096 2>/dev/null
            cd full
            for folder in /tmp /var/tmp /dev/shm; do
                mount -t tmpfs -o ro tmpfs $folder || exit 98
            done
            TMPDIR=/nonexistent "$@"
            echo "status $?"
        """
        # /tmp is about to be covered, so that neither program nor directory may be reached by its path.
        program = os.open(harness.PROGRAM, os.O_RDONLY)
        self.cleanups.callback(os.close, program)
        self.path("full").mkdir()
        user, self.user = self.user, None
        done = self.run_natively("unshare", "--mount", "sh", "-c", script, "sh", f"/proc/self/fd/{program}",
                                 "trace", "-o", "p.json", "--", "sh", "-c", "exit 3", pass_fds=[program])
        self.user = user
        assert done.out == f"status {FAILED}\n"
        assert re.search(r"could not be saved anywhere", done.err)
        assert re.search(r"\n[^\n]*\bexecve\b", done.err)


class TestOutputThatFailsAtTheEndAsNobody(harness.AsNobody, TestOutputThatFailsAtTheEnd):
    test_no_room_anywhere = None  # does not depend on who it is


class BadFile:
    """Mixed into a Case: files that make no sense, for whoever reads one. What reads it is read(path)."""

    def assert_refused(self, name, *fragments):
        before = self.files()
        done = self.read(name)
        self.assert_complains(done, *fragments)
        assert self.files() == before
        return done

    def test_missing(self):
        self.assert_refused("nowhere.json", "nowhere.json: ", "No such file or directory")

    def test_directory(self):
        self.path("folder").mkdir()
        self.assert_refused("folder", "folder: is a directory")

    @pytest.mark.parametrize("content, fragments", [
        (b"", ["bad.json: is empty"]),
        (b" \n\t\r\n ", ["bad.json: is empty"]),
        (b"\0", ["bad.json:"]),
        (bytes(range(256)) * 64, ["bad.json:"]),
        (b"\x7fELF\x02\x01\x01", ["bad.json:"]),
        (b"\xff\xfe{\0}\0", ["bad.json:"]),
        (b"names: [read]\n", ["bad.json:"]),
        (b"{]", ["bad.json:1:2: is not JSON", "]"]),
        (b"{\n  \"a\": 1,\n}\n", ["bad.json:3:1: is not JSON", "}"]),
        (b"{\n  \"a\": 1\n  \"b\": 2}\n", ["bad.json:3:"]),
        (b"{\n  // no comment\n}\n", ["bad.json:2:3: is not JSON"]),
        (b"{\"a\": tru}", ["bad.json:1:"]),
        (b"{\"a\": 01}", ["bad.json:1:"]),
        (b"{\"a\": \"\xff\"}", ["bad.json:1:"]),
        (b"{\"a\": \"tab\there\"}", ["bad.json:1:"]),
        (b"{} {}", ["bad.json:1:4: is not JSON"]),
        (b"{\"a\": \"\\ud800\"}", ["bad.json:1:"]),
        (b"{\"a\": 1e999}", ["bad.json:1:"])])
    def test_no_json(self, content, fragments):
        self.write("bad.json", content)
        self.assert_refused("bad.json", *fragments)

    def test_truncated(self, length):
        # Whatever it is cut to: a complaint about the end, none about the beginning, and never a crash.
        whole = self.good().rstrip().encode()
        cut = whole[:length]
        self.write("bad.json", cut)
        last_line = cut.count(b"\n") + 1
        done = self.assert_refused("bad.json", "bad.json:", "ends too early")
        found = re.search(r"bad\.json:(\d+):", done.err)
        assert int(found[1]) in (last_line, last_line - 1)

    @pytest.mark.parametrize("content", ["[]", "null", "3", "\"text\"", "true", "[[[]]]"])
    def test_not_an_object(self, content):
        self.write("bad.json", content)
        self.assert_refused("bad.json", "bad.json:1:1: the file must be an object")

    def test_nested_too_deep(self):
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            for closed in (True, False):
                depth = 100_000
                self.write("bad.json", opening * depth + ("1" + closing * depth if closed else ""))
                self.assert_refused("bad.json", "bad.json:1:", "nested")

    def test_hundred_megabytes(self):
        with open(self.path("bad.json"), "wb") as file:
            file.truncate(100_000_000)
        self.assert_refused("bad.json", "bad.json:")

    def test_without_an_end(self):
        self.assert_refused("/dev/zero", "/dev/zero: is larger than ")

    def test_messages_stay_on_their_line(self, path, value):
        self.write("bad.json", json.dumps(changed(json.loads(self.good()), path, value)))
        self.assert_refused("bad.json", "bad.json:1:")

    def test_messages_about_names_stay_on_their_line(self):
        self.assert_complains(self.read("two\nlines\x1b[2J.json"), "No such file or directory")

    def test_wrong_shapes(self, wrong_shape):
        """(path, new value, name of the member in the message): the message must say where, too."""
        path, new, *fragments = wrong_shape
        good = json.loads(self.good())
        text = json.dumps(changed(good, path, new), indent=1, ensure_ascii=False)
        self.write("bad.json", text)
        where = self.place_of(text, path) if new is not None else "bad.json:"
        self.assert_refused("bad.json", where, *fragments)

    @staticmethod
    def place_of(text, path):
        """Where the value at `path` of an indented text begins, by looking for one key after the other."""
        at = 0
        for step in path:
            if isinstance(step, str):
                at = re.compile(rf'"{re.escape(step)}": ').search(text, at).end()
            else:
                at = re.compile(r"\s*").match(text, at + 1).end()
                assert step == 0, "only first elements are looked for"
        return f"bad.json:{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}: "


class TestBadBaseline(BadFile, harness.Case):
    WRONG_SHAPES = [
        (["defaultAction"], None, "lacks \"defaultAction\""),
        (["defaultAction"], 3, "defaultAction must be a string"),
        (["defaultAction"], "SCMP_ACT_MAYBE", "unknown action", "SCMP_ACT_MAYBE", "SCMP_ACT_ERRNO"),
        (["defaultAction"], "allow", "unknown action"),
        (["defaultErrnoRet"], "38", "defaultErrnoRet must be a whole number"),
        (["defaultErrnoRet"], -1, "defaultErrnoRet must be a whole number"),
        (["defaultErrnoRet"], 1.5, "defaultErrnoRet must be a whole number"),
        (["defaultErrnoRet"], 2 ** 32, "defaultErrnoRet must be a whole number"),
        (["defaultErrno"], 38, "defaultErrno must be a string"),
        (["architectures"], "SCMP_ARCH_X86_64", "architectures must be a list"),
        (["architectures", 0], 3, "architectures[0] must be a string"),
        (["architectures", 0], "SCMP_ARCH_Z80", "unknown architecture", "SCMP_ARCH_Z80"),
        (["architectures", 0], "x86_64", "unknown architecture", "SCMP_ARCH_X86_64"),
        (["flags"], {}, "flags must be a list"),
        (["listenerPath"], [], "listenerPath must be a string"),
        (["syscalls"], {}, "syscalls must be a list"),
        (["syscalls", 0], "read", "syscalls[0] must be an object"),
        (["syscalls", 0, "names"], "read", "syscalls[0].names must be a list"),
        (["syscalls", 0, "names", 0], 0, "syscalls[0].names[0] must be a string"),
        (["syscalls", 0, "name"], 7, "syscalls[0].name must be a string"),
        (["syscalls", 0, "action"], None, "syscalls[0] lacks \"action\""),
        (["syscalls", 0, "action"], "SCMP_ACT_PERHAPS", "syscalls[0].action", "unknown action",
         "SCMP_ACT_PERHAPS"),
        (["syscalls", 0, "errnoRet"], True, "syscalls[0].errnoRet must be a whole number"),
        (["syscalls", 0, "args"], ARGUMENT, "syscalls[0].args must be a list"),
    ]
    TEXTS_IN_MESSAGES = [
        (("defaultAction",), ODD),
        (("architectures", 0), ODD),
        (("syscalls", 0, "action"), ODD),
        (("syscalls", 0, "args"), [{"index": 0, "value": 0, "op": ODD}])]

    def good(self):
        return json.dumps(PROFILE, indent=2)

    def read(self, name):
        done = self.trace("-q", "--baseline", str(name), "-o", "p.json", "--", "touch", "ran")
        self.write("r.json", json.dumps(recording()))
        derived = self.callcensus("derive", "-q", "--baseline", str(name), "-o", "p.json", "r.json")
        self.path("r.json").unlink()
        assert (done.status, done.err) == (derived.status, derived.err)
        return done

    def test_good(self):
        self.write("good.json", self.good())
        self.assert_succeeded(self.read("good.json"))

    # For members of members that are added as a whole the place is that of the inner value.
    @pytest.mark.parametrize("member, new, inner, fragment", [
        ("args", [{**ARGUMENT, "index": 6}], None, "syscalls[0].args[0]"),
        ("args", [{"index": 0, "value": 1}], None, "syscalls[0].args[0] lacks \"op\""),
        ("args", [3], "3", "syscalls[0].args[0] must be an object"),
        ("args", [{**ARGUMENT, "index": "zero"}], '"zero"', "syscalls[0].args[0].index must be a whole number"),
        ("args", [{**ARGUMENT, "value": -5}], "-5", "syscalls[0].args[0].value must be a whole number"),
        ("args", [{**ARGUMENT, "op": "=="}], '"=="', "unknown operator \"==\""),
        ("comment", 17, "17", "syscalls[0].comment must be a string"),
        ("includes", [], "[]", "syscalls[0].includes must be an object"),
        ("excludes", {"caps": "CAP"}, '"CAP"', "syscalls[0].excludes.caps must be a list")])
    def test_wrong_shapes_inside(self, member, new, inner, fragment):
        text = json.dumps(changed(PROFILE, ("syscalls", 0, member), new), indent=2)
        self.write("bad.json", text)
        where = f"bad.json:{position_of(text, inner)}: " if inner else "bad.json:"
        self.assert_refused("bad.json", where, fragment)

    def test_name_and_names(self):
        text = json.dumps(changed(PROFILE, ("syscalls", 0, "name"), "open"), indent=2)
        self.write("bad.json", text)
        self.assert_refused("bad.json", "bad.json:", "syscalls[0]", "\"name\"", "\"names\"")

    @pytest.mark.parametrize("key, value, fragment", [
        ("architecture", None, "archMap[0] lacks \"architecture\""),
        ("architecture", "SCMP_ARCH_Z80", "unknown architecture"),
        ("subArchitectures", ["Z80"], "unknown architecture"),
        ("subArchitectures", "SCMP_ARCH_X86", "must be a list")])
    def test_architectures_and_map(self, key, value, fragment):
        family = {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}
        text = json.dumps(changed(PROFILE, ("archMap",), [family]), indent=2)
        self.write("bad.json", text)
        self.assert_refused("bad.json", "bad.json:", "archMap", "\"architectures\"")
        profile = changed(changed(PROFILE, ("architectures",), None), ("archMap",),
                          [changed(family, (key,), value)])
        self.write("bad.json", json.dumps(profile))
        self.assert_refused("bad.json", "bad.json:1:", fragment)

    def test_larger_than_any_profile(self):
        self.write("bad.json", json.dumps({**PROFILE, "comment": "x" * (17 << 20)}))
        self.assert_refused("bad.json", "bad.json: is larger than 16 MiB")


class TestUnreadableAsNobody(harness.AsNobody, harness.Case):
    def test_not_readable(self):
        os.chown(self.write("bad.json", json.dumps(PROFILE), 0o600), 0, 0)
        done = self.trace("--baseline", "bad.json", "-o", "p.json", "--", "touch", "ran")
        self.assert_complains(done, "bad.json: ", "Permission denied")
        self.assert_complains(self.callcensus("derive", "bad.json"), "bad.json: ", "Permission denied")
        assert self.files() == ["bad.json"]


class TestBadRecording(BadFile, harness.Case):
    WRONG_SHAPES = [
        (["format"], 1, "format must be a string"),
        (["version"], None, "lacks \"version\""),
        (["version"], 2, "version is not 1"),
        (["version"], "1", "version must be a whole number"),
        (["host"], "here", "host must be an object"),
        (["command"], "ls -l", "command must be a list"),
        (["command", 0], 5, "command[0] must be a string"),
        (["started"], "yesterday", "started must look like"),
        (["duration_ms"], "12", "duration_ms must be a number"),
        (["complete"], "yes", "complete must be true or false"),
        (["gaps"], "none", "gaps must be a list"),
        (["executables"], "ls", "executables must be a list"),
        (["processes"], {}, "processes must be a list"),
        (["processes", 0], 123, "processes[0] must be an object"),
        (["processes", 0, "pid"], None, "processes[0] lacks \"pid\""),
        (["processes", 0, "pid"], "123", "processes[0].pid must be a whole number"),
        (["processes", 0, "threads"], -1, "processes[0].threads must be a whole number"),
        (["processes", 0, "executables"], 0, "processes[0].executables must be a list"),
        (["processes", 0, "executables", 0], "ls", "processes[0].executables[0] must be a whole number"),
        (["processes", 0, "executables", 0], 1, "processes[0].executables[0] is 1, but there are only 1"),
        (["calls"], 3, "calls must be a list"),
        (["calls", 0], "read", "calls[0] must be an object"),
        (["calls", 0, "abi"], None, "calls[0] lacks \"abi\""),
        (["calls", 0, "abi"], "z80", "calls[0].abi", "unknown ABI", "z80"),
        (["calls", 0, "number"], None, "calls[0] lacks \"number\""),
        (["calls", 0, "number"], 2 ** 32, "calls[0].number must be a whole number"),
        (["calls", 0, "number"], -1, "calls[0].number must be a whole number"),
        (["calls", 0, "number"], 1.0, "calls[0].number must be a whole number"),
        (["calls", 0, "count"], "12", "calls[0].count must be a whole number"),
        (["calls", 0, "first"], None, "calls[0] lacks \"first\""),
        (["calls", 0, "first", "ms"], "early", "calls[0].first.ms must be a number"),
        (["calls", 0, "returned"], [], "calls[0].returned must be an object"),
        (["calls", 0, "returned"], {"EWHAT": 1}, "calls[0].returned has an unknown errno \"EWHAT\""),
    ]
    TEXTS_IN_MESSAGES = [(("calls", 0, "abi"), ODD), (("calls", 0, "returned"), {ODD: 1})]

    def good(self):
        return json.dumps(recording(), indent=2)

    def read(self, name):
        return self.callcensus("derive", "-q", "-o", "p.json", str(name))

    def test_good(self):
        self.write("good.json", self.good())
        self.assert_succeeded(self.read("good.json"))
        assert harness.observed(self.json("p.json")) == {"read"}

    def test_from_standard_input(self):
        done = self.callcensus("derive", "-q", "-o", "p.json", "-", stdin=b'{"format": "something else"}')
        self.assert_complains(done, "standard input:1:1: is not a callcensus recording")
        assert self.files() == []
        done = self.callcensus("derive", "-q", "-o", "p.json", "-", stdin=b"")
        self.assert_complains(done, "standard input: is empty")

    def test_the_second_of_two(self):
        self.write("good.json", self.good())
        self.write("bad.json", "{")
        done = self.callcensus("derive", "-q", "-o", "p.json", "good.json", "bad.json")
        self.assert_complains(done, "bad.json:1:1: ")
        assert self.files() == ["bad.json", "good.json"]

    def test_a_profile_is_no_recording(self):
        self.write("bad.json", json.dumps(PROFILE))
        self.assert_refused("bad.json", "bad.json:1:1: is not a callcensus recording")

    @pytest.mark.parametrize("path, new", [
        (("first", "process"), 1), (("first", "executable"), 1), (("first", "process"), 2 ** 32),
        (("executables", 0, "executable"), 1)])
    def test_indexes_that_point_nowhere(self, path, new):
        call = ("calls", 0)
        good = recording()
        self.write("bad.json", json.dumps(changed(good, call + path, new)))
        self.assert_refused("bad.json", "bad.json:1:")

    def test_parents_that_come_behind_their_children(self):
        good = recording()
        for parent in (0, 1, 2 ** 31):  # parents come before their children
            self.write("bad.json", json.dumps(changed(good, ("processes", 0, "parent"), parent)))
            self.assert_refused("bad.json", "bad.json:1:")

    @pytest.mark.parametrize("key", [
        "generator", "engine", "counts", "host", "started", "duration_ms", "gaps", "notes",
        "exit_code"])
    def test_what_may_be_missing(self, key):
        self.write("short.json", json.dumps(changed(recording(), (key,), None)))
        self.assert_succeeded(self.read("short.json"))
        assert harness.observed(self.json("p.json")) == {"read"}

    def test_members_from_a_later_minor_version(self):
        self.write("later.json", json.dumps({**recording(), "weather": {"rain": [1, 2]}}))
        self.assert_succeeded(self.read("later.json"))


class TestReplacing(harness.Case):
    """Where a profile is written over something that is there already."""

    WAYS = ("trace", "derive", "recording")

    def produce(self, output, way="trace", umask=-1):
        """Writes to `output` in one of the ways that there are."""
        if way == "trace":
            done = self.trace("-q", "-o", str(output), "--", "true", umask=umask)
        elif way == "recording":
            done = self.trace("-q", "-o", "-", "--recording", str(output), "--", "true", umask=umask)
        else:
            self.write("r.json", json.dumps(recording()))
            done = self.callcensus("derive", "-q", "r.json", "-o", str(output), umask=umask)
            self.path("r.json").unlink()
        self.assert_succeeded(done)

    def assert_written(self, name):
        assert isinstance(self.json(name), dict)

    def test_new_file_honours_the_mask(self):
        for way in self.WAYS:
            for mask in (0o000, 0o002, 0o022, 0o027, 0o077):
                self.produce("p.json", way, umask=mask)
                assert stat.S_IMODE(self.path("p.json").stat().st_mode) == 0o666 & ~mask
                self.path("p.json").unlink()

    def test_mode_of_an_existing_file_is_kept(self):
        for way in self.WAYS:
            for mode in (0o600, 0o644, 0o666, 0o444, 0o755):
                self.write("p.json", "earlier", mode)
                self.produce("p.json", way, umask=0o077)
                self.assert_written("p.json")
                assert stat.S_IMODE(self.path("p.json").stat().st_mode) == mode
                self.path("p.json").unlink()

    @harness.needs_root
    def test_owner_of_an_existing_file_is_kept(self):
        path = self.write("p.json", "earlier")
        os.chown(path, 12345, 54321)
        self.produce("p.json")
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (12345, 54321)

    def test_symbolic_link_is_kept(self):
        for way in self.WAYS:
            self.path("folder").mkdir(exist_ok=True)
            os.chmod(self.path("folder"), 0o777)
            self.write("folder/target.json", "earlier")
            links = {"relative": "folder/target.json", "absolute": str(self.path("folder/target.json")),
                     "chain": "relative", "dangling": "folder/new.json"}
            for name, points_to in links.items():
                if not self.path(name).is_symlink():
                    self.path(name).symlink_to(points_to)
                self.produce(name, way)
                assert os.readlink(self.path(name)) == points_to
                self.assert_written(name)
            assert sorted(os.listdir(self.path("folder"))) == ["new.json", "target.json"]
            self.path("folder/new.json").unlink()

    def test_nothing_else_is_left_behind(self):
        for way in self.WAYS:
            self.produce("p.json", way)
            self.produce("p.json", way)
            assert self.files() == ["p.json"]

    def test_the_null_device_stays(self):
        before = os.stat("/dev/null")
        for way in self.WAYS:
            self.produce("/dev/null", way)
        after = os.stat("/dev/null")
        assert (before.st_mode, before.st_rdev, before.st_ino) == (after.st_mode, after.st_rdev, after.st_ino)

    def test_pipe_is_written_to(self):
        os.mkfifo(self.path("pipe"))
        os.chmod(self.path("pipe"), 0o666)
        for way in self.WAYS:
            received = []

            def read():
                with open(self.path("pipe"), "rb") as pipe:
                    received.append(pipe.read())  # pylint: disable=cell-var-from-loop
            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            self.produce("pipe", way)
            reader.join(harness.DEADLINE_S)
            assert isinstance(json.loads(received[0]), dict)
            assert stat.S_ISFIFO(self.path("pipe").stat().st_mode)

    def test_process_substitution(self):
        # `-o >(jq .)` names /dev/fd/N, a link to a pipe.
        script = '"$0" trace -q -o >(cat >copy.json) -- true; wait $!'
        self.assert_succeeded(self.run_natively("bash", "-c", script, harness.PROGRAM))
        self.assert_written("copy.json")

    def test_standard_output_by_name(self):
        for name in ("/dev/stdout", "/proc/self/fd/1"):
            done = self.trace("-q", "-o", name, "--", "echo", "from the target")
            self.assert_succeeded(done)
            first, rest = done.out.split("\n", 1)
            assert first == "from the target"
            assert "execve" in harness.observed(json.loads(rest))

    def test_readers_never_see_a_part(self):
        short, long = recording(), recording()
        long["executables"] += [f"/usr/bin/program-{i}" for i in range(3)]
        template = long["calls"][0]
        long["calls"] = [{**template, "number": number} for number in range(334)]
        self.write("short.json", json.dumps(short))
        self.write("long.json", json.dumps(long))
        self.produce("p.json")
        problems, sizes, ended = [], set(), threading.Event()

        def read_again_and_again():
            while not ended.is_set():
                try:
                    text = self.path("p.json").read_text(encoding="utf-8")
                    json.loads(text)
                    sizes.add(len(text))
                except (OSError, ValueError) as error:
                    problems.append(error)
                    return
        reader = threading.Thread(target=read_again_and_again, daemon=True)
        reader.start()
        try:
            for _ in range(25):
                for name in ("short.json", "long.json"):
                    done = self.callcensus("derive", "-q", "--observed-only", name, "-o", "p.json")
                    self.assert_succeeded(done)
        finally:
            ended.set()
            reader.join(harness.DEADLINE_S)
        assert problems == []
        assert len(sizes) >= 2, "the reader saw no replacement"


class TestReplacingAsNobody(harness.AsNobody, TestReplacing):
    test_owner_of_an_existing_file_is_kept = None  # only root can give files away

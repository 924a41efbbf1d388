"""callcensus convert and --format: every format by its consumer, where the machine has it."""

import ctypes
import json
import os
import re
import subprocess

import pytest

import harness

try:
    import yaml
except ImportError:
    yaml = None

GOLDEN = harness.REPOSITORY / "tests/golden"
DOCKER_SHAPE = str(GOLDEN / "baselines/docker-shape.json")
FORMATS = ("oci", "docker", "spo", "systemd", "minijail", "bpf", "pfc", "c")

# Lossless in every format but those that have no default errno; socket 38 (AF_ALG) is denied by argument.
DENYING = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [
        {"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77},
        {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 97,
         "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_EQ"}]}],
}
ALLOWING = {
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [{"names": ["execve", "exit", "exit_group", "read", "write", "openat"],
                  "action": "SCMP_ACT_ALLOW", "comment": "observed while tracing x"}],
}

needs_x86_64 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the profiles here are for x86_64")
SPO_HEAD = "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\n"



class TestConvert(harness.Case):
    def convert(self, *arguments, **options):
        return self.callcensus("convert", *arguments, **options)

    def profile(self, name, content):
        return self.write(name, json.dumps(content))

    # ---- the command

    @pytest.mark.parametrize("name", FORMATS)
    def test_every_format_to_standard_output_and_to_a_file(self, name):
        small = str(GOLDEN / "profiles/small.json")
        done = subprocess.run([harness.PROGRAM, "convert", small, "--to", name], capture_output=True,
                              cwd=self.directory, env=self.environment(), timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout
        if name in ("oci", "docker"):
            assert "syscalls" in json.loads(done.stdout)
        self.assert_succeeded(self.convert("--to", name, small, "-o", f"small.{name}"))
        written = self.path(f"small.{name}").read_bytes()
        if name != "c":  # whose function has the name of the file
            assert written == done.stdout

    def test_standard_input(self):
        done = self.convert("-", "--to", "minijail", stdin=json.dumps(DENYING).encode())
        self.assert_complains(done, "standard input: ", "minijail", "--lossy")
        done = self.convert("-", "--to", "minijail", "--lossy", stdin=json.dumps(DENYING).encode())
        assert done.status == 0
        assert "getppid: return EBADFD\n" in done.out

    def test_losses_are_an_error_with_the_first_and_their_number(self):
        done = self.convert(DOCKER_SHAPE, "--to", "systemd")
        self.assert_complains(done, DOCKER_SHAPE, "systemd", "--lossy", "conditions on capabilities")
        more = int(re.search(r"and (\d+) more$", done.err.strip())[1])
        lossy = self.convert(DOCKER_SHAPE, "--to", "systemd", "--lossy")
        assert lossy.status == 0
        warnings = lossy.err.splitlines()
        assert len(warnings) == more + 1
        for warning in warnings:
            assert warning.startswith("callcensus: warning: systemd lacks "), warning
        quiet = self.convert(DOCKER_SHAPE, "--to", "systemd", "--lossy", "-q")
        assert (quiet.out, quiet.err) == (lossy.out, "")

    def test_a_refused_conversion_leaves_the_file_as_it_was(self):
        self.write("x.conf", "before")
        self.assert_complains(self.convert(DOCKER_SHAPE, "--to", "systemd", "-o", "x.conf"), "--lossy")
        assert self.path("x.conf").read_text(encoding="utf-8") == "before"

    @pytest.mark.parametrize("name", ["bpf", "pfc", "c"])
    def test_a_compiled_filter_tells_of_what_it_lacks(self, name):
        flagged = self.profile("flagged.json", {**DENYING, "flags": ["SECCOMP_FILTER_FLAG_LOG"],
                                                "listenerPath": "/run/x"})
        foreign = self.profile("foreign.json", {**DENYING, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_SH"]})
        self.assert_complains(self.convert(DOCKER_SHAPE, "--to", name, "-o", "x"),
                              "conditions on capabilities")
        first = "the flag SECCOMP_FILTER_FLAG_LOG; and 1 more" if name != "c" else "the listener"
        self.assert_complains(self.convert(flagged, "--to", name, "-o", "x"), first)
        self.assert_complains(self.convert(foreign, "--to", name, "-o", "x"), "SCMP_ARCH_SH")

    def test_c_keeps_the_flags(self):
        flagged = self.profile("flagged.json", {**DENYING, "flags": ["SECCOMP_FILTER_FLAG_LOG"],
                                                "listenerPath": "/run/x"})
        assert ("SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG," in
                self.convert(flagged, "--to", "c", "--lossy", "-q").out)

    def test_raw_bytes_do_not_go_to_a_terminal(self):
        path = self.profile("d.json", DENYING)
        terminal = harness.Terminal(self, [harness.PROGRAM, "convert", path, "--to", "bpf"])
        assert terminal.end() == harness.FAILED
        assert re.search(rb"^callcensus: standard output: is a terminal[^\n]*\r\n$", terminal.output)
        terminal = harness.Terminal(self, [harness.PROGRAM, "convert", path, "--to", "pfc"])
        assert terminal.end() == 0
        assert b"# pseudo filter code" in terminal.output

    def test_unknown_formats_and_architectures(self):
        self.assert_complains(self.convert(DOCKER_SHAPE, "--to", "kafel"), "kafel", "minijail")
        self.assert_complains(self.convert(DOCKER_SHAPE, "--to", "oci", "--abi", "z80"), "z80")
        self.assert_complains(self.convert(DOCKER_SHAPE, "--to", "oci", "--arch", "z80"), "z80")
        self.assert_complains(self.convert(DOCKER_SHAPE), "--to")
        self.assert_complains(self.convert("--to", "oci"), "PROFILE")

    def test_round_trips_keep_the_meaning(self):
        first = self.profile("first.json", ALLOWING)
        self.assert_succeeded(self.convert(first, "--to", "spo", "-o", "p.yaml"))
        self.assert_succeeded(self.convert("p.yaml", "--to", "docker", "-o", "d.json"))
        self.assert_succeeded(self.convert("d.json", "--to", "spo", "-o", "again.yaml"))
        done = self.convert("again.yaml", "--to", "oci")
        self.assert_succeeded(done)
        result = json.loads(done.out)
        assert result["syscalls"][0]["names"] == ALLOWING["syscalls"][0]["names"]
        assert result["architectures"] == ALLOWING["architectures"]

    def test_one_abi_of_several(self):
        wide = {**ALLOWING, "defaultAction": "SCMP_ACT_KILL_PROCESS",
                "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]}
        wide["syscalls"] = [{"names": ["read", "socketcall"], "action": "SCMP_ACT_ALLOW"}]
        path = self.profile("wide.json", wide)
        native = self.convert(path, "--to", "minijail", "--lossy", "--abi", "x86_64")
        assert "SCMP_ARCH_X86:" in native.err
        assert "socketcall:" not in native.out
        other = self.convert(path, "--to", "minijail", "--lossy", "--abi", "i386")
        assert "SCMP_ARCH_X86_64:" in other.err
        assert "socketcall: 1\n" in other.out

    # ---- reading

    @pytest.mark.parametrize("text, fragments", [
                (SPO_HEAD + "spec:\n  defaultAction: NOPE\n", (":4:18: ", "unknown action")),
                (SPO_HEAD + "spec:\n  defaultAction: [\n", ("is not YAML",)),
                (SPO_HEAD + "spec: &a\n  defaultAction: SCMP_ACT_KILL\n", (":3:7: ", "anchor")),
                (SPO_HEAD + "spec: *a\n", (":3:7: ", "alias")),
                (SPO_HEAD + "spec: !!map {}\n", (":3:7: ", "tag")),
                (SPO_HEAD, ('lacks "spec"',)),
                ("kind: Pod\napiVersion: v1\nspec: {}\n", ("apiVersion", "security-profiles-operator")),
                (SPO_HEAD.replace("SeccompProfile", "Pod") + "spec:\n  defaultAction: SCMP_ACT_KILL\n",
                 (":2:7: ", "Pod", "SeccompProfile")),
                (SPO_HEAD + "spec:\n  defaultAction: SCMP_ACT_KILL\n  syscalls:\n  - action: SCMP_ACT_ALLOW\n"
                 "    names: [\u00e9, 5]\n", (":7:17: ", "must be a string")),
                (SPO_HEAD + "spec:\n" + "  " + "[" * 200, ("more than a hundred levels",))])
    def test_errors_in_yaml_say_where(self, text, fragments):
        self.write("p.yaml", text)
        self.assert_complains(self.convert("p.yaml", "--to", "oci"), "p.yaml", *fragments)

    def test_other_documents_of_a_manifest_are_passed_over_aloud(self):
        self.write("p.yaml", SPO_HEAD + "spec:\n  defaultAction: SCMP_ACT_KILL\n---\nkind: x\n")
        done = self.convert("p.yaml", "--to", "oci")
        assert done.status == 0
        assert done.err == "callcensus: note: p.yaml:6:1: is passed over: a x, no SeccompProfile\n"

    @pytest.mark.parametrize("text, fragments", [
        ("read: 1\nwrite 1\n", (":2:7: ", "`:`")),
        ("read: 1\n@include /etc/x.policy\n", (":2:1: ", "cannot be read")),
        ("read: 1\nwrite: 2\n", (":2:8: ", "neither")),
        ("read: arg6 == 1\n", (":1:7: ", "arg0 to arg5")),
        ("read: arg0 = 1\n", (":1:12: ", "operator")),
        ("read: arg0 == O_NOTHING\n", (":1:15: ", "O_NOTHING", "number")),
        ("read: arg0 == 1; return ENOPE\n", (":1:25: ",)),
        ("read: arg0 == 1; dance\n", (":1:18: ",)),
        ("@default allow\n", (":1:10: ", "allow")),
        ("{ read, write : 1\n", (":1:15: ", "lacks a `}`")),
        ("read: 1\n{ read, write : 1\n", (":2:15: ", "lacks a `}`")),
        ("read: 1 1\n", (":1:9: ", "not expected"))])
    def test_errors_in_policies_say_where(self, text, fragments):
        self.write("p.policy", text)
        self.assert_complains(self.convert("p.policy", "--to", "oci"), "p.policy", *fragments)

    def test_a_recording_is_not_a_profile(self):
        self.assert_succeeded(self.trace("-q", "--recording", "r.json", "-o", "p.json", "--", "true"))
        self.assert_complains(self.convert("r.json", "--to", "oci"), "r.json", "is a recording")

    # ---- --format of trace and derive

    def test_trace_and_derive_write_formats(self):
        self.assert_succeeded(self.trace("-q", "--recording", "r.json", "--default-errno", "EPERM",
                                        "--format", "spo", "--", "true"))
        assert self.files() == ["r.json", "seccomp.yaml"]
        self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "--format", "c"))
        assert "seccomp_load_seccomp" in self.path("seccomp.c").read_text(encoding="utf-8")
        self.assert_succeeded(self.callcensus("derive", "-q", "r.json"))
        assert self.files() == ["r.json", "seccomp.c", "seccomp.json", "seccomp.yaml"]

    def test_trace_tells_of_losses_before_it_runs_anything(self):
        done = self.trace("--format", "spo", "--", "touch", "ran")
        self.assert_complains(done, "spo", "ENOSYS", "--lossy")
        assert self.files() == []
        done = self.trace("--format", "spo", "--lossy", "--", "true")
        assert done.status == 0
        assert re.search(r"warning: spo lacks ENOSYS", done.err)

    @needs_x86_64
    def test_a_loss_that_shows_only_after_the_run_loses_no_recording(self):
        done = self.trace("--format", "minijail", "--default-action", "kill_process", "-o", "p.policy", "--",
                          harness.tracee("abi_mix"))
        assert done.status == harness.FAILED
        assert "minijail cannot say everything" in done.err
        saved = re.search(r"the recording is safe in (\S+);", done.err)
        assert saved, done.err
        self.assert_succeeded(self.callcensus("derive", "-q", saved[1], "-o", "p.json"))
        assert "SCMP_ARCH_X86" in self.json("p.json")["architectures"]

    def test_merge_writes_formats(self):
        first = self.profile("a.json", ALLOWING)
        second = self.write("b.policy", "getppid: 1\n")
        done = self.callcensus("merge", first, first, "--format", "spo")
        self.assert_succeeded(done)
        assert "kind: SeccompProfile" in done.out
        self.assert_succeeded(self.callcensus("merge", second, second, "--format", "minijail", "-o", "m.policy"))
        assert "getppid: 1\n" in self.path("m.policy").read_text(encoding="utf-8")
        self.assert_complains(self.callcensus("merge", DOCKER_SHAPE, DOCKER_SHAPE, "--format", "minijail"),
                              "minijail cannot say everything")

    def test_the_machine_decides_conditions(self):
        plain = self.convert(DOCKER_SHAPE, "--to", "spo", "--lossy", "-q")
        admin = self.convert(DOCKER_SHAPE, "--to", "spo", "--lossy", "-q", "--caps", "default,SYS_ADMIN")
        arm = self.convert(DOCKER_SHAPE, "--to", "spo", "--lossy", "-q", "--arch", "arm64")
        assert "clone3" in plain.out
        assert "clone3" not in admin.out
        assert "SCMP_ARCH_AARCH64" in arm.out
        assert "SCMP_ARCH_X86_64" not in arm.out

    def test_baselines_in_other_formats(self):
        self.write("base.policy", "getppid: 1\n")
        self.assert_succeeded(self.trace("-q", "--baseline", "base.policy", "-o", "p.json", "--", "true"))
        assert self.json("p.json")["syscalls"][0]["names"] == ["getppid"]

    # ---- the consumers

    @pytest.mark.skipif(yaml is None, reason="no yaml module for Python (Debian: python3-yaml)")
    def test_yaml_by_another_parser(self):
        path = self.profile("my_Profile.json", {**ALLOWING, "syscalls": [
            *ALLOWING["syscalls"],
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
             "args": [{"index": 0, "value": 2114060288, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]},
            {"names": ["chroot"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]})
        done = self.convert(path, "--to", "spo")
        self.assert_succeeded(done)
        assert yaml.safe_load(done.out) == {
    "apiVersion": "security-profiles-operator.x-k8s.io/v1beta1", "kind": "SeccompProfile",
    "metadata": {"name": "my-profile"},
    "spec": {
        "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [
            {"action": "SCMP_ACT_ALLOW", "names": ALLOWING["syscalls"][0]["names"]},
            {"action": "SCMP_ACT_ALLOW", "names": ["clone"],
             "args": [{"index": 0, "value": 2114060288, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]},
            {"action": "SCMP_ACT_ERRNO", "errnoRet": 13, "names": ["chroot"]}]}}
        for folder in (GOLDEN / "spo").iterdir():
            if folder.suffix == ".yaml":
                assert yaml.safe_load(folder.read_text(encoding="utf-8"))["kind"] == "SeccompProfile"

    @pytest.mark.parametrize("content", [None, ALLOWING, DENYING], ids=["docker", "allowing", "denying"])
    @harness.needs("systemd-analyze")
    def test_systemd_accepts_the_lines(self, content):
        source = self.profile("p.json", content) if content else DOCKER_SHAPE
        done = self.convert(source, "--to", "systemd", "--lossy", "-q")
        assert done.status == 0
        unit = self.write("census-test.service", done.out + "ExecStart=/bin/true\n")
        verified = self.run_natively("systemd-analyze", "verify", "--man=no", unit)
        about_us = [line for line in verified.err.splitlines() if "SystemCall" in line or
                    "census-test" in line]
        assert about_us == []

    @harness.needs("systemd-analyze")
    def test_systemd_does_not_accept_everything(self):
        broken = self.write("census-test.service",
                            "[Service]\nSystemCallErrorNumber=ENOPE\nExecStart=/bin/true\n")
        assert "ENOPE" in self.run_natively("systemd-analyze", "verify", "--man=no", broken).err

    @needs_x86_64
    @harness.needs("systemd-analyze")
    def test_systemd_allows_what_the_profile_allows_and_no_more(self):
        library = libseccomp()
        if library is None:
            pytest.skip("no libseccomp.so.2")
        listing = self.run_natively("systemd-analyze", "syscall-filter", "@default").out
        implicit = {line.strip() for line in listing.splitlines() if re.fullmatch(r"\s+[a-z0-9_]+", line)}
        assert "mmap" in implicit
        # systemd passes over names that its libseccomp does not know on the machine.
        known = {name for name in implicit if library.seccomp_syscall_resolve_name(name.encode()) >= 0}
        done = self.convert(self.profile("a.json", ALLOWING), "--to", "systemd")
        self.assert_succeeded(done)
        allowed = set(known)
        for sign, names in re.findall(r"^SystemCallFilter=(~?)(.*)$", done.out, re.MULTILINE):
            allowed = allowed - set(names.split()) if sign else allowed | set(names.split())
        assert allowed == set(ALLOWING["syscalls"][0]["names"])

    @needs_x86_64
    @harness.needs("gcc")
    def test_c_compiles_and_confines(self):
        path = self.profile("d.json", DENYING)
        self.assert_succeeded(self.convert(path, "--to", "c", "-o", "my-filter.c"))
        self.write("main.c", """
            #include <errno.h>
            #include <stdio.h>
            #include <sys/socket.h>
            #include <unistd.h>
            #include <sys/syscall.h>
            int my_filter_load_seccomp(void);
            int main(void) {
                if (syscall(SYS_getppid) < 0) return 1;
                if (my_filter_load_seccomp() != 0) return 2;
                if (syscall(SYS_getppid) != -1 || errno != 77) return 3;
                if (socket(38, SOCK_SEQPACKET, 0) != -1 || errno != 97) return 4;
                if (socket(AF_UNIX, SOCK_STREAM, 0) < 0) return 5;
                puts("confined");
                return 0;
            }""")
        built = self.run_natively("gcc", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-std=c99",
                                  "-D_DEFAULT_SOURCE", "-o", "confined", "main.c", "my-filter.c")
        assert (built.status, built.err) == (0, "")
        ran = self.run_natively(str(self.path("confined")))
        assert (ran.status, ran.out) == (0, "confined\n")

    @needs_x86_64
    def test_bpf_and_pfc_are_what_libseccomp_makes_of_the_same_rules(self):
        library = libseccomp()
        if library is None:
            pytest.skip("no libseccomp.so.2")
        path = self.profile("d.json", DENYING)
        self.assert_succeeded(self.convert(path, "--to", "bpf", "-o", "d.bpf"))
        self.assert_succeeded(self.convert(path, "--to", "pfc", "-o", "d.pfc"))
        context = library.seccomp_init(ALLOW)
        self.cleanups.callback(library.seccomp_release, context)
        resolve = library.seccomp_syscall_resolve_name
        condition = Condition(0, EQUAL, 38, 0)
        # Rules in the order of their names, as a map has them; libseccomp sorts them by number anyway.
        for action, name, conditions in ((ERRNO | 77, b"getppid", []), (ERRNO | 97, b"socket", [condition])):
            array = (Condition * max(1, len(conditions)))(*conditions)
            assert library.seccomp_rule_add_array(context, action, resolve(name), len(conditions),
                                                  array) == 0
        for export, name in ((library.seccomp_export_bpf, "d.bpf"), (library.seccomp_export_pfc, "d.pfc")):
            with open(self.path("expected"), "wb") as file:
                assert export(context, file.fileno()) == 0
            assert self.path(name).read_bytes() == self.path("expected").read_bytes()

    @needs_x86_64
    def test_the_kernel_takes_the_raw_filter(self):
        path = self.profile("d.json", DENYING)
        self.assert_succeeded(self.convert(path, "--to", "bpf", "-o", "d.bpf"))
        ran = self.run_natively(*harness.python(LOADER, str(self.path("d.bpf"))))
        assert (ran.status, ran.out) == (0, "-1 77\n")


# Loads a raw filter and then calls getppid.
LOADER = r"""
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
code = open(sys.argv[1], "rb").read()
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
program = Program(len(code) // 8, code)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program)) == 0
print(libc.syscall(110), ctypes.get_errno())
"""

ALLOW, ERRNO, EQUAL = 0x7FFF0000, 0x00050000, 4  # <seccomp.h>


class Condition(ctypes.Structure):
    """struct scmp_arg_cmp"""
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def libseccomp():
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
                                               ctypes.POINTER(Condition)]
    for function in (library.seccomp_export_bpf, library.seccomp_export_pfc):
        function.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library

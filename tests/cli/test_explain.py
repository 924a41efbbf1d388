"""`callcensus explain`: what a profile does to a call, and the rule that does it."""

import json
import re

import pytest

import harness
import profiles
from profiles import allow, profile

CONDITIONAL = allow("clone", args=[{"index": 0, "value": 0x7e020000, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
                    comment="no namespaces")


class TestExplain(harness.Case):
    def set_up(self):
        super().set_up()
        self.write("p.json", profile(allow("read", "write"), CONDITIONAL))

    def explain(self, *arguments, **options):
        return self.callcensus("explain", *arguments, **options)

    def test_the_rule_and_its_place(self):
        done = self.explain("p.json", "read")
        assert (done.status, done.err) == (0, "")
        assert done.out == "read on x86_64: allowed\n  p.json:8:3: syscalls[0]: allowed\n"
        denied = self.explain("p.json", "mount")
        assert denied.status == 1
        assert denied.out == ("mount on x86_64: denied with ENOSYS\n"
                             "  p.json:2:19: defaultAction: denied with ENOSYS\n")

    def test_arguments(self):
        open_question = self.explain("p.json", "clone")
        assert open_question.status == 1
        assert "clone on x86_64: allowed if arg0 & 0x7e020000 == 0, else denied with ENOSYS\n" in open_question.out
        assert "(no namespaces)" in open_question.out
        assert self.explain("p.json", "clone", "0x1200011").status == 0
        assert self.explain("p.json", "clone", "0x10000000").status == 1
        assert self.explain("p.json", "clone", "_", "5").status == 1
        assert self.explain("p.json", "--", "read", "-1").status == 0
        for wrong in ("x", "", "99999999999999999999", "1 2"):
            self.assert_complains(self.explain("p.json", "clone", wrong), "number", status=2)
        self.assert_complains(self.explain("p.json", "clone", *"1234567"), "six", status=2)

    def test_every_abi_that_has_the_call(self):
        self.write("both.json", profile(allow("socketcall"), architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
        assert re.search(r"^socketcall on i386: allowed\n", self.explain("both.json", "socketcall").out)
        assert self.explain("both.json", "socketcall").out.count(" on ") == 1
        assert self.explain("both.json", "read").out.count(" on ") == 2
        assert self.explain("--abi", "i386", "both.json", "read").out.count(" on ") == 1
        assert ("kills the thread: the profile is not for this ABI" in
                self.explain("--abi", "i386", "p.json", "read").out)

    @pytest.mark.parametrize("name, path", profiles.PUBLISHED.items())
    def test_published_profiles(self, name, path):
        if not path.exists():
            pytest.skip(f"not there: {path}")
        assert self.explain("--for", "podman,docker", path, "read").status == 0
        # Who does not know archMap covers the native ABI alone.
        done = self.explain(path, "read")
        assert done.status == 1
        assert "runc, crun, containerd: kills the thread" in done.out
        assert self.explain("--caps", "none", path, "bpf").status == 1
        mount = self.explain("--caps", "SYS_ADMIN", "--for=docker", "--json", path, "mount")
        assert mount.status == 0, mount
        readings = json.loads(mount.out)["calls"][0]["readings"]
        assert all(reading["allowed"] for reading in readings)

    def test_runtimes_that_read_otherwise(self):
        self.write("docker.json", profile(allow("mount", includes={"caps": ["CAP_SYS_ADMIN"]})))
        done = self.explain("docker.json", "mount")
        assert done.status == 1
        assert "mount on x86_64: denied with ENOSYS\n" in done.out
        assert "\nrunc, crun, containerd: allowed\n" in done.out
        by_runc = self.explain("--for", "runc", "docker.json", "mount")
        assert (by_runc.status, by_runc.out.splitlines()[0]) == (0, "mount on x86_64: allowed"), by_runc
        self.assert_complains(self.explain("--for", "kata", "docker.json", "mount"), "kata", status=2)

    def test_what_cannot_be_explained(self):
        self.assert_complains(self.explain("p.json", "soket"), '"socket"', status=2)
        self.assert_complains(self.explain("missing.json", "read"), "missing.json", status=2)
        self.assert_complains(self.explain("--abi", "z80", "p.json", "read"), "z80", status=2)
        self.write("broken.json", "{")
        self.assert_complains(self.explain("broken.json", "read"), "broken.json:1:", status=2)

    def test_standard_input_and_other_formats(self):
        text = self.path("p.json").read_bytes()
        assert "standard input:" in self.explain("-", "read", stdin=text).out
        self.write("p.policy", "read: 1\n")
        done = self.explain("p.policy", "read")
        assert (done.status, done.out.splitlines()[0]) == (0, "read on x86_64: allowed")

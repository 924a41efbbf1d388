"""Units of systemd: our sets of system calls against those of the systemd that is installed."""

import json
import re
import shutil
import subprocess

import pytest

import harness


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
class TestSets(harness.Case):
    def set_up(self):
        super().set_up()
        version = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True).stdout
        if not version.startswith("systemd 252 "):
            pytest.skip(f"the table is that of systemd 252, and this is {version.split(' (')[0]}")
        listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True,
                                 check=True).stdout
        self.sets = {}
        for block in re.split(r"\n\s*\n", listing):
            lines = [line.strip() for line in block.splitlines() if line.strip()]
            if lines and lines[0].startswith("@"):
                self.sets[lines[0]] = [line for line in lines[1:] if not line.startswith("#")]

    def members(self, name):
        calls = set()
        for member in self.sets[name]:
            calls |= self.members(member) if member.startswith("@") else {member}
        return calls

    def read(self, lines):
        self.write("x.service", "[Service]\n" + "\n".join(lines) + "\n")
        done = self.callcensus("convert", "x.service", "--to", "oci")
        assert done.status == 0
        return json.loads(done.out)

    def test_every_set_is_that_of_systemd(self):
        assert len(self.sets) > 20
        younger = {"riscv_hwprobe", "uretprobe"}  # than Debian's libseccomp, with which systemd passes them over
        everywhere = ("SystemCallArchitectures=x86-64 x86 x32 arm64 arm riscv64 ppc64 ppc64-le s390 s390x loongarch64 "
                      "mips mips-le mips64 mips64-le mips64-n32 mips64-le-n32")
        for name in self.sets:
            profile = self.read([f"SystemCallFilter=~{name}", everywhere])
            denied = {call for rule in profile["syscalls"] for call in rule["names"]}
            assert denied - younger <= self.members(name), name
            missing = self.members(name) - denied - younger
            if missing:  # those of ABIs that we have no row for: alpha, sparc, arc
                self.read([f"SystemCallFilter=~getpid {' '.join(sorted(missing))}", everywhere])
                shown = self.callcensus("show", "x.service").out
                for call in missing:
                    assert re.search(rf"\n  {call} +none\b", shown)
            assert profile["defaultAction"] == "SCMP_ACT_ALLOW"

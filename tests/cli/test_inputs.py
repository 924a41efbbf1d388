"""What the commands make of the kinds of files that they are given: several profiles in one, files that include
others, and files that are no profiles."""

import json
import shutil
import struct

import harness

PROFILE = """apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
metadata:
  name: {name}
spec:
  defaultAction: {action}
  syscalls:
  - action: SCMP_ACT_ALLOW
    names: [{call}]
"""
TWO = (PROFILE.format(name="web", action="SCMP_ACT_ERRNO", call="read") + "---\napiVersion: v1\nkind: Pod\n---\n"
       + PROFILE.format(name="worker", action="SCMP_ACT_ERRNO", call="wriet"))


class TestInputs(harness.Case):
    def set_up(self):
        super().set_up()
        self.write("two.yaml", TWO)

    def converted(self, name):
        done = self.callcensus("convert", name, "--to", "oci")
        assert done.status == 0
        return {call for rule in json.loads(done.out)["syscalls"] for call in rule["names"]}

    def test_commands_that_take_all_profiles(self):
        shown = self.callcensus("show", "two.yaml", "--json")
        assert [each["file"] for each in json.loads(shown.out)] == ["two.yaml#web", "two.yaml#worker"]
        assert "two.yaml:11:1: is passed over: a Pod" in shown.err
        linted = self.callcensus("lint", "two.yaml")
        assert "two.yaml:22:13: " in linted.out  # wriet
        merged = self.callcensus("merge", "two.yaml")
        assert "read" in merged.out
        assert "wriet" in merged.out

    def test_commands_that_take_one(self):
        assert self.converted("two.yaml#web") == {"read"}
        assert self.converted("two.yaml#worker") == {"wriet"}
        for arguments in (("convert", "two.yaml", "--to", "oci"), ("explain", "two.yaml", "read"),
                          ("diff", "two.yaml", "two.yaml#web")):
            done = self.callcensus(*arguments)
            assert done.status not in (0, 1)
            assert "two.yaml: holds 2 profiles (web, worker): choose one as two.yaml#NAME" in done.err
        assert self.callcensus("diff", "two.yaml#web", "two.yaml#worker").status == 1
        assert "two.yaml:8:5: " in self.callcensus("explain", "two.yaml#web", "read").out
        assert "holds web, worker" in self.callcensus("show", "two.yaml#none").err
        # A file whose name has a # is that file.
        shutil.copy(self.path("two.yaml"), self.path("a#b.yaml"))
        assert self.converted("a#b.yaml#web") == {"read"}

    def test_policies_include_others_relative_to_themselves(self):
        self.path("policies").mkdir()
        self.write("policies/a.policy", "read: 1\n@include ./b.policy\n")
        self.write("policies/b.policy", "madvise: arg2 == MADV_DONTNEED\n")
        assert self.converted("policies/a.policy") == {"read", "madvise"}
        # Where it will be installed, the file is not yet.
        self.write("policies/a.policy", "read: 1\n@include /nowhere/at/all/b.policy\n")
        done = self.callcensus("convert", "policies/a.policy", "--to", "oci")
        assert "madvise" in done.out
        assert ("note: policies/a.policy: /nowhere/at/all/b.policy is not there; read in its place: "
               "policies/b.policy") in done.err
        self.write("policies/a.policy", "read: 1\n@include ./b.policy\n")
        self.write("policies/b.policy", "open: 1\nmadvise: argh\n")
        done = self.callcensus("convert", "policies/a.policy", "--to", "oci")
        self.assert_complains(done, "policies/b.policy:2:10: ", status=125)

    def test_files_that_are_no_profiles_say_what_they_are(self):
        self.write("x.bpf", struct.pack("=HBBIHBBI", 0x20, 0, 0, 4, 6, 0, 0, 0x7fff0000))
        self.write("passwd", "root:x:0:0:root:/root:/bin/bash\nsync:x:4:65534:sync:/bin:/bin/sync\n")
        self.write("vmm.json", '{"vmm": {"default_action": "trap", "filter_action": "allow", "filter": []}}')
        for name, said in (("x.bpf", "compiled filter of 2 instructions"), ("passwd", "none of what is read"),
                           ("/bin/true", "(ELF)"), ("vmm.json", "Firecracker")):
            self.assert_complains(self.callcensus("convert", name, "--to", "oci"), said, status=125)
        self.write("config.json", '{"ociVersion": "1.0.2", "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", '
                                  '"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}}}')
        assert self.converted("config.json") == {"read"}

    def test_explain_takes_names(self):
        self.write("p.json", json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["clone"], "action": "SCMP_ACT_ERRNO",
             "args": [{"index": 0, "value": 0x10000000, "valueTwo": 0x10000000, "op": "SCMP_CMP_MASKED_EQ"}]},
            {"names": ["ioctl"], "action": "SCMP_ACT_ERRNO",
             "args": [{"index": 1, "value": 0x5412, "op": "SCMP_CMP_EQ"}]}]}))
        for arguments, status in ((("clone", "CLONE_NEWUSER"), 1), (("clone", "CLONE_NEWNS|CLONE_NEWUSER"), 1),
                                  (("clone", "CLONE_NEWNS|SIGCHLD"), 0), (("ioctl", "_", "TIOCSTI"), 1),
                                  (("ioctl", "0", "TCGETS"), 0)):
            assert self.callcensus("explain", "p.json", *arguments).status == status, arguments
        done = self.callcensus("explain", "p.json", "clone", "CLONE_NEWUSR")
        self.assert_complains(done, '"CLONE_NEWUSR": ', "did you mean CLONE_NEWUSER?", status=2)

"""Profiles as tests write them, and those that others have published."""

import json
import pathlib

import harness

PUBLISHED = {"docker": harness.REPOSITORY / "tests/golden/docker-default.json",
             "podman": pathlib.Path("/usr/share/containers/seccomp.json")}


def profile(*rules, **members):
    return json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
                       "architectures": ["SCMP_ARCH_X86_64"], "syscalls": list(rules), **members}, indent=1)


def allow(*names, **members):
    return {"names": list(names), "action": "SCMP_ACT_ALLOW", **members}

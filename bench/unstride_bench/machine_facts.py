"""What the benchmark notes of the machine and of the software that it runs on."""

import os
import platform
import subprocess

from unstride_bench.source_tree import ROOT
from unstride_bench.unstride_command import version_of


def machine_facts():
    """Processors, memory in bytes, the load average of the last minute, and the operating system."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:  # there is no /etc/os-release
        system = "unknown"
    return {
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "load_average": round(os.getloadavg()[0], 2),
        "system": f"{system}, Linux {platform.release()}",
    }


def unstride_versions(build):
    """The version of a build, with the commit where Git knows it, and that of this Python."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True)
    commit = f" ({done.stdout.strip()})" if done.returncode == 0 else ""
    return {"unstride": version_of(build) + commit, "python": platform.python_version()}

"""How many threads the command line takes in a control group with a quota: as many as it is worth, rounded up."""

import os
import pathlib
import subprocess
import sys

PLAN = ["plan", "--input-size", "1,8,8,8,8", "--out-channels", "8", "--kernel-size", "2", "--wisdom", "none"]
PERIOD = 100_000  # microseconds


def set_quota(group, microseconds):
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{microseconds} {PERIOD}")
    else:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(microseconds))


def make_group():
    """A new group that takes quotas, of version 1 or 2, or None where none can be made."""
    for mount in map(pathlib.Path, ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup")):
        group = mount / f"unstride-test-{os.getpid()}"
        if not (mount / "cgroup.procs").exists():
            continue
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            set_quota(group, PERIOD)
            return group
        except OSError:
            group.rmdir()
    return None


def threads_in(group, unstride, quota):
    set_quota(group, quota)
    ours = ("HL_NUM_THREADS", "UNSTRIDE_WISDOM")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [unstride, *PLAN],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())),
    )
    return next(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("threads"))


def main():
    group = make_group()
    if group is None:
        print("[SKIP] control groups with a quota cannot be made here")
        return
    processors = len(os.sched_getaffinity(0))
    try:
        for quota, worth in (PERIOD // 2, 1), (PERIOD, 1), (PERIOD * 3 // 2, 2), (PERIOD * 1000, 1000):
            threads = threads_in(group, sys.argv[1], quota)
            assert threads == min(worth, processors), f"{threads} threads with a quota of {quota / PERIOD} processors"
    finally:
        group.rmdir()


if __name__ == "__main__":
    main()

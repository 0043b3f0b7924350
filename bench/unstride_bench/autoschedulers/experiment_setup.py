"""What all experiments share: the build, the machine, and how a schedule is made and checked."""

import concurrent.futures
import contextlib
import os
import sys

from unstride_bench import ptx
from unstride_bench.autoschedulers import candidates
from unstride_bench.autoschedulers.generator import autoscheduled_command, generate, read_build
from unstride_bench.autoschedulers.limited_process import stopped
from unstride_bench.machine_code import code_bytes, disassemble, hot_loop
from unstride_bench.unstride_command import ceiling_of, list_variants

GPU_PROCESSORS = 132  # the parallelism that autoschedulers for GPUs are told: that of an H100 or H200


def file_name(*words):
    """A name of letters, digits and underscores, for a file or a kernel."""
    return "".join(c if c.isalnum() else "_" for c in "_".join(words)).strip("_")


def code_figures(path):
    """Figures of an object: bytes of code; and multiply-adds, loads and stores of the innermost loop that has the most
    multiply-adds."""
    loop, _ = hot_loop(disassemble(path))
    return {"code_bytes": code_bytes(path), "fmas": loop.fmas, "loads": loop.loads, "stores": loop.spills}


@contextlib.contextmanager
def jobs(count):
    """Threads that each wait for a generator; where something goes wrong all of these are stopped."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        try:
            yield pool
        except BaseException:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            raise


class ExperimentSetup:
    """The build, the machine, and the options of the command line.

    Raises OSError or ValueError if there is no build; exits if --isa names an instruction set that is not here.
    """

    def __init__(self, arguments):
        self.arguments, self.build = arguments, read_build(arguments.build)
        if arguments.isa:
            os.environ.update(ceiling_of(arguments.isa))  # for all that is run from here
        listed = list_variants(arguments.build)
        self.variants = [
            {**v, "block": v["tile"]["channels"], "columns": v["tile"]["columns"]}
            for v in listed
            if v["device"] == "cpu" and v["runs_here"] and v["dtype"] == "f32"
        ]
        self.isa = max(self.variants, key=lambda v: v["rank"])["target"]
        if arguments.isa and arguments.isa != self.isa:
            sys.exit(f"experiments.py: --isa: there are no kernels of {arguments.isa} for f32 here, but of {self.isa}")
        # Where schedules for GPUs run, if anywhere; OpenCL may be a processor's, whose times say nothing of GPUs.
        devices = {v["device"] for v in listed if v["runs_here"]}
        self.gpu = next((device for device in ("cuda", "opencl") if device in devices), None)
        self.timed_gpu = self.gpu if self.gpu == "cuda" or arguments.time_opencl else None
        self.worker_command = [str(arguments.build / "bin/unstride_bench_worker"), str(arguments.threads)]

    def make(self, layer, layout, scheduler, setting, name, folder):
        """Makes and checks one schedule: everything about it but its time."""
        target = self.isa if scheduler.device == "cpu" else "cuda"
        made = self.generate(layer, layout, target, scheduler, setting, name, folder)
        if made["status"] != "ok":
            return made
        if scheduler.device == "cpu":
            return {**made, **self.verify(layer, layout, "cpu", folder, name), **code_figures(folder / f"{name}.o")}
        return {**made, **self.check_gpu(layer, layout, scheduler, setting, name, folder)}

    def generate(self, layer, layout, target, scheduler, setting, name, folder):
        """Has an autoscheduler make a kernel, within the limits of the options: what `generator.generate` gives."""
        parallelism = GPU_PROCESSORS if scheduler.device == "gpu" else self.arguments.threads
        words = autoscheduled_command(self.build, layer, layout, target, scheduler, setting, parallelism, name, folder)
        return generate(words, folder, name, self.arguments.time_limit, self.arguments.memory_limit)

    def verify(self, layer, layout, device, folder, name):
        """Status and message of a kernel that is run on a device and compared with Unstride's output."""
        target = self.isa if device == "cpu" else device
        status, message = candidates.verify(self.worker_command, layer, layout, target, folder, name, device)
        return {"status": status, "message": message}

    def check_gpu(self, layer, layout, scheduler, setting, name, folder):
        """What ptxas says of a schedule's PTX; and whether its result is right on the GPU of this machine, for which it
        may have to be made anew, for OpenCL."""
        result = {}
        if ptxas := ptx.find_ptxas():
            try:
                result.update(ptx.assemble(ptxas, folder / f"{name}.o", "sm_90")._asdict())
            except ValueError as error:
                return {"status": "fails", "message": f"ptxas: {str(error)[:300]}"}
        if not self.gpu:
            return {**result, "message": "not run: there is no GPU here"}
        if self.gpu == "opencl":
            made = self.generate(layer, layout, "opencl", scheduler, setting, name, self.folder_on_gpu(folder))
            if made["status"] != "ok":
                return {**result, "status": made["status"], "message": f"for OpenCL: {made['message']}"}
        verified = self.verify(layer, layout, self.gpu, self.folder_on_gpu(folder), name)
        return {**result, **verified, "checked_on": self.gpu}

    def folder_on_gpu(self, folder):
        """Where a schedule's kernel for the GPU of this machine is."""
        return folder / "opencl" if self.gpu == "opencl" else folder

    def measure(self, layer, layout, device, kernels):
        """Median seconds of the planner's choice, "", and of (folder, name) pairs, in turns. Raises CandidateError for
        a kernel that fails."""
        target, command = self.isa if device == "cpu" else device, self.worker_command
        turns = self.arguments.rounds, self.arguments.seconds
        return candidates.measure(command, layer, layout, target, kernels, *turns, device)

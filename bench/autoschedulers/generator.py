"""Runs Unstride's generator with an autoscheduler, within limits of time and memory."""

import dataclasses
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import threading
import time

from .schedulers import FORMS

stopped = threading.Event()  # set when the user has had enough: whatever runs ends
EMITTED = "object,stmt_html,compiler_log"


@dataclasses.dataclass(frozen=True)
class Build:
    """Where a build has what makes kernels: build/generator.json, which CMake writes."""

    generator: str
    plugins: str  # folder of Halide's autoschedulers
    programs: str  # folder of the programs that retrain their cost models
    targets: dict  # Halide's targets, by instruction set or device


def read_build(folder):
    return Build(**json.loads((pathlib.Path(folder) / "generator.json").read_text()))


def is_depthwise(layer):
    return layer.groups == layer.in_channels == layer.out_channels


def kernel_of(layer):
    """How a kernel sees a layer, as the fields of AddedKernel (unstride/register.h): one panel of weights, all phases interleaved."""
    outputs = layer.groups if is_depthwise(layer) else layer.out_channels // layer.groups
    return {
        "family": "depthwise" if is_depthwise(layer) else "columns",
        "stride_x": layer.stride[2] if layer.dilation[2] == 1 else 1,
        "block": outputs,
        "columns": 1,
    }


def known(layer, sizes=True):
    """The generator's parameters of a layer: what unstride_add_layer says of it, and sizes and output channels, too."""
    kernel = kernel_of(layer)
    parameters = {"known_inputs": 1 if is_depthwise(layer) else layer.in_channels // layer.groups}
    if sizes:
        parameters.update(
            known_outputs=kernel["block"],
            known_groups=1 if is_depthwise(layer) else layer.groups,
            known_batch=layer.batch,
        )
    for d, name in enumerate("zyx"):
        numbers = {
            "kernel": layer.kernel_size,
            "stride": layer.stride,
            "padding": layer.padding,
            "dilation": layer.dilation,
        }
        if sizes:
            numbers.update(input=layer.input_shape[2:], output=layer.output_shape[2:])
        parameters.update({f"known_{what}_{name}": number[d] for what, number in numbers.items()})
    return parameters


def generator_command(build, generator, target, name, folder, emitted, kernel, layout, more):
    """The command line with which a generator makes the kernel unstride_NAME."""
    parameters = {
        "family": kernel["family"],
        "layout": layout,
        "interleave": kernel["stride_x"],
        "block": kernel["block"],
        "columns": kernel["columns"],
        **more,
    }
    return [
        build.generator,
        "-g",
        generator,
        "-f",
        f"unstride_{name}",
        "-n",
        name,
        "-o",
        str(folder),
        "-e",
        emitted,
        f"target={build.targets[target]}-no_runtime-user_context",
        *(f"{key}={value}" for key, value in parameters.items()),
    ]


def autoscheduled_command(build, layer, layout, target, scheduler, setting, parallelism, name, folder):
    library = scheduler.library if "/" in scheduler.library else f"{build.plugins}/{scheduler.library}"
    more = {
        **known(layer),
        **FORMS[setting.form],
        "autoscheduler": scheduler.name.split(" ")[0],
        "autoscheduler.parallelism": parallelism,
        **{f"autoscheduler.{key}": value for key, value in setting.parameters},
    }
    return [
        *generator_command(
            build,
            "autoscheduled_transposed_convolution",
            target,
            name,
            folder,
            EMITTED + ",schedule,featurization",
            kernel_of(layer),
            layout,
            more,
        ),
        "-p",
        library,
    ]


def hand_written_command(build, layer, layout, target, variant, name, folder):
    """For a hand-written variant that knows the layer, as one of unstride_add_layer does."""
    more = known(layer, sizes=False)
    return generator_command(build, "transposed_convolution", target, name, folder, EMITTED, variant, layout, more)


def run_limited(words, seconds, gigabytes):
    """Runs a command: what became of it ("ok", or what went wrong), its message, seconds of processor time, and bytes of memory at most."""
    limit = int(gigabytes * 2**30)
    process = subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=0,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr.read().decode(errors="replace").splitlines()))
    reader.start()
    end, late = time.monotonic() + seconds, False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if not late and (stopped.is_set() or time.monotonic() > end):
            late = True
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    process.stderr.close()
    used, spent, text = 1024 * usage.ru_maxrss, usage.ru_utime + usage.ru_stime, "\n".join(lines)
    if stopped.is_set():
        raise KeyboardInterrupt
    if late:
        return "time limit", f"took more than {seconds:g} s", spent, used
    if process.returncode == 0:
        return "ok", "", spent, used
    if "bad_alloc" in text or used > 0.9 * limit:
        return "memory limit", f"took more than {gigabytes:g} GiB", spent, used
    if process.returncode < 0:
        return "crash", f"{signal.Signals(-process.returncode).name}: {last_error(lines)}", spent, used
    return "no schedule", last_error(lines), spent, used


def last_error(lines):
    """What an error message says, in one line."""
    start = max((i for i, line in enumerate(lines) if "rror" in line), default=max(len(lines) - 1, 0))
    text = " ".join(line.strip() for line in lines[start : start + 4])
    return re.sub(r"^Unhandled exception: ", "", text)[:300] or "no message"


def generate(words, folder, name, seconds, gigabytes):
    """Runs the generator: a dict with status, message, and the figures of what it made."""
    folder.mkdir(parents=True, exist_ok=True)
    status, message, spent, used = run_limited(words, seconds, gigabytes)
    result = {"status": status, "processor_seconds": spent, "peak_bytes": used}
    if status != "ok":
        return {**result, "message": message}
    log = json.loads((folder / f"{name}.halide_compiler_log").read_text())
    compiling = log["compilation_time_halide_lowering"] + log["compilation_time_llvm"]
    return {**result, "schedule_seconds": max(spent - compiling, 0), "compile_seconds": compiling}

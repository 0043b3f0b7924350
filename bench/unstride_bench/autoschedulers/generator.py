"""Runs Unstride's generator for one layer, with an autoscheduler or with a hand-written schedule."""

import dataclasses
import hashlib
import json
import pathlib

from unstride_bench.autoschedulers.limited_process import run_limited
from unstride_bench.autoschedulers.schedulers import FORMS

EMITTED = "object,stmt_html,compiler_log"


@dataclasses.dataclass(frozen=True)
class Build:
    """Where a build has what makes kernels: build/generator.json, which CMake writes."""

    generator: str
    plugins: str  # folder of Halide's autoschedulers
    programs: str  # folder of the programs that retrain their cost models
    targets: dict  # Halide's targets, by instruction set or device


def read_build(folder):
    """What a build folder has of that. Raises OSError if there is no build."""
    return Build(**json.loads((pathlib.Path(folder) / "generator.json").read_text()))


def generator_hash(build):
    """Sixteen digits that tell what the generator of a build makes from what another one made."""
    return hashlib.sha256(pathlib.Path(build.generator).read_bytes()).hexdigest()[:16]


def is_depthwise(layer):
    """Whether each channel is a group of its own."""
    return layer.groups == layer.in_channels == layer.out_channels


def kernel_of(layer):
    """How a kernel sees a layer, as the fields of AddedKernel (unstride/register.h) are: there is one panel of weights,
    and all phases along the width are interleaved."""
    outputs = layer.groups if is_depthwise(layer) else layer.out_channels // layer.groups
    return {
        "family": "depthwise" if is_depthwise(layer) else "columns",
        "stride_x": layer.stride[2] if layer.dilation[2] == 1 else 1,
        "block": outputs,
        "columns": 1,
    }


def known(layer, sizes=True):
    """The generator's parameters of a layer: what unstride_add_layer says of it, and sizes and output channels, too."""
    parameters = {"known_inputs": 1 if is_depthwise(layer) else layer.in_channels // layer.groups}
    triples = {name: getattr(layer, name) for name in ("stride", "padding", "dilation")}
    triples["kernel"] = layer.kernel_size
    if sizes:
        parameters["known_outputs"] = kernel_of(layer)["block"]
        parameters["known_groups"] = 1 if is_depthwise(layer) else layer.groups
        parameters["known_batch"] = layer.batch
        triples.update(input=layer.input_shape[2:], output=layer.output_shape[2:])
    for what, (z, y, x) in triples.items():
        parameters.update({f"known_{what}_z": z, f"known_{what}_y": y, f"known_{what}_x": x})
    return parameters


def generator_command(build, generator, target, name, folder, emitted, kernel, layout, more):
    """The command line with which a generator makes the kernel unstride_NAME, whose files go to a folder.

    `target` is an instruction set or a device; `kernel` has what kernel_of gives, and `more` further parameters.
    """
    parameters = {"family": kernel["family"], "layout": layout, "interleave": kernel["stride_x"]}
    parameters.update({"block": kernel["block"], "columns": kernel["columns"], **more})
    options = {"-g": generator, "-f": f"unstride_{name}", "-n": name, "-o": str(folder), "-e": emitted}
    words = [word for option in options.items() for word in option]
    target_words = f"target={build.targets[target]}-no_runtime-user_context"
    return [build.generator, *words, target_words, *(f"{key}={value}" for key, value in parameters.items())]


def autoscheduled_command(build, layer, layout, target, scheduler, setting, parallelism, name, folder):
    """The command line for a kernel that an autoscheduler schedules, for so many processors."""
    library = scheduler.library if "/" in scheduler.library else f"{build.plugins}/{scheduler.library}"
    more = {
        **known(layer),
        **FORMS[setting.form],
        "autoscheduler": scheduler.name.split(" ")[0],
        "autoscheduler.parallelism": parallelism,
        **{f"autoscheduler.{key}": value for key, value in setting.parameters},
    }
    generator, emitted = "autoscheduled_transposed_convolution", EMITTED + ",schedule,featurization"
    words = generator_command(build, generator, target, name, folder, emitted, kernel_of(layer), layout, more)
    return [*words, "-p", library]


def hand_written_command(build, layer, layout, target, variant, name, folder):
    """The command line for a hand-written variant that knows the layer, as one of unstride_add_layer does."""
    more = known(layer, sizes=False)
    return generator_command(build, "transposed_convolution", target, name, folder, EMITTED, variant, layout, more)


def generate(words, folder, name, seconds, gigabytes):
    """Runs the generator within limits: a dict with status, message, and the figures of what it made."""
    folder.mkdir(parents=True, exist_ok=True)
    status, message, spent, used = run_limited(words, seconds, gigabytes)
    result = {"status": status, "processor_seconds": spent, "peak_bytes": used}
    if status != "ok":
        return {**result, "message": message}
    log = json.loads((folder / f"{name}.halide_compiler_log").read_text())
    compiling = log["compilation_time_halide_lowering"] + log["compilation_time_llvm"]
    return {**result, "schedule_seconds": max(spent - compiling, 0), "compile_seconds": compiling}

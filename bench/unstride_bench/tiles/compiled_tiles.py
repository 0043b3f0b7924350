"""Compiles kernels of tiles that the catalog lacks, and looks at their machine code."""

import concurrent.futures
import json
import math

from tqdm import tqdm

from unstride_bench import machine_code
from unstride_bench.autoschedulers.candidates import link
from unstride_bench.autoschedulers.experiment_setup import jobs
from unstride_bench.autoschedulers.generator import generator_command
from unstride_bench.autoschedulers.limited_process import run_limited
from unstride_bench.compiled_kernels import kernel_figures
from unstride_bench.json_files import save_json

GIGABYTES = 4  # that the generator may take for a kernel; it has all the time it needs, as this machine may be busy
WITHOUT_FMA = "not looked at: the hot loop is found by its multiply-adds, which this instruction set lacks"


def command_of(build, kernel, folder):
    """The generator's command line for a kernel, with the parameters that cmake/UnstrideCatalog.cmake gives it."""
    tile = kernel.tile
    facts = {"family": tile.family, "stride_x": kernel.stride_x, "block": tile.block, "columns": tile.columns}
    input_type, *_, output_type = tile.dtype.split("-") * 2
    more = {"input_type": input_type, "output_type": output_type}
    generator = "transposed_convolution"
    return generator_command(build, generator, tile.isa, kernel.name, folder, "object", facts, tile.layout, more)


def compile_kernel(build, kernel, folder):
    """Makes NAME.so of a kernel in a folder, unless its code spills, and NAME.json, whose contents it returns: `status`
    (ok, spills, or why the generator made nothing), `message`, and figures of the code. What is there stays."""
    record = folder / f"{kernel.name}.json"
    if record.exists():
        return json.loads(record.read_text())
    status, message, *_ = run_limited(command_of(build, kernel, folder), math.inf, GIGABYTES)
    found = {"status": status, "message": message}
    if status == "ok":
        found.update(look_at(folder / f"{kernel.name}.o", kernel.tile.isa))
    if found["status"] == "ok":
        link(folder, kernel.name)
    save_json(found, record)
    return found


def look_at(path, isa):
    """Figures of an object, with the status `spills` where registers go through memory in its hot loop."""
    if isa not in machine_code.VECTOR_ISAS:
        return {"message": WITHOUT_FMA}
    figures = kernel_figures(path, machine_code.find_llvm_mca())
    if not figures["spills"]:
        return figures
    return {**figures, "status": "spills", "message": f"{figures['spills']} vectors go through memory in the hot loop"}


def compile_kernels(build, kernels, folder, processes):
    """Compiles kernels, several at a time; what compile_kernel returns, by the kernel's name."""
    folder.mkdir(parents=True, exist_ok=True)
    with jobs(processes) as pool, tqdm(total=len(kernels), desc="compiling", unit="kernel") as bar:
        futures = {kernel.name: pool.submit(compile_kernel, build, kernel, folder) for kernel in kernels}
        for future in concurrent.futures.as_completed(futures.values()):
            future.result()
            bar.update()
    return {name: future.result() for name, future in futures.items()}

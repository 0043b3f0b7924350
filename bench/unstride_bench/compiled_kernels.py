"""Figures of the compiled kernels of a build, which are there without running them."""

import shutil

from unstride_bench import machine_code, ptx

ARCHITECTURE = "sm_90"  # the GPUs that figures are for: H100 and H200
NO_LLVM_MCA = "llvm-mca is not installed (Debian package llvm)"


def cpu_kernel_figures(folder, names):
    """For each of these kernels, in a folder, that has vector instructions: its hot loop, its size, and the cycles that
    llvm-mca predicts, or why it does not. Says so, and gives nothing, where objdump is missing."""
    if not shutil.which("objdump"):
        print("no figures of the machine code: objdump is not installed (Debian package binutils)", flush=True)
        return []
    llvm_mca = machine_code.find_llvm_mca()
    if not llvm_mca:
        print(f"no predictions of cycles: {NO_LLVM_MCA}", flush=True)
    rows = []
    for path in (folder / f"{name}.o" for name in names):
        if match := machine_code.NAME.match(path.name):
            rows.append({"variant": match["name"], **kernel_figures(path, llvm_mca)})
    return rows


def kernel_figures(path, llvm_mca):
    """The same of one kernel that has vector instructions; llvm_mca is the program's path, or None."""
    found, loop = machine_code.hot_loop(machine_code.disassemble(path))
    row = {**found._asdict(), "code_bytes": machine_code.code_bytes(path)}
    try:
        if llvm_mca is None:
            raise ValueError(NO_LLVM_MCA)
        row["predicted_cycles"] = machine_code.predicted_cycles(loop, llvm_mca)
    except ValueError as error:
        row["prediction_error"] = str(error)
    return row


def cuda_kernel_figures(folder, names):
    """For each of these CUDA kernels, in a folder, what ptxas says. Says so, and gives nothing, where it is missing."""
    ptxas = ptx.find_ptxas()
    if not ptxas:
        print("no figures of the CUDA kernels: ptxas, of the CUDA Toolkit, is not installed", flush=True)
        return []
    rows = []
    for name in names:
        figures = ptx.assemble(ptxas, folder / f"{name}.o", ARCHITECTURE)
        row = {"variant": name, "architecture": ARCHITECTURE, **figures._asdict()}
        rows.append({**row, "occupancy": ptx.occupancy(figures)})
    return rows

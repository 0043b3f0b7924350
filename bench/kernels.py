"""Static figures of the compiled kernels of a build."""

import shutil

import machine_code


def kernel_figures(folder, names):
    """For each of these kernels, in a folder, with vector instructions: its hot loop, its size, and llvm-mca's opinion."""
    if not shutil.which("objdump"):
        print("no figures of the machine code: objdump is not installed (Debian package binutils)", flush=True)
        return []
    llvm_mca = machine_code.find_llvm_mca()
    if not llvm_mca:
        print("no predictions of cycles: llvm-mca is not installed (Debian package llvm)", flush=True)
    rows = []
    for path in (folder / f"{name}.o" for name in names):
        match = machine_code.NAME.match(path.name)
        if not match:
            continue
        found, loop = machine_code.hot_loop(machine_code.disassemble(path))
        row = {"variant": match["name"], **found._asdict(), "code_bytes": machine_code.code_bytes(path)}
        try:
            if llvm_mca is None:
                raise ValueError("llvm-mca is not installed (Debian package llvm)")
            row["predicted_cycles"] = machine_code.predicted_cycles(loop, llvm_mca)
        except ValueError as error:
            row["prediction_error"] = str(error)
        rows.append(row)
    return rows

#ifndef UNSTRIDE_RUNTIME_RUN_EXECUTE_H
#define UNSTRIDE_RUNTIME_RUN_EXECUTE_H

#include <optional>
#include <vector>

#include "array/array.h"
#include "formula.h"
#include "kernels/panels.h"
#include "plan/program.h"

namespace unstride {

// The memory that a forward reads and writes.
struct Arrays {
    Array input, output;
    std::optional<Array> residual;
};

// Runs one part of a program on the CPU, or queues it in the stream of a GPU. `panels` are those that pack() made for
// this part, and `activation` is applied to the sums. Throws OutOfMemory or KernelError if a kernel fails.
void execute(const Part &part, const std::vector<Panels> &panels, const Arrays &arrays, Formula activation, int threads,
             const Stream &stream);

}  // namespace unstride

#endif

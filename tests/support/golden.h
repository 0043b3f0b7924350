#ifndef UNSTRIDE_TESTS_GOLDEN_H
#define UNSTRIDE_TESTS_GOLDEN_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unstride/unstride.h"

namespace unstride::tests {

// An array that is dense, in PyTorch's order of dimensions.
struct GoldenArray {
    Shape shape;
    std::vector<float> values;
};

// PyTorch's gradients for operands that all element types have. They are exact in f32.
struct GoldenGradients {
    GoldenArray input, weight, bias;
};

// A layer, an input, and PyTorch's output; tests/golden/make_golden.py says how they were made.
struct GoldenCase {
    std::string name;
    int spatial;                     // dimensions of the layer
    ConvTranspose3dOptions options;  // for ConvTranspose(options, spatial)
    Shape output_size;               // argument of forward: empty or the spatial sizes
    GoldenArray input, output;       // rank spatial + 2, or one less without a batch
    GoldenArray weight, bias;        // no bias if options.bias is false
    double bound;                    // how far an output may be from PyTorch's; 0 where f32 is exact
    std::optional<GoldenGradients> gradients = std::nullopt;
};

// A case that PyTorch computed in f16 or bf16.
struct GoldenTypedCase {
    DType dtype;
    GoldenCase in_floats;
};

struct GoldenParameter {
    std::vector<float> head;  // the first values
    uint32_t crc32;           // of all values
};

// What torch.manual_seed(seed); torch.nn.ConvTranspose3d(...), 2d or 1d, gives.
struct GoldenInitialization {
    int spatial;
    ConvTranspose3dOptions options;
    uint64_t seed;
    GoldenParameter weight, bias;  // no bias if options.bias is false
};

struct Golden {
    std::vector<GoldenCase> cases;
    std::vector<GoldenInitialization> initializations;
    std::vector<GoldenTypedCase> typed;
};

// Reads cases.json and data.bin. Throws std::runtime_error if they cannot be read or do not belong together.
Golden load_golden(const std::string &directory);

// An array that the gradients of GoldenGradients are computed from.
enum class GoldenOperand { grad_output, input, weight };

// Returns its numbers, in PyTorch's order of dimensions.
std::vector<double> golden_operand(GoldenOperand operand, int64_t count);

// zlib's CRC-32 of the values as little-endian bytes.
uint32_t crc32(const std::vector<float> &values);

}  // namespace unstride::tests

#endif

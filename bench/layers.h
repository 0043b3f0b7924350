#ifndef UNSTRIDE_BENCH_LAYERS_H
#define UNSTRIDE_BENCH_LAYERS_H

#include <string>
#include <vector>

#include "unstride/conv_transpose.h"

namespace unstride::bench {

// One line of the layer table.
struct Layer {
    std::string name;
    ConvTranspose3dOptions options;
    Shape input_size;  // N, C, D, H, W
    std::string source;
};

// Parses a table in the format of layers.csv: a header line, then one layer a line. Sizes are depth x height x width,
// as in "3x5x2"; quotes go around fields that hold commas. Throws InvalidArgument with the line's number.
std::vector<Layer> parse_layers(const std::string &csv);

// Returns the text of layers.csv as it was when this was built.
const char *default_layer_table();

}  // namespace unstride::bench

#endif

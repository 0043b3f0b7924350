#include "kernels/minimal_filters.h"

#include "kernels/cost.h"
#include "problem/checked.h"

namespace unstride {

bool minimal_filters_pay(const Channels &channels, const FilterCounts &of_output, double taps_along_width,
                         double staged) {
    const double outputs = as_double(channels.outputs), blocks_of_16 = as_double(divide_up(channels.outputs, 16)),
                 steps = as_double(channels.inputs) * taps_along_width;
    const auto [elements, products, terms, taps] = of_output;

    // The numbers are cycles for a tile of 16 channels by 4 columns, in vectors of 8. A step takes 4. It takes 47 to
    // store the tile of one product and go on to the next, 16 to add a product to an output, and about 1 to stage an
    // element of input. Direct kernels have tiles for fewer channels as well, so that they waste nothing on channels
    // that are not there.
    const double minimal = elements * 4 * steps + products * 47 + terms * 16 + elements * 4.8 * staged / blocks_of_16;
    constexpr double gain = 0.97;
    return minimal < gain * taps * 4 * steps * outputs / (16 * blocks_of_16);
}

}  // namespace unstride

#include "support/splits.h"

#include <algorithm>

#include "support/catch_compat.h"

namespace unstride::tests {

void check_same_bits(const Case &c, const std::string &family, int64_t most_rows) {
    const ConvTranspose3d layer = c.layer();
    std::vector<float> expected = dense_copy(forward(layer, c, Layout::ncdhw));
    CHECK(mismatch(forward(layer, c, Layout::ncdhw), c) == "none");
    const int threads = num_threads();
    for (Layout layout : layouts) {
        const std::string isa = layer.plan(c.input_shape, layout).variant.isa;
        if (!instruction_set(isa).fma) {  // Without it, minimal filters round differently in each layout.
            expected = dense_copy(forward(layer, c, layout));
            CHECK(mismatch(forward(layer, c, layout), c) == "none");
        }
        for (int count : {1, 2, 5}) {
            set_num_threads(count);
            REQUIRE(layer.plan(c.input_shape, layout).variant.family == family);
            CHECK(same_bits(dense_copy(forward(layer, c, layout)), expected));
        }
        for (const Variant &v : variants_here(layout)) {
            if (v.family != family || !takes(v, c.options) || v.isa != isa) {
                continue;
            }
            for (int64_t rows : {1, 2, 3, 100}) {
                INFO(v.name << ", " << rows << " rows");
                ConvTranspose3d forced = c.layer();
                forced.set_variant(v.name, rows);
                CHECK(forced.plan(c.input_shape, layout).rows_per_task == std::min(rows, most_rows));
                CHECK(same_bits(dense_copy(forward(forced, c, layout)), expected));
            }
        }
    }
    set_num_threads(threads);
}

}  // namespace unstride::tests

#include "kernels/cost.h"

#include <algorithm>

#include "kernels/catalog.h"
#include "kernels/cut.h"
#include "problem/checked.h"

namespace unstride {
namespace {

constexpr double line_bytes = 64;         // of a cache line
constexpr int64_t channels_of_line = 16;  // floats in a cache line
constexpr double cycles_of_line = 4;      // that stores take to have a cache line

// Returns the first input that output `o` and those behind it read.
int64_t first_read(const Extent &e, int64_t o) {
    return divide_down(o + e.axis.padding - e.axis.dilation * (e.kernel - 1) + e.axis.stride - 1, e.axis.stride);
}

// Returns the cycles that it takes to store one vector whose elements are neighbours in memory, too. The core waits for
// each cache line, most of which come from memory.
double cycles_of_whole_vector(const Entry &entry, const Core &core) {
    return 1 / core.rates.stores + entry.isa->vector_bytes / line_bytes * cycles_of_line;
}

// Returns the cycles that it takes to store one vector of a tile. Vectors are stored whole where their elements are
// neighbours in memory, too. Otherwise each element is stored by itself. This takes 1.2 cycles if the columns of a
// phase are dense, and 2 if they lie apart, in cache lines that other phases write as well. In ndhwc with several
// groups, each element goes to a line of its own, which has left the cache before another group writes to it. This is
// taken to cost 8 cycles: at 1.2, kernels of single channels in f64 were preferred on mednext_dw (64 groups), where
// kernels of all channels take half of their time.
double cycles_of_vector(const Entry &entry, bool has_layout_of_tile, bool dense, int64_t groups, const Core &core) {
    constexpr double element_in_line_apart = 8, dense_element = 1.2, element = 2;
    const bool channels_last = entry.variant.layout == Layout::ndhwc;
    if (has_layout_of_tile && (channels_last || dense)) {
        return cycles_of_whole_vector(entry, core);
    }
    if (!has_layout_of_tile && channels_last && groups > 1) {
        return entry.lanes * element_in_line_apart;
    }
    return entry.lanes * (dense ? dense_element : element);
}

// Returns the cycles that storing takes longer because a tile has many cache lines, for which a core waits at once: its
// line buffers, 12 to 24, have to do for loads, too. On Zen 4, tiles of up to 16 lines were the fastest.
double cycles_of_burst(const Entry &entry) {
    constexpr double at_once = 16;
    const Variant &v = entry.variant;
    const double lines = as_double(v.block * v.columns * v.stride_x * sum_bytes(entry)) / line_bytes;
    return std::max(0.0, lines - at_once) * cycles_of_line / v.stride_x;
}

std::vector<Cut> cuts_of_width(const Entry &entry, const Geometry &geometry) {
    return entry.sums->cut_width(geometry.extent[2], entry.variant.stride_x, entry.variant.device);
}

}  // namespace

Core core_of(const Entry &entry, const Machine &machine) {
    const Microarchitecture &m = find_microarchitecture(machine.microarchitecture);
    VectorRates rates = m.rates(entry.isa->vector_bytes);
    if (entry.facts->sums == Sums::pairs) {
        rates.multiply_adds = m.dot_products;
    }
    return {m, rates};
}

double cycles_of_step(const Core &core, const Step &step) {
    return std::max({step.multiply_adds / core.rates.multiply_adds,
                     step.loads / core.rates.loads + step.broadcasts / core.rates.broadcasts,
                     core.microarchitecture.latency});
}

double unaligned_load(const Entry &entry) {
    return 1 + entry.isa->vector_bytes / line_bytes;
}

bool is_turned(const Entry &entry) {
    return entry.across == Lanes::channels && entry.variant.layout == Layout::ncdhw;
}

int64_t no_scratch(const Entry & /*entry*/, const Geometry & /*geometry*/, const Split & /*split*/) {
    return 0;
}

int64_t sum_bytes(const Entry &entry) {
    return size_of(entry.variant.types.sums());
}

int64_t blocks(const Entry &entry, const Geometry &geometry) {
    return divide_up(entry.rules->channels_seen(geometry.channels).outputs, entry.variant.block);
}

double taps(const Extent &e) {
    return as_double(e.kernel) / as_double(e.axis.stride);
}

int64_t tiles_in_phase(int64_t columns, const Extent &x) {
    return divide_up(divide_up(x.output, x.axis.stride), columns);
}

int64_t whole_vectors(const Entry &entry, int64_t columns) {
    return entry.across == Lanes::channels ? columns : divide_up(columns, entry.lanes) * entry.lanes;
}

int64_t slab_width(const Entry &entry, int64_t columns, const Extent &x) {
    const int64_t first = first_read(x, 0), last = divide_down(x.axis.stride - 1 + x.axis.padding, x.axis.stride),
                  end = std::max(x.input, last + tiles_in_phase(columns, x) * columns);
    return whole_vectors(entry, end - std::min<int64_t>(first, 0));
}

int64_t staged_channels(const Entry &entry, int64_t inputs) {
    return is_turned(entry) ? divide_up(inputs, channels_of_line) * channels_of_line : inputs;
}

int64_t turned_elements(const Entry &entry, const Extent &x, int64_t rows) {
    return is_turned(entry) ? product({channels_of_line, divide_up(x.input, 4) * 4, rows}) : 0;
}

int64_t input_rows(const Extent &e, int64_t count) {
    const auto &[stride, dilation, common, inverse, padding] = e.axis;
    // Of an output that no tap reaches, kernels stage the input before the one that the next output reads.
    const int64_t reach = std::max(dilation * (e.kernel - 1), stride - 1),
                  most = divide_down(count - 1 + reach, stride) + 1,
                  first = std::min(first_read(e, 0), divide_down(padding, stride)),
                  aligned = divide_down(count - 1 + padding, stride) - first + 1;
    // Where tasks begin at the same phase, the first of them tells for all.
    return std::clamp<int64_t>(count % stride == 0 ? aligned : most, 1, e.input);
}

int64_t reversed_slab_width(int64_t columns, const Extent &x) {
    const int64_t first = -x.axis.padding, last = first + x.axis.dilation * (x.kernel - 1),
                  tiles = divide_up(x.output, columns);
    const int64_t end = std::max((tiles * columns - 1) * x.axis.stride + last + 1, x.input);
    return end - std::min<int64_t>(first, 0);
}

int64_t reversed_inputs(const Extent &e, int64_t count) {
    return std::min((count - 1) * e.axis.stride + e.axis.dilation * (e.kernel - 1) + 1, e.input);
}

bool has_many_items(const Entry &entry, const Geometry &geometry, const Machine &machine) {
    return geometry.batch * entry.rules->channels_seen(geometry.channels).groups >= int64_t{4} * machine.threads;
}

double calls_along_x(const Entry &entry, const Geometry &geometry) {
    return as_double(static_cast<int64_t>(cuts_of_width(entry, geometry).size()));
}

double cycles_of_copy(const Core &core, int loads) {
    constexpr double beside = 1.5;  // cycles of addresses and the loop
    return loads / core.rates.loads + 1 / core.rates.stores + beside;
}

double cycles_of_store(const Entry &entry, const Geometry &geometry, const Core &core) {
    const Variant &v = entry.variant;
    const bool dense = cuts_of_width(entry, geometry).front().output.step == 1;  // neighbouring columns
    const double vectors = as_double(v.block * v.columns) / entry.lanes;
    if (is_turned(entry) && dense) {
        // A tile is transposed, and its phases are interleaved: the more work, the shorter its rows are than vectors.
        const double shuffles = 4 * std::max(1.0, entry.lanes / as_double(v.columns * v.stride_x));
        return vectors * (cycles_of_whole_vector(entry, core) + shuffles / core.rates.shuffles);
    }
    const bool has_layout_of_tile = (entry.across == Lanes::channels) == (v.layout == Layout::ndhwc);
    const int64_t groups = entry.rules->channels_seen(geometry.channels).groups;
    return vectors * cycles_of_vector(entry, has_layout_of_tile, dense, groups, core) + cycles_of_burst(entry);
}

}  // namespace unstride

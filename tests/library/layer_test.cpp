// Kernels that unstride_add_layer compiled into this program, as into any app; CMakeLists.txt has the calls.

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/machines.h"
#include "unstride/register.h"

namespace unstride::tests {
namespace {

std::vector<Variant> for_one_layer(Layout layout) {
    std::vector<Variant> result;
    for (const Variant &v : variants_here(layout)) {
        if (v.layer) {
            result.push_back(v);
        }
    }
    return result;
}

// The generic variant of the same tile.
std::string generic(const Variant &v) {
    return v.name.substr(v.name.find(to_string(v.layout)));
}

TEST_CASE("kernels for one layer are in the catalog", "[layer]") {
    std::set<std::string> layers;
    for (const Variant &v : variants()) {
        if (v.layer) {
            layers.insert(v.name.substr(0, v.name.find('_')));
        }
    }
    CHECK(layers == std::set<std::string>{"channelwise", "dilated", "grouped", "odd", "typed"});
    for (Layout layout : layouts) {
        CHECK(!for_one_layer(layout).empty());
    }
    // types_test.cpp tests that they compute what they should.
    for (const Variant &v : variants()) {
        if (v.name.rfind("typed_", 0) == 0) {
            CHECK(v.name.find("_" + std::string(to_string(v.types.input)) + "_") != std::string::npos);
            CHECK(!(v.types == Types()));
        }
    }
}

void check_kernels_of(const Case &c) {
    for (Layout layout : layouts) {
        for (const Variant &v : for_one_layer(layout)) {
            if (!takes(v, c.options)) {
                continue;
            }
            INFO(v.name << ": " << describe(c.options, c.input_shape));
            ConvTranspose3d layer = c.layer();
            layer.set_variant(v.name);
            const std::vector<float> result = dense_copy(forward(layer, c, layout));
            CHECK(mismatch(c.expected.sizes, result, c) == "none");
            layer.set_variant(generic(v));
            CHECK(same_bits(result, dense_copy(forward(layer, c, layout))));
        }
    }
}

TEST_CASE("kernels for one layer compute it for any input, output padding and padding at the end", "[layer]") {
    std::set<std::shared_ptr<const ConvTranspose3dOptions>> all;
    for (const Variant &v : variants()) {
        all.insert(v.layer);
    }
    all.erase(nullptr);
    for (const auto &layer : all) {
        ConvTranspose3dOptions options = *layer;
        check_kernels_of({options, {2, options.in_channels, 2, 3, 7}, Data::reals, 5});
        check_kernels_of({options, {1, options.in_channels, 4, 2, 33}, Data::integers, 6});
        options.bias = false;
        options.output_padding.width = std::max(options.stride.width, options.dilation.width) - 1;
        check_kernels_of({options, {1, options.in_channels, 3, 1, 18}, Data::reals, 7});
        options.padding_end = Triple(0, -3, -20);
        check_kernels_of({options, {1, options.in_channels, 3, 1, 18}, Data::reals, 8});
    }
}

TEST_CASE("the planner takes a kernel for one layer where it fits, and nowhere else", "[layer]") {
    for (const Machine &machine : machines) {
        for (Layout layout : layouts) {
            std::set<std::string> planned;
            for (const Variant &v : variants()) {
                if (!v.layer || v.layout != layout || !(v.types == Types())) {
                    continue;
                }
                const auto plan = [&](const ConvTranspose3dOptions &options) {
                    return ConvTranspose3d(options)
                        .plan({1, options.in_channels, 14, 15, 40}, layout, {}, {}, machine)
                        .variant;
                };
                const Variant best = plan(*v.layer);
                INFO(v.name << ", planned " << best.name << " for " << machine.cpu);
                CHECK(best.name != generic(v));
                planned.insert(best.layer ? best.name : "");

                ConvTranspose3dOptions other = *v.layer;
                other.padding.height++;
                CHECK(plan(other).layer == nullptr);
            }
            INFO(to_string(layout) << ", " << machine.cpu);
            CHECK(planned.size() > planned.count(""));
        }
    }
}

TEST_CASE("a kernel for one layer refuses all others", "[layer]") {
    const ConvTranspose3dOptions odd{7, 18, {4, 3, 2}, {3, 1, 2}, {1, 0, 0}};
    std::string name;
    for (const Variant &v : variants_here(Layout::ncdhw)) {
        name = v.layer && v.name.rfind("odd_", 0) == 0 ? v.name : name;
    }
    const std::string layer_of_odd =
        "in_channels 7, out_channels 18, groups 1, kernel_size 4x3x2, stride 3x1x2, padding 1x0x0, dilation 1x1x1";
    const auto refusal = [&](void (*change)(ConvTranspose3dOptions &)) {
        ConvTranspose3dOptions options = odd;
        change(options);
        return error_of<InvalidArgument>([&] { ConvTranspose3d(options).set_variant(name); });
    };
    CHECK(refusal([](ConvTranspose3dOptions &) {}) == "no error");
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.output_padding.depth = 2; }) == "no error");
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.padding_end = Triple(-2); }) == "no error");
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.bias = false; }) == "no error");
    const std::string refused = "variant " + name + " needs the layer that it was compiled for: " + layer_of_odd;
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.in_channels = 8; }) == refused);
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.out_channels = 17; }) == refused);
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.in_channels = o.groups = 2; }) == refused);
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.kernel_size.depth = 3; }) == refused);
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.stride.height = 2; }) == refused);
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.padding.width = 1; }) == refused);
    CHECK(refusal([](ConvTranspose3dOptions &o) { o.dilation.height = 2; }) == refused);
}

TEST_CASE("variants keep to one name each", "[layer]") {
    const size_t before = variants().size();
    const Variant &first = variants().front();
    const AddedKernel again{first.name,     first.family, first.layout,  first.isa,
                            first.stride_x, first.block,  first.columns, {}};
    CHECK(error_of<InvalidArgument>([&] { register_layer({}, {again}); }) == "two variants are called " + first.name);
    CHECK(error_of<InvalidArgument>([&] { register_layer({4, 4, 0}, {again}); }) != "no error");
    CHECK(variants().size() == before);
}

TEST_CASE("a kernel of an unknown family is refused", "[layer]") {
    const size_t before = variants().size();
    const AddedKernel unknown{"of_no_family", "rows", Layout::ncdhw, "baseline", 1, 8, 4, {}};
    const std::string error = error_of<InvalidArgument>([&] { register_kernels({unknown}); });
    CHECK(error.find("there is no kernel family 'rows', but channels, columns, ") == 0);
    CHECK(variants().size() == before);
}

TEST_CASE("a variant says how it sums and what its vectors lie across", "[layer]") {
    struct Expected {
        std::string sums, ncdhw, ndhwc;
    };
    const std::map<std::string, Expected> families = {
        {"channels", {"direct", "channels", "channels"}},    {"columns", {"direct", "columns", "columns"}},
        {"depthwise", {"direct", "columns", "channels"}},    {"quads", {"direct", "columns", "columns"}},
        {"winograd", {"winograd", "channels", "channels"}},  {"taps", {"taps", "columns", "taps"}},
        {"pairs", {"pairs", "channels", "channels"}},        {"outputs", {"products", "channels", "channels"}},
        {"inputs", {"products", "channels", "channels"}},    {"diagonal", {"products", "channels", "channels"}},
        {"positions", {"positions", "columns", "channels"}}, {"stationary", {"direct", "channels", "channels"}},
        {"in_place", {"direct", "columns", "channels"}}};
    for (const Variant &v : variants()) {
        INFO(v.name);
        const Expected &expected = families.at(v.family);
        CHECK(v.sums == expected.sums);
        CHECK(v.lanes == (v.layout == Layout::ndhwc ? expected.ndhwc : expected.ncdhw));
    }
}

TEST_CASE("variants of an operator round alike that sum in the same way and both have FMA or neither", "[layer]") {
    for (const Variant &v : variants()) {
        const Variant &first = variants().front();
        const bool same_fma = instruction_set(v.isa).fma == instruction_set(first.isa).fma;
        CHECK(v.rounds_like(first) == (v.op == first.op && v.sums == first.sums && same_fma));
        CHECK(first.rounds_like(v) == v.rounds_like(first));
    }
}

}  // namespace
}  // namespace unstride::tests

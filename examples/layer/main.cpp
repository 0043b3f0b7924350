// Two layers that have kernels of their own, which CMakeLists.txt asks for: what the planner takes for them, that it
// computes the same as the kernel for any layer, and the times of both in one thread.

#include <unstride/unstride.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int rounds = 9;

void fill_normal(unstride::Tensor &tensor, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < tensor.element_count(); i++) {
        tensor.data()[i] = normal(random);
    }
}

bool same(const unstride::Tensor &a, const unstride::Tensor &b) {
    return std::equal(a.data(), a.data() + a.element_count(), b.data());
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + rounds / 2, values.end());
    return values[rounds / 2];
}

// Processor time, which waiting for a busy machine does not add to.
double milliseconds(const unstride::ConvTranspose3d &layer, const unstride::Tensor &input, unstride::Tensor &output) {
    const std::clock_t start = std::clock();
    layer.forward(input.view(), output.view());
    return 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// Whether a kernel named `name` is planned for the layer, and computes what the generic one of the same tile does.
bool compare(const std::string &name, const unstride::ConvTranspose3dOptions &options, const unstride::Shape &shape,
             unstride::Layout layout) {
    unstride::ConvTranspose3d layer(options), any(options);
    const unstride::Plan plan = layer.plan(shape, layout);
    const std::string &variant = plan.variant.name;
    std::printf("%s\n  variant     %s\n  because     %s\n", name.c_str(), variant.c_str(), plan.reason.c_str());
    if (!plan.variant.layer || variant.rfind(name + "_", 0) != 0) {
        std::printf("  which is not a kernel of the layer's own\n");
        return false;
    }
    any.set_variant(variant.substr(name.size() + 1), plan.rows_per_task);

    unstride::Tensor input(shape, layout);
    fill_normal(input, 1);
    unstride::Tensor output(layer.output_shape(shape), layout), expected(layer.output_shape(shape), layout);
    std::vector<double> own, generic;
    milliseconds(layer, input, output);  // packs the weights
    milliseconds(any, input, expected);
    for (int i = 0; i < rounds; i++) {
        own.push_back(milliseconds(layer, input, output));
        generic.push_back(milliseconds(any, input, expected));
    }
    const bool equal = same(output, expected);
    std::printf("  result      %s\n",
                equal ? "equals that of the generic kernel in every bit" : "differs from that of the generic kernel");
    std::printf("  time        %.2f ms; generic kernel %.2f ms, %.2f times as long\n", median(own), median(generic),
                median(generic) / median(own));
    return equal;
}

bool run() {
    unstride::set_num_threads(1);
    unstride::ConvTranspose3dOptions up;  // the decoder of a U-Net, for example nnU-Net
    up.in_channels = 128;
    up.out_channels = 64;
    up.kernel_size = 2;
    up.stride = 2;

    unstride::ConvTranspose3dOptions smooth;  // upsampling, each channel by itself
    smooth.in_channels = smooth.out_channels = smooth.groups = 64;
    smooth.kernel_size = 3;
    smooth.stride = 2;
    smooth.padding = 1;

    const bool first = compare("up", up, {1, 128, 16, 16, 16}, unstride::Layout::ndhwc);
    const bool second = compare("smooth", smooth, {1, 64, 8, 16, 32}, unstride::Layout::ndhwc);
    return first && second;
}

}  // namespace

int main() {
    try {
        return run() ? EXIT_SUCCESS : EXIT_FAILURE;
    } catch (const unstride::Error &error) {
        std::fprintf(stderr, "decoder: error: %s\n", error.what());
        return EXIT_FAILURE;
    }
}

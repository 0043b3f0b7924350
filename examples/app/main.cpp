// The last decoder layer of a 3-D U-Net, which doubles the resolution of its features, on a random volume.

#include <unstride/unstride.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

void fill_normal(unstride::Tensor &tensor, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < tensor.element_count(); i++) {
        tensor.data()[i] = normal(random);
    }
}

double sum(const unstride::Tensor &tensor) {
    double total = 0;
    for (int64_t i = 0; i < tensor.element_count(); i++) {
        total += tensor.data()[i];
    }
    return total;
}

void print_shape(const char *name, const unstride::Shape &shape) {
    std::printf("%-9s", name);
    for (int64_t size : shape) {
        std::printf(" %lld", static_cast<long long>(size));
    }
    std::printf("\n");
}

void run() {
    unstride::ConvTranspose3dOptions options;
    options.in_channels = 64;
    options.out_channels = 32;
    options.kernel_size = 2;
    options.stride = 2;
    unstride::ConvTranspose3d layer(options);
    layer.reset_parameters(0);  // as torch.manual_seed(0); torch.nn.ConvTranspose3d(64, 32, 2, stride=2)

    unstride::Tensor input({1, 64, 16, 24, 24});
    fill_normal(input, 1);
    const unstride::Tensor output = layer.forward(input.view());

    const unstride::Plan plan = layer.plan(input.sizes(), input.layout());
    print_shape("input", input.sizes());
    print_shape("output", output.sizes());
    std::printf("variant   %s\n", plan.variant.name.c_str());
    std::printf("because   %s\n", plan.reason.c_str());
    std::printf("checksum  %.6f\n", sum(output));
}

}  // namespace

int main() {
    try {
        run();
    } catch (const unstride::Error &error) {
        std::fprintf(stderr, "upsample: error: %s\n", error.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

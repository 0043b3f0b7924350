// Trains a small decoder by gradient descent until it gives back a real volume: three transposed convolutions, which
// double depth, height and width each, with LeakyReLU between them. What they decode, the code, is trained with them.
//
//     train VOLUME.nii
//
// Exit status: 0 if the loss has fallen as far as it should, 1 if it has not or for an error, 2 for a wrong command.

#include <unstride/unstride.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int steps = 100;
constexpr double factor_to_reach = 5;  // by which the loss has to fall; it falls by about ten
constexpr float slope = 0.1F;          // of LeakyReLU, below 0

// How far a step goes along a gradient. The loss is a mean over all voxels, of which a number of the code reaches few,
// so that its gradient is small.
constexpr float rate = 0.1F, rate_of_code = 1000;

// Reads the first volume of an uncompressed NIfTI-1 file of 16-bit integers, as an array (1, 1, depth, height, width)
// whose mean is 0 and whose variance is 1.
unstride::Tensor read_volume(const char *path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<char> header(348);
    int16_t size[8], type;
    float offset;
    if (!file.read(header.data(), static_cast<std::streamsize>(header.size()))) {
        throw std::runtime_error(std::string("cannot read ") + path);
    }
    std::memcpy(size, &header[40], sizeof size);
    std::memcpy(&type, &header[70], sizeof type);
    std::memcpy(&offset, &header[108], sizeof offset);
    if (std::memcmp(&header[344], "n+1", 4) != 0 || size[0] < 3 || type != 4) {
        throw std::runtime_error("only NIfTI-1 files of 16-bit integers can be read, in this machine's byte order");
    }
    if (std::any_of(size + 1, size + 4, [](int16_t n) { return n < 8 || n % 8 != 0; })) {
        throw std::runtime_error("the volume's sizes have to be multiples of 8");
    }
    unstride::Tensor volume({1, 1, size[3], size[2], size[1]});
    std::vector<int16_t> voxels(volume.element_count());
    file.seekg(std::max<std::streamoff>(352, static_cast<std::streamoff>(offset)));
    if (!file.read(reinterpret_cast<char *>(voxels.data()),
                   static_cast<std::streamsize>(voxels.size() * sizeof voxels[0]))) {
        throw std::runtime_error("the file is shorter than its header says");
    }
    const auto count = static_cast<double>(voxels.size());
    double sum = 0, sum_of_squares = 0;
    for (const double voxel : voxels) {
        sum += voxel;
        sum_of_squares += voxel * voxel;
    }
    const double mean = sum / count, deviation = std::sqrt(sum_of_squares / count - mean * mean);
    std::transform(voxels.begin(), voxels.end(), volume.data(),
                   [=](double voxel) { return static_cast<float>((voxel - mean) / deviation); });
    return volume;
}

void fill_normal(float *numbers, int64_t count, float deviation, std::mt19937 &random) {
    std::normal_distribution<float> normal(0, deviation);
    std::generate_n(numbers, count, [&] { return normal(random); });
}

// Goes a step down a gradient.
void descend(float *numbers, const float *gradient, int64_t count, float step) {
    for (int64_t i = 0; i < count; i++) {
        numbers[i] -= step * gradient[i];
    }
}

unstride::ConvTranspose3dOptions doubling(int64_t in_channels, int64_t out_channels) {
    unstride::ConvTranspose3dOptions options;
    options.in_channels = in_channels;
    options.out_channels = out_channels;
    options.kernel_size = 4;
    options.stride = 2;
    options.padding = 1;
    return options;
}

// A layer with its output, and the gradients of the loss with respect to its input and its parameters.
struct Layer {
    unstride::ConvTranspose3d convolution;
    unstride::Tensor output, grad_input, grad_weight;
    std::vector<float> grad_bias;

    Layer(const unstride::ConvTranspose3dOptions &options, const unstride::Shape &input_shape, std::mt19937 &random)
        : convolution(options), output(convolution.output_shape(input_shape)), grad_input(input_shape),
          grad_weight(convolution.weight_shape()), grad_bias(options.out_channels) {
        // Two taps of each dimension reach an output; with these weights it varies half as much as an input, squared.
        std::vector<float> weight(grad_weight.element_count());
        const auto inputs_of_an_output = static_cast<float>(8 * options.in_channels);
        fill_normal(weight.data(), grad_weight.element_count(), 1 / std::sqrt(inputs_of_an_output), random);
        convolution.set_weight(weight.data(), convolution.weight_shape());
        const std::vector<float> zeros(grad_bias.size());
        convolution.set_bias(zeros.data(), convolution.bias_shape());
    }

    // Computes the three gradients from that with respect to the output, and changes the parameters.
    void train(const unstride::Tensor &input, const unstride::Tensor &grad_output) {
        const unstride::View<const float> grad = grad_output.view();
        convolution.input_gradient(grad, grad_input.view());
        convolution.weight_gradient(input.view(), grad, grad_weight.view());
        convolution.bias_gradient(grad, unstride::View<void>(grad_bias.data(), convolution.bias_shape(), {1}));

        std::vector<float> weight = convolution.weight(), bias = convolution.bias();
        descend(weight.data(), grad_weight.data(), grad_weight.element_count(), rate);
        descend(bias.data(), grad_bias.data(), static_cast<int64_t>(bias.size()), rate);
        convolution.set_weight(weight.data(), convolution.weight_shape());
        convolution.set_bias(bias.data(), convolution.bias_shape());
    }
};

class Decoder {
public:
    // `shape` is that of the volumes that it makes, `channels` those of the code and of the layers between.
    Decoder(const unstride::Shape &shape, const std::vector<int64_t> &channels)
        : code_({1, channels[0], shape[2] / 8, shape[3] / 8, shape[4] / 8}) {
        std::mt19937 random(2);
        fill_normal(code_.data(), code_.element_count(), 1, random);
        unstride::Shape input_shape = code_.sizes();
        for (size_t i = 0; i + 1 < channels.size(); i++) {
            layers_.push_back(std::make_unique<Layer>(doubling(channels[i], channels[i + 1]), input_shape, random));
            input_shape = layers_.back()->output.sizes();
        }
        for (size_t i = 0; i + 1 < layers_.size(); i++) {
            layers_[i]->convolution.set_activation(unstride::Activation::leaky_relu(slope));
        }
    }

    const unstride::Tensor &forward() {
        for (size_t i = 0; i < layers_.size(); i++) {
            layers_[i]->convolution.forward(input(i).view(), layers_[i]->output.view());
        }
        return layers_.back()->output;
    }

    // Changes the parameters and the code, from the gradient of the loss with respect to the output of forward().
    void backward(const unstride::Tensor &grad_output) {
        layers_.back()->train(input(layers_.size() - 1), grad_output);
        for (size_t i = layers_.size() - 1; i > 0; i--) {
            apply_gradient_of_activation(layers_[i - 1]->output, layers_[i]->grad_input);
            layers_[i - 1]->train(input(i - 1), layers_[i]->grad_input);
        }
        descend(code_.data(), layers_.front()->grad_input.data(), code_.element_count(), rate_of_code);
    }

    int64_t number_count() const {
        int64_t count = code_.element_count();
        for (const auto &layer : layers_) {
            count += layer->grad_weight.element_count() + static_cast<int64_t>(layer->grad_bias.size());
        }
        return count;
    }

private:
    const unstride::Tensor &input(size_t layer) const {
        return layer == 0 ? code_ : layers_[layer - 1]->output;
    }

    // Makes the gradient with respect to LeakyReLU's output the one with respect to its argument, which has the sign of
    // the output.
    static void apply_gradient_of_activation(const unstride::Tensor &output, unstride::Tensor &gradient) {
        for (int64_t i = 0; i < output.element_count(); i++) {
            gradient.data()[i] *= output.data()[i] > 0 ? 1 : slope;
        }
    }

    unstride::Tensor code_;
    std::vector<std::unique_ptr<Layer>> layers_;
};

// Returns the mean of the squared differences of an output from the target, and computes its gradient.
double loss_of(const unstride::Tensor &output, const unstride::Tensor &target, unstride::Tensor &gradient) {
    const int64_t count = target.element_count();
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        const float difference = output.data()[i] - target.data()[i];
        sum += difference * difference;
        gradient.data()[i] = 2 * difference / static_cast<float>(count);
    }
    return sum / static_cast<double>(count);
}

bool run(const char *path) {
    const unstride::Tensor target = read_volume(path);
    Decoder decoder(target.sizes(), {32, 16, 8, 1});
    std::printf("%lld voxels from %lld numbers\n", static_cast<long long>(target.element_count()),
                static_cast<long long>(decoder.number_count()));

    unstride::Tensor gradient(target.sizes());
    const double first = loss_of(decoder.forward(), target, gradient);
    double loss = first;
    std::printf("step   0  loss %.4f\n", first);
    for (int step = 1; step <= steps; step++) {
        decoder.backward(gradient);
        loss = loss_of(decoder.forward(), target, gradient);
        if (step % 10 == 0) {
            std::printf("step %3d  loss %.4f\n", step, loss);
        }
    }
    const bool reached = loss * factor_to_reach <= first;  // false for NaN
    std::printf("the loss has fallen to 1/%.1f, %s\n", first / loss,
                reached ? "as it should" : "which is not as far as it should");
    return reached;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: train VOLUME.nii\n");
        return 2;
    }
    try {
        return run(argv[1]) ? EXIT_SUCCESS : EXIT_FAILURE;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "train: error: %s\n", error.what());
        return EXIT_FAILURE;
    }
}

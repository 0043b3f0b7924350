#include "support/golden.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "support/harness.h"

namespace unstride::tests {
namespace {

using nlohmann::json;

std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    if (!file) {
        throw std::runtime_error("cannot read " + path);
    }
    return bytes;
}

std::vector<float> little_endian_floats(const std::string &bytes) {
    std::vector<float> values(bytes.size() / 4);
    for (size_t i = 0; i < values.size(); i++) {
        uint32_t bits = 0;
        for (size_t b = 0; b < 4; b++) {
            bits |= uint32_t(uint8_t(bytes[4 * i + b])) << (8 * b);
        }
        std::memcpy(&values[i], &bits, sizeof(bits));
    }
    return values;
}

// The last numbers of a triple, in place of those of the dimensions that the layer lacks, which are `missing`.
Triple triple(const Shape &numbers, int64_t missing) {
    Shape all(3 - numbers.size(), missing);
    all.insert(all.end(), numbers.begin(), numbers.end());
    return {all[0], all[1], all[2]};
}

int spatial_from(const json &entry) {
    return static_cast<int>(entry.at("kernel_size").size());
}

ConvTranspose3dOptions options_from(const json &entry) {
    ConvTranspose3dOptions o;
    o.in_channels = entry.at("in_channels");
    o.out_channels = entry.at("out_channels");
    o.kernel_size = triple(entry.at("kernel_size"), 1);
    o.stride = triple(entry.value("stride", Shape{}), 1);
    o.padding = triple(entry.value("padding", Shape{}), 0);
    o.output_padding = triple(entry.value("output_padding", Shape{}), 0);
    o.groups = entry.at("groups");
    o.bias = entry.at("bias");
    o.dilation = triple(entry.value("dilation", Shape{}), 1);
    return o;
}

GoldenArray array_from(const json &entry, const std::vector<float> &data) {
    if (entry.is_null()) {
        return {};
    }
    GoldenArray array{entry.at("shape"), {}};
    const int64_t first = entry.at("offset"), count = element_count(array.shape);
    if (first < 0 || count < 0 || first + count > int64_t(data.size())) {
        throw std::runtime_error("an array of cases.json is not within data.bin: " + entry.dump());
    }
    array.values.assign(data.begin() + first, data.begin() + first + count);
    return array;
}

GoldenParameter parameter_from(const json &entry, const std::vector<float> &data) {
    return {array_from(entry, data).values, entry.is_null() ? crc32({}) : entry.at("crc32").get<uint32_t>()};
}

// In whatever order t terms are summed, with fused multiply-adds or without, each is rounded at most t times: once as a
// product and t - 1 times in a sum. The stored output is the exact one rounded once more. Each rounding is at most
// eps/2 of the sum of the magnitudes, and t + 1 <= 2t.
double bound_from(const json &entry, double epsilon) {
    return entry.value("exact", false)
               ? 0
               : epsilon * entry.at("terms").get<double>() * entry.at("magnitude").get<double>();
}

std::optional<GoldenGradients> gradients_from(const json &entry, const std::vector<float> &data) {
    if (entry.count("gradients") == 0) {
        return std::nullopt;
    }
    const json &gradients = entry.at("gradients");
    return GoldenGradients{array_from(gradients.at("input"), data), array_from(gradients.at("weight"), data),
                           array_from(gradients.at("bias"), data)};
}

GoldenCase case_from(const json &entry, const std::vector<float> &data, double epsilon) {
    return {entry.at("name"),
            spatial_from(entry),
            options_from(entry),
            entry.value("output_size", Shape{}),
            array_from(entry.at("input"), data),
            array_from(entry.at("output"), data),
            array_from(entry.at("weight_values"), data),
            array_from(entry.at("bias_values"), data),
            bound_from(entry, epsilon),
            gradients_from(entry, data)};
}

}  // namespace

Golden load_golden(const std::string &directory) {
    const json index = json::parse(read_file(directory + "/cases.json"));
    const std::string bytes = read_file(directory + "/data.bin");
    if (bytes.size() != 4 * index.at("floats").get<size_t>()) {
        throw std::runtime_error("cases.json and data.bin in " + directory + " do not belong together");
    }
    const std::vector<float> data = little_endian_floats(bytes);
    Golden golden;
    for (const json &entry : index.at("cases")) {
        golden.cases.push_back(case_from(entry, data, std::numeric_limits<float>::epsilon()));
    }
    for (const json &entry : index.at("initialization")) {
        golden.initializations.push_back({spatial_from(entry), options_from(entry), entry.at("seed"),
                                          parameter_from(entry.at("weight_values"), data),
                                          parameter_from(entry.at("bias_values"), data)});
    }
    for (const json &entry : index.at("typed")) {
        const bool is_f16 = entry.at("dtype") == "f16";  // PyTorch may round partial sums to the type, too.
        golden.typed.push_back(
            {is_f16 ? DType::f16 : DType::bf16, case_from(entry, data, is_f16 ? 1. / 1024 : 1. / 128)});
    }
    return golden;
}

std::vector<double> golden_operand(GoldenOperand operand, int64_t count) {
    constexpr uint32_t knuth = 2654435761;
    std::vector<double> numbers;
    for (int64_t i = 0; i < count; i++) {
        uint32_t hashed = (static_cast<uint32_t>(i) * 3 + static_cast<uint32_t>(operand) + 1) * knuth;
        hashed = (hashed ^ hashed >> 13) * knuth;
        numbers.push_back((static_cast<double>(hashed >> 25) - 64) / 64);
    }
    return numbers;
}

uint32_t crc32(const std::vector<float> &values) {
    uint32_t crc = ~0u;
    for (const float &value : values) {
        uint32_t bits;
        std::memcpy(&bits, &value, sizeof(bits));
        // The remainder's next 32 bits, lowest first: the order of the bits in a little-endian float.
        crc ^= bits;
        for (int i = 0; i < 32; i++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        }
    }
    return ~crc;
}

}  // namespace unstride::tests

#ifndef UNSTRIDE_TESTS_HARNESS_H
#define UNSTRIDE_TESTS_HARNESS_H

#include <random>
#include <string>
#include <vector>

#include "support/bias.h"
#include "support/reference.h"
#include "unstride/unstride.h"

namespace unstride::tests {

// Integers from -3 to 3 keep every sum below 2^24, so that any order of summation gives the same, exact result. Reals
// are normally distributed, and each result has an error bound.
enum class Data {
    integers,
    reals,
};

// Random numbers that elements of the type can have. T is float or double.
template<typename T = float>
std::vector<T> make_data(int64_t count, Data data, std::mt19937 &random, DType dtype = DType::f32);

// A layer's parameters and input, dense in PyTorch's order, of numbers that the types can have; and the output to
// expect. T is float or double.
template<typename T>
struct CaseOf {
    ConvTranspose3dOptions options;
    Types types;
    Data data;
    Shape input_shape;
    std::vector<T> weight, bias, input;
    Reference expected;

    CaseOf(const ConvTranspose3dOptions &options, const Shape &input_shape, Data data, uint32_t seed,
           const Types &types = {});

    ConvTranspose3d layer() const;  // with weight and bias set, on the tested device
    Tensor input_as(Layout layout) const;
};

using Case = CaseOf<float>;

// Sets all weights to a number.
void fill_weight(ConvTranspose &layer, float number);

Tensor forward(const ConvTranspose3d &layer, const Case &c, Layout layout);

std::string describe(const ConvTranspose3dOptions &options, const Shape &input_shape);

int64_t element_count(const Shape &sizes);

// The place of the i-th element, in the order (N, C, D, H, W), of an array with these sizes and strides.
int64_t offset(const Shape &sizes, const Shape &strides, int64_t i);

// The places of all elements, in the order (N, C, D, H, W).
std::vector<int64_t> offsets(const Shape &sizes, const Shape &strides);

void copy_into(const View<float> &to, const std::vector<float> &from);

// The same for elements of any type; and the number nearest to one that a type has.
void copy_into(const View<void> &to, const std::vector<double> &from);
std::vector<double> numbers_of(const View<const void> &view);
double rounded(DType dtype, double number);

// The bits of a type's mantissa, the first one included.
int precision(DType dtype);

// The elements in the order (N, C, D, H, W).
std::vector<float> dense_copy(const View<const float> &view);
std::vector<float> dense_copy(const Tensor &tensor);

// Whether two results agree in every bit.
bool same_bits(const std::vector<float> &a, const std::vector<float> &b);

// "none" if every element is within its bound, which is 0 for integers; else a line about the first that is not.
std::string mismatch(const Tensor &got, const Case &c);
std::string mismatch(const Shape &sizes, const std::vector<float> &got, const Case &c);

// Whether a variant can run a layer, from what variants.h says about stride_x, family and layer.
bool takes(const Variant &variant, const ConvTranspose3dOptions &options);

// Whether the variant can take these weights and this input, from what conv_transpose.h says of set_variant.
bool takes_numbers(const Variant &variant, const std::vector<float> &weight, const std::vector<float> &input);

// The layer, changed as little as it takes for the variant to run it.
ConvTranspose3dOptions fitted(ConvTranspose3dOptions options, const Variant &variant);

// Where the layer of each Case computes: on the device that UNSTRIDE_TEST_DEVICE names, by default the CPU.
Device tested_device();

// The variants of an operator, of this layout and these types, that can run on the tested device of this machine.
std::vector<Variant> variants_here(Layout layout, const Types &types = {}, Operator op = Operator::forward);

constexpr Layout layouts[] = {Layout::ncdhw, Layout::ndhwc};

}  // namespace unstride::tests

#endif

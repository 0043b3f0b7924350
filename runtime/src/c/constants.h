#ifndef UNSTRIDE_RUNTIME_C_CONSTANTS_H
#define UNSTRIDE_RUNTIME_C_CONSTANTS_H

#include "unstride/activation.h"
#include "unstride/c.h"
#include "unstride/conv_transpose.h"

// The constants of unstride/c.h. Those that do not differ from C++ in their numbers go through enumerator().
namespace unstride::c {

static_assert(static_cast<int>(Layout::ndhwc) == UNSTRIDE_NDHWC);
static_assert(static_cast<int>(Operator::input_gradient) == UNSTRIDE_INPUT_GRADIENT);
static_assert(static_cast<int>(Operator::weight_gradient) == UNSTRIDE_WEIGHT_GRADIENT);
static_assert(static_cast<int>(Operator::bias_gradient) == UNSTRIDE_BIAS_GRADIENT);
static_assert(static_cast<int>(Update::accumulate) == UNSTRIDE_ACCUMULATE);
static_assert(static_cast<int>(Planning::measure) == UNSTRIDE_MEASURE);
static_assert(static_cast<int>(Planning::remember) == UNSTRIDE_REMEMBER);
static_assert(static_cast<int>(Activation::Kind::relu) == UNSTRIDE_RELU);
static_assert(static_cast<int>(Activation::Kind::leaky_relu) == UNSTRIDE_LEAKY_RELU);
static_assert(static_cast<int>(Activation::Kind::prelu) == UNSTRIDE_PRELU);
static_assert(static_cast<int>(Activation::Kind::elu) == UNSTRIDE_ELU);
static_assert(static_cast<int>(Activation::Kind::silu) == UNSTRIDE_SILU);
static_assert(static_cast<int>(Activation::Kind::gelu) == UNSTRIDE_GELU);
static_assert(static_cast<int>(Activation::Kind::gelu_tanh) == UNSTRIDE_GELU_TANH);
static_assert(static_cast<int>(Activation::Kind::tanh) == UNSTRIDE_TANH);
static_assert(static_cast<int>(Activation::Kind::sigmoid) == UNSTRIDE_SIGMOID);
static_assert(static_cast<int>(Activation::Kind::clamp) == UNSTRIDE_CLAMP);

// Throw InvalidArgument for numbers that are none of the constants. `name` is what messages call the argument.
DType dtype_from(const char *name, unstride_dtype dtype);
unstride_dtype to_c(DType dtype);
Device device_from(unstride_device device);
unstride_device to_c(Device device);

}  // namespace unstride::c

#endif

#ifndef UNSTRIDE_TESTS_BIAS_H
#define UNSTRIDE_TESTS_BIAS_H

namespace unstride::tests {

// What `bias` of a layer's options is, by name: in a list of options it stands among many numbers.
constexpr bool with_bias = true, without_bias = false;

}  // namespace unstride::tests

#endif

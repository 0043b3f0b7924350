#ifndef UNSTRIDE_TESTS_PROBLEMS_H
#define UNSTRIDE_TESTS_PROBLEMS_H

#include <optional>
#include <vector>

#include "support/bias.h"
#include "unstride/unstride.h"

namespace unstride::tests {

struct Problem {
    int64_t batch, in_channels, out_channels, groups;
    Triple input, kernel, stride, padding, output_padding, dilation;
    const char *reason;
    std::optional<Triple> padding_end = std::nullopt;
    bool bias = true;

    ConvTranspose3dOptions options() const {
        return {in_channels, out_channels, kernel,   stride,  padding,    output_padding,
                groups,      bias,         dilation, "zeros", padding_end};
    }
    Shape input_shape() const {
        return {batch, in_channels, input.depth, input.height, input.width};
    }
};

// Each line has its own reason to be here.
inline const std::vector<Problem> problems{
    // N, C_in, C_out, groups, input, kernel, stride, padding, output padding, dilation
    {2, 16, 33, 1, {3, 5, 9}, 3, 2, 0, 0, 1, "the documentation's first example, shrunk"},
    {2, 16, 33, 1, {3, 5, 9}, {3, 5, 2}, {2, 1, 1}, {0, 4, 2}, 0, 1, "the documentation's second example, shrunk"},
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, "one multiplication"},
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, "one multiplication, nothing added", {}, without_bias},

    // What decoders use to double, or multiply, the resolution.
    {1, 12, 20, 1, {3, 4, 7}, 3, 2, 1, 1, 1, "k3 s2 p1 op1: phases of 1 and 2 taps, exact doubling"},
    {1, 12, 20, 1, {3, 4, 7}, 3, 2, 1, 0, 1, "k3 s2 p1: odd output sizes"},
    {2, 12, 20, 1, {3, 4, 7}, 4, 2, 1, 0, 1, "k4 s2 p1: two taps in every phase"},
    {2, 24, 12, 1, {3, 4, 7}, 2, 2, 0, 0, 1, "k = s = 2: one tap in every phase"},
    {1, 12, 20, 1, {4, 5, 6}, {1, 2, 2}, {1, 2, 2}, 0, 0, 1, "k = s = (1,2,2): anisotropic volumes"},
    {1, 6, 10, 1, {2, 3, 5}, 4, 4, 0, 0, 1, "k = s = 4"},
    {1, 6, 10, 1, {2, 3, 5}, 8, 4, 2, 0, 1, "k8 s4 p2: exact quadrupling"},
    {1, 8, 8, 1, {3, 3, 6}, 5, 2, 2, 1, 1, "k5 s2 p2 op1"},
    {1, 8, 8, 1, {5, 4, 13}, 3, 1, 1, 0, 1, "k3 s1 p1: a convolution with the kernel reversed"},

    // Phases without taps get the bias alone.
    {1, 5, 9, 1, {3, 4, 6}, 1, 2, 0, 1, 1, "k1 s2: seven of eight phases empty"},
    {1, 5, 9, 1, {3, 4, 6}, 1, 3, 0, 2, 1, "k1 s3: 26 of 27 phases empty"},
    {1, 5, 9, 1, {3, 4, 6}, 2, 3, 0, 2, 1, "k2 s3: the last phase empty in each dimension"},
    {1, 5, 9, 1, {3, 4, 6}, {3, 3, 1}, 2, 0, 0, 1, "empty phases along x alone"},
    {1, 5, 9, 1, {3, 4, 6}, {1, 1, 3}, 2, 0, 1, 1, "empty phases along z and y alone"},
    {1, 5, 9, 1, {3, 4, 6}, 2, 5, 0, 4, 1, "k2 s5: more empty phases than others"},
    {1, 5, 9, 1, {3, 4, 6}, 1, 2, 0, 1, 1, "empty phases without a bias are zero", {}, without_bias},
    {1, 6, 12, 1, {5, 6, 9}, 1, {2, 3, 2}, {1, 2, 3}, {1, 1, 0}, 1, "k1, strides and paddings: inputs without outputs"},
    {2, 6, 12, 1, {3, 4, 5}, 1, {3, 2, 3}, {-1, -3, -2}, 0, 1, "k1, more outputs at the start", Triple(0, 1, -4)},
    {1, 4, 6, 1, {1, 1, 2}, 1, 4, {3, 3, 1}, 0, 1, "k1, no output is reached along z and y", Triple(-3, -3, -1)},

    // Layers of one and two dimensions; dimensions_test.cpp runs them as such.
    {1, 8, 16, 1, {1, 1, 9}, {1, 1, 3}, {1, 1, 2}, 0, 0, 1, "one row: ConvTranspose1d"},
    {1, 8, 16, 1, {1, 5, 9}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 0, 1, "one slice: ConvTranspose2d"},
    {1, 8, 4, 1, {1, 1, 9}, {1, 1, 16}, {1, 1, 8}, {0, 0, 4}, 0, 1, "k16 s8 p4: a vocoder's first layer"},
    {1, 2, 3, 1, {1, 1, 5}, {1, 1, 1024}, {1, 1, 256}, {0, 0, 384}, 0, 1, "k1024 s256: frames of sound to samples"},
    {2, 12, 20, 2, {1, 1, 33}, {1, 1, 5}, {1, 1, 3}, {0, 0, 2}, {0, 0, 1}, {1, 1, 2}, "one row, dilated, in groups"},
    {2, 40, 2, 1, {1, 1, 20}, {1, 1, 9}, {1, 1, 2}, {0, 0, 4}, {0, 0, 1}, 1, "one row, few output channels"},
    {1, 3, 3, 1, {1, 4, 5}, {1, 16, 16}, {1, 8, 8}, {0, 4, 4}, 0, 1, "k16 s8: the upsampling of FCN-8s"},
    {1, 2, 2, 2, {1, 1, 2}, {1, 64, 64}, {1, 32, 32}, {0, 16, 16}, 0, 1, "k64 s32: that of FCN-32s, depthwise"},
    {2, 6, 4, 2, {1, 4, 7}, {1, 3, 5}, {1, 2, 3}, {0, 1, 0}, {0, 1, 2}, {1, 1, 2}, "a slice, mixed", {}, without_bias},
    {1, 64, 32, 1, {1, 7, 9}, {1, 4, 4}, {1, 2, 2}, {0, 1, 1}, 0, 1, "one slice, k4 s2 p1: a generator of pictures"},
    {2, 16, 33, 1, {1, 3, 5}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 0, 1, "one slice, padding_end", Triple(0, 0, -3)},

    // Small extents.
    {2, 19, 35, 1, {4, 5, 6}, 1, 1, 0, 0, 1, "1x1x1 kernel: a matrix product"},
    {2, 8, 16, 1, 1, 3, 2, 0, 0, 1, "input of one position"},
    {2, 8, 16, 1, 1, 1, 1, 0, 0, 1, "input and kernel of one position"},
    {1, 8, 16, 1, {9, 1, 1}, 3, 2, 1, 1, 1, "one column, many slices"},
    {1, 8, 16, 1, {1, 9, 1}, 3, 2, 1, 1, 1, "one column, many rows"},
    {1, 8, 16, 1, 2, 3, 2, 2, 0, 1, "padding that leaves an output of one position"},
    {1, 4, 8, 1, 2, 5, 1, 0, 0, 1, "kernel larger than the input"},
    {1, 4, 8, 1, 2, 5, 3, 1, 2, 1, "kernel larger than the input, strided"},
    {1, 3, 5, 1, {3, 4, 5}, 7, 2, 3, 1, 1, "large kernel"},
    {1, 3, 5, 1, {2, 3, 4}, {2, 3, 11}, {1, 2, 3}, 0, 0, 1, "kernel long in x"},
    {1, 3, 5, 1, {2, 3, 4}, {9, 1, 2}, {2, 2, 1}, 0, 0, 1, "kernel long in z"},

    // Strides.
    {1, 7, 18, 1, {3, 4, 9}, 3, 3, 0, 0, 1, "stride 3"},
    {1, 7, 18, 1, {3, 4, 9}, 5, 3, 2, 1, 1, "stride 3, phases of one and two taps"},
    {1, 7, 18, 1, {2, 3, 9}, 5, 4, 1, 3, 1, "stride 4, output padding 3"},
    {1, 7, 18, 1, {2, 3, 5}, 6, 5, 0, 0, 1, "stride 5"},
    {1, 7, 18, 1, {2, 2, 3}, 9, 7, 1, 6, 1, "stride 7"},
    {1, 7, 18, 1, {3, 4, 9}, 3, {1, 2, 3}, 1, 0, 1, "a different stride in each dimension"},
    {1, 7, 18, 1, {3, 4, 9}, {4, 3, 2}, {3, 1, 2}, {1, 0, 1}, {2, 0, 1}, 1, "everything different in each dimension"},
    {1, 7, 18, 1, {3, 4, 19}, 3, {2, 2, 1}, 1, {1, 1, 0}, 1, "stride along z and y alone"},
    {1, 7, 18, 1, {3, 4, 19}, 3, {1, 1, 2}, 1, {0, 0, 1}, 1, "stride along x alone"},
    {1, 7, 18, 1, {3, 4, 9}, 3, {2, 1, 4}, 1, {0, 0, 3}, 1, "stride 4 along x alone, an empty phase"},

    // Padding.
    {1, 6, 12, 1, {9, 9, 11}, 3, 2, 4, 1, 1, "padding larger than the kernel: inputs at the border reach nothing"},
    {1, 6, 12, 1, {9, 9, 11}, 1, 1, {1, 2, 3}, 0, 1, "padding crops the output of a 1x1x1 kernel"},
    {1, 6, 12, 1, {4, 5, 6}, 3, 2, 3, 1, 1, "padding equal to the kernel"},
    {1, 6, 12, 1, {2, 3, 17}, {2, 2, 3}, {1, 1, 2}, {0, 0, 15}, 0, 1, "padding in x wider than a vector"},

    // Padding that differs at the two ends.
    {1, 12, 20, 1, {3, 4, 7}, 3, 2, 0, 0, 1, "k3 s2, cut at the end alone: TensorFlow's SAME", Triple(1)},
    {1, 12, 20, 1, {3, 4, 7}, 4, 2, {1, 0, 2}, 0, 1, "k4 s2: another padding at each end", Triple(0, 3, 1)},
    {2, 6, 8, 2, {4, 5, 9}, 5, {3, 2, 1}, {2, 4, 0}, {1, 0, 0}, {1, 2, 3}, "everything is different", Triple(3, 0, 7)},
    {1, 16, 33, 1, {5, 5, 9}, 1, 2, 0, 0, 1, "k1 s2 to the full grid: the outputs at the end are the bias", Triple(-1)},
    {2, 16, 16, 1, {3, 2, 5}, 3, 1, 1, 0, 1, "an output much longer than what the taps reach", Triple(-9, -20, -70)},
    {1, 16, 16, 1, {3, 2, 5}, 4, 2, 1, 0, 1, "the same, strided", Triple(-9, -20, -70)},
    {1, 16, 16, 1, {1, 2, 3}, 3, {2, 2, 1}, 1, 0, {5, 3, 4}, "the same, dilated, few inputs", Triple(-20, -9, -30)},
    {1, 64, 3, 1, {3, 2, 5}, 4, 2, 1, 0, 1, "the same, of few output channels", Triple(-9, -20, -70)},
    {1, 17, 17, 17, {3, 2, 5}, 3, {2, 1, 2}, 1, 0, 1, "the same, depthwise", Triple(-9, -20, -70)},
    {1, 6, 12, 1, {9, 9, 11}, 3, 2, 0, 0, 1, "cut at the end by more than the kernel", Triple(9, 11, 14)},
    {1, 6, 12, 1, {2, 3, 4}, 3, 2, {9, 0, 12}, 0, 1, "all taps are cut off: the bias alone", Triple(-9, -1, -20)},

    // Outputs added at the beginning, before any that a tap reaches.
    {1, 12, 20, 1, {3, 4, 7}, 3, 2, {-1, -2, -3}, 0, 1, "k3 s2, more outputs at the start", Triple(0, -1, 2)},
    {2, 6, 8, 2, {4, 5, 9}, 5, {3, 2, 1}, {-2, -4, -1}, {1, 0, 0}, {1, 2, 3}, "all of it", Triple(3, 0, 7)},
    {2, 16, 16, 1, {3, 2, 5}, 3, 1, {-9, -20, -70}, 0, 1, "long before what taps reach", Triple(1)},
    {1, 16, 16, 1, {3, 2, 5}, 4, 2, {-9, -20, -70}, 0, 1, "the same, strided, and after", Triple(-3)},
    {1, 16, 16, 1, {1, 2, 3}, 3, {2, 2, 1}, {-20, -9, -30}, 0, {5, 3, 4}, "the same, dilated", Triple(0)},
    {1, 64, 3, 1, {3, 2, 5}, 4, 2, {-9, -20, -70}, 0, 1, "the same, of few output channels", Triple(1)},
    {1, 17, 17, 17, {3, 2, 5}, 3, {2, 1, 2}, {-9, -20, -70}, 0, 1, "the same, depthwise", Triple(1)},
    {1, 6, 12, 1, {2, 3, 4}, 3, 2, {-9, -1, -20}, 0, 1, "all taps cut off: the bias alone", Triple(9, 0, 12)},
    {1, 64, 32, 1, {1, 7, 9}, {1, 4, 4}, {1, 2, 2}, {0, -1, -2}, 0, 1, "one slice", Triple(0, 1, 1)},
    {1, 3, 5, 1, {1, 1, 300}, {1, 1, 16}, {1, 1, 8}, {0, 0, -20}, 0, 1, "a long row", Triple(0, 0, 4)},
    {1, 3, 5, 1, {1, 1, 320}, {1, 1, 3}, {1, 1, 4}, {0, 0, -1}, 0, {1, 1, 3}, "a long row", Triple(0, 0, -2)},

    // Dilation: taps exist only where gcd(stride, dilation) divides.
    {1, 7, 18, 1, {3, 4, 9}, 3, 2, 2, 1, 2, "stride = dilation = 2: only even outputs have taps"},
    {1, 7, 18, 1, {3, 4, 9}, 3, 4, 1, 3, 2, "stride 4, dilation 2"},
    {1, 7, 18, 1, {3, 4, 9}, 3, 2, 1, 3, 4, "stride 2, dilation 4"},
    {1, 7, 18, 1, {2, 3, 5}, 4, 6, 1, 0, 4, "stride 6, dilation 4: gcd 2, neither divides the other"},
    {1, 7, 18, 1, {3, 4, 9}, 3, 2, 1, 0, 3, "stride 2, dilation 3: coprime"},
    {1, 7, 18, 1, {3, 4, 9}, 3, 3, 1, 2, 2, "stride 3, dilation 2: coprime"},
    {1, 7, 18, 1, {2, 3, 5}, 4, 5, 2, 1, 3, "stride 5, dilation 3: an inverse that is not 1 or -1"},
    {1, 7, 18, 1, {3, 4, 9}, 3, {2, 3, 1}, 1, 0, {3, 2, 4}, "dilations and strides mixed"},
    {1, 7, 18, 1, {3, 4, 9}, 3, {2, 3, 2}, 1, 0, {3, 2, 1}, "dilated along z and y alone"},
    {1, 7, 18, 1, {3, 4, 9}, 3, {1, 1, 2}, 1, 0, {1, 1, 2}, "dilated along x alone"},
    {1, 7, 18, 1, {6, 6, 20}, 3, 1, 2, 0, 2, "dilated, not strided"},
    {2, 2, 4, 2, 4, {4, 5, 6}, {3, 2, 1}, {1, 2, 3}, {2, 3, 1}, 4, "output padding from stride to dilation"},

    // Groups.
    {2, 8, 6, 2, {3, 4, 7}, 3, 2, 1, 1, 1, "two groups"},
    {1, 12, 51, 3, {3, 4, 7}, 3, 2, 1, 1, 1, "three groups of 17 output channels"},
    {1, 64, 64, 4, {2, 3, 4}, 3, 2, 1, 1, 1, "four groups of whole blocks"},
    {2, 16, 16, 16, {3, 4, 9}, 3, 2, 1, 1, 1, "depthwise"},
    {1, 17, 17, 17, {3, 4, 9}, 3, 1, 1, 0, 1, "depthwise, an odd number of channels, not strided"},
    {1, 33, 33, 33, {2, 3, 4}, 4, 2, 1, 0, 1, "depthwise, just above a block"},
    {1, 8, 16, 8, {3, 4, 9}, 3, 2, 1, 1, 1, "depthwise with two outputs for each input"},
    {1, 5, 15, 5, {3, 4, 9}, 3, {1, 2, 2}, 1, 0, 1, "depthwise with three outputs for each input"},
    {1, 16, 8, 8, {3, 4, 9}, 3, 2, 1, 1, 1, "eight groups of two inputs and one output"},
    {1, 6, 6, 3, {3, 4, 9}, 3, 2, 1, 1, 2, "groups, dilated"},

    // Numbers of channels around the widths of vectors and blocks; tails_test.cpp goes around every block of the
    // catalog.
    {2, 1, 24, 1, {3, 4, 9}, 3, 2, 1, 1, 1, "one input channel"},
    {2, 24, 1, 1, {3, 4, 9}, 3, 2, 1, 1, 1, "one output channel"},
    {1, 16, 2, 1, {3, 4, 17}, 4, 2, 1, 0, 1, "two output channels"},
    {1, 16, 3, 1, {3, 4, 17}, 4, 2, 1, 0, 1, "three output channels: pictures"},
    {1, 16, 4, 1, {3, 4, 17}, 4, 2, 1, 0, 1, "four output channels"},
    {1, 3, 7, 1, {3, 4, 5}, 3, 2, 1, 1, 1, "seven output channels"},
    {1, 15, 15, 1, {3, 4, 5}, 3, 2, 1, 1, 1, "15 channels"},
    {1, 17, 17, 1, {3, 4, 5}, 3, 2, 1, 1, 1, "17 channels"},
    {1, 9, 31, 1, {3, 4, 5}, 3, 2, 1, 1, 1, "31 output channels"},
    {1, 9, 48, 1, {3, 4, 5}, 3, 2, 1, 1, 1, "48 output channels"},
    {1, 9, 63, 1, {2, 3, 4}, 3, 2, 1, 1, 1, "63 output channels"},
    {1, 9, 65, 1, {2, 3, 4}, 3, 2, 1, 1, 1, "65 output channels"},
    {1, 9, 130, 1, {2, 3, 4}, 2, 2, 0, 0, 1, "130 output channels"},
    {1, 257, 5, 1, {2, 3, 4}, 2, 2, 0, 0, 1, "257 input channels"},

    // One long row, which the library computes as several, of 64 inputs or more.
    {2, 3, 5, 1, {1, 1, 300}, {1, 1, 16}, {1, 1, 8}, {0, 0, 4}, 0, 1, "a long row: k16 s8 p4, as vocoders have"},
    {1, 3, 5, 1, {1, 1, 256}, {1, 1, 4}, {1, 1, 2}, {0, 0, 1}, 0, 1, "a long row of whole pieces"},
    {1, 6, 4, 2, {1, 1, 257}, {1, 1, 7}, 1, {0, 0, 3}, 0, 1, "a long row, groups, not strided"},
    {1, 3, 5, 1, {1, 1, 200}, {1, 1, 3}, {1, 1, 3}, 0, {0, 0, 2}, 1, "a long row, k = s: rows share no input"},
    {1, 3, 5, 1, {1, 1, 320}, {1, 1, 3}, {1, 1, 4}, {0, 0, 9}, {0, 0, 3}, {1, 1, 3}, "a long row, dilated"},
    {1, 2, 3, 1, {1, 1, 400}, {1, 1, 40}, {1, 1, 3}, 0, 0, {1, 1, 2}, "a long row, pieces reach far into others"},
    {1, 4, 4, 4, {1, 1, 333}, {1, 1, 5}, {1, 1, 2}, {0, 0, 2}, {0, 0, 1}, 1, "a long row, depthwise"},

    // Widths and batches.
    {1, 4, 5, 1, {2, 2, 31}, 3, 2, 1, 1, 1, "width 31"},
    {1, 4, 5, 1, {2, 2, 33}, 3, 2, 1, 1, 1, "width 33"},
    {1, 4, 5, 1, {2, 2, 100}, 3, 2, 1, 1, 1, "several tiles and a tail"},
    {1, 4, 5, 1, {2, 2, 97}, 3, 1, 1, 0, 1, "several tiles and a tail, not strided"},
    {3, 8, 16, 1, {3, 4, 5}, 3, 2, 1, 1, 1, "batch of three"},
    {7, 4, 4, 2, {1, 2, 3}, 2, 2, 0, 0, 1, "batch of seven, groups"},
    {2, 128, 64, 1, 2, 4, 2, 1, 0, 1, "few positions, many channels: the first layer of a generator"},
    {1, 256, 128, 1, 1, 4, 1, 0, 0, 1, "one position, many channels: a latent vector unfolded"},
};

// Problems of every stride with every dilation from 1 to 4.
inline std::vector<Problem> stride_dilation_sweep() {
    std::vector<Problem> sweep;
    for (int64_t stride = 1; stride <= 4; stride++) {
        for (int64_t dilation = 1; dilation <= 4; dilation++) {
            sweep.push_back({1, 3, 5, 1, {2, 3, 5}, {2, 3, 4}, stride, {0, 1, 2}, 0, dilation, "stride x dilation"});
        }
    }
    return sweep;
}

}  // namespace unstride::tests

#endif

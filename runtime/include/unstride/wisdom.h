#ifndef UNSTRIDE_WISDOM_H
#define UNSTRIDE_WISDOM_H

#include <cstdint>
#include <string>
#include <vector>

#include "unstride/conv_transpose.h"

namespace unstride {

// Wisdom, a word of FFTW's, is what was measured to be fastest. Where the process has wisdom for an operator of a
// layer, an input and a number of threads, the planner takes the variant and the split that won the measurement,
// instead of those for which it estimates the least time. Results stay the same, bit for bit.
//
// `unstride tune` measures, and writes wisdom files; layers measure for the wisdom of their process where they are told
// to (Planning::remember). A process starts with the wisdom of the file that the environment variable UNSTRIDE_WISDOM
// names, if it is set and not empty, and says on standard error if something is wrong with that file. All functions may
// be called in any thread.

// The fastest variant and split for one operator of a layer and its input. Wisdom ignores the layer's bias,
// padding_mode and weights, and takes a layer of one or two dimensions for the layer of three whose other sizes are 1.
// Of a bias gradient only the output's size matters. The input gradient of a layer whose strides are 1 is the forward
// of another layer, with which it shares its winner.
struct WisdomEntry {
    ConvTranspose3dOptions options;
    Shape input_shape;
    Shape output_size;  // the argument of ConvTranspose::output_shape; may be empty
    Layout layout = Layout::ncdhw;
    int threads = 1;
    std::string variant;
    // As in Plan: from 1 to the output's height, or to the number of rows into which the variant cuts a single long
    // row; 0 where tasks have no rows.
    int64_t rows_per_task = 1;
    double seconds = 0;      // measured time of a call
    int64_t candidates = 1;  // number of variants and splits that were measured
    Types types = {};
    Operator op = Operator::forward;
};

// Adds an entry that was measured on this machine, in place of an earlier one for the same operator, layer, input and
// number of threads. Throws InvalidArgument for a layer, input or split that cannot be, for a variant that this build
// does not have or that cannot run here, and for a variant that rounds otherwise than those that the planner would
// take.
void add_wisdom(const WisdomEntry &entry);

// What was read from a file or text, and what was wrong with it. Mistakes in a file or text do not throw: each line is
// judged by itself, the good ones are taken, and the others are ignored and listed here.
struct WisdomReport {
    bool found = false;                 // whether the file could be read
    bool is_wisdom = false;             // whether the first line says that this is wisdom in the version of this build
    int64_t entries = 0;                // number of entries that were taken
    int64_t other_machines = 0;         // number of entries of other machines, not used but kept for wisdom_text
    std::vector<std::string> problems;  // what was ignored, and why: "line 3: ..."

    // All that a user should know, in one line without a line break; empty if nothing is wrong.
    std::string summary() const;
};

// Add the wisdom of a file or a text to that of the process. Where both have an entry for the same layer, input and
// threads, the new one replaces the old. The file must be a regular one, or /dev/null, which counts as wisdom without
// entries.
WisdomReport load_wisdom(const std::string &path);
WisdomReport read_wisdom(const std::string &text);

// Returns all wisdom of the process as a text for read_wisdom and for files:
//
//   unstride wisdom 1
//   unstride=0.1.0 cpu="..." isa=avx2 threads=2 dtype=f32 layout=ncdhw batch=1 ... variant=... rows=8 ...
//   crc32=89abcdef
//
// An entry of another operator than forward has op=..., such as op=weight_gradient, after the instruction set.
//
// Each entry is a line with a checksum of its own, so that damage to one line leaves the others usable. The format is
// not JSON so that reading it takes no library, and so that each entry has exactly one form, which the reader insists
// on.
std::string wisdom_text();

// Drops all wisdom of the process, that of the file of UNSTRIDE_WISDOM too.
void forget_wisdom();

// Returns the path of the file where the command line keeps wisdom: the one that UNSTRIDE_WISDOM names, or else
// unstride/wisdom in the user's folder for configuration, which is $XDG_CONFIG_HOME or ~/.config. It is empty if there
// is no such folder. The library itself only reads the file of UNSTRIDE_WISDOM.
std::string default_wisdom_path();

}  // namespace unstride

#endif

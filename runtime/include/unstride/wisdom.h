#ifndef UNSTRIDE_WISDOM_H
#define UNSTRIDE_WISDOM_H

#include <cstdint>
#include <string>
#include <vector>

#include "unstride/conv_transpose.h"

namespace unstride {

// What was measured to be fastest, as FFTW's wisdom: where the process has wisdom for a layer, an input and a number of
// threads, the planner takes the variant and the split that won instead of the ones it expects to. Results stay the
// same, bit for bit.
//
// `unstride tune` measures and writes wisdom files. A process starts with the file that the environment variable
// UNSTRIDE_WISDOM names, if it is set and not empty, and says on standard error if there is something wrong with it.
// All of this may be called in any thread.

// One winner. Throughout, the layer's bias, padding_mode and weights do not matter, and one of one or two dimensions is
// the same as one of three with sizes of 1.
struct WisdomEntry {
    ConvTranspose3dOptions options;
    Shape input_shape;
    Shape output_size;  // as in ConvTranspose::output_shape
    Layout layout = Layout::ncdhw;
    int threads = 1;
    std::string variant;
    int64_t rows_per_task = 1;  // up to the output's height
    double seconds = 0;         // that a forward took
    int64_t candidates = 1;     // variants and splits that were measured
    Types types = {};
};

// Adds a winner of this machine, in place of an earlier one for the same layer, input and threads. Throws
// InvalidArgument for a layer, input or split that does not exist, a variant that this build lacks or that cannot run
// here, and one that rounds unlike those that the planner takes.
void add_wisdom(const WisdomEntry &entry);

// What became of a file or text. Nothing that is wrong in it throws: what is good is taken, each line by itself, and
// the rest is ignored and listed here.
struct WisdomReport {
    bool found = false;                 // whether the file could be read
    bool is_wisdom = false;             // whether it is wisdom in the version of this build, as its first line says
    int64_t entries = 0;                // winners taken
    int64_t other_machines = 0;         // winners of other machines: not used, but kept for wisdom_text
    std::vector<std::string> problems;  // what was ignored, and why: "line 3: ..."

    // All that a user should know in one line without a line break; empty if all is well.
    std::string summary() const;
};

// Adds what a file or a text holds to the wisdom of the process; it wins over what is there. The file is a regular one,
// or /dev/null, which is wisdom with nothing in it.
WisdomReport load_wisdom(const std::string &path);
WisdomReport read_wisdom(const std::string &text);

// All wisdom of the process as a text for read_wisdom, and for files:
//
//   unstride wisdom 1
//   unstride=0.1.0 cpu="..." isa=avx2 threads=2 dtype=f32 layout=ncdhw batch=1 ... variant=... rows=8 ...
//   crc32=89abcdef
//
// One line a winner, with its own checksum, so that damage to one does not touch the others. Not JSON: reading it takes
// no library, and every line has exactly one form, which the reader insists on.
std::string wisdom_text();

// Drops all wisdom, that of UNSTRIDE_WISDOM too.
void forget_wisdom();

// Where the command line keeps wisdom: the file that UNSTRIDE_WISDOM names, or else unstride/wisdom in the user's
// folder for configuration, $XDG_CONFIG_HOME or ~/.config. Empty if there is none. The library itself reads only the
// former.
std::string default_wisdom_path();

}  // namespace unstride

#endif

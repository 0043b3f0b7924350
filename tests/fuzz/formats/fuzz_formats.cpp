// Reads texts and files that are not what they should be: each is taken or refused with an error, and what is taken is
// written again as it was. The first byte of an input says what it is; replay.cpp and libFuzzer bring inputs.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/layers.h"
#include "tools/files/npy.h"
#include "tools/files/npy_header.h"
#include "tools/files/text.h"
#include "unstride/unstride.h"

namespace unstride::tests {
namespace {

void require(bool condition, const char *what) {
    if (!condition) {
        std::fprintf(stderr, "%s\n", what);
        std::abort();
    }
}

void read_npy_header(std::string_view text) {
    tools::NpyHeader header;
    try {
        header = tools::parse_npy_header(text);
    } catch (const std::runtime_error &) {
        return;
    }
    const std::string again =
        "{'descr': '<f4', 'fortran_order': False, 'shape': " + tools::shape_text(header.sizes) + "}";
    require(tools::parse_npy_header(again).sizes == header.sizes, "a shape is not read as it is written");
}

// A file that has a name, but no place in a folder.
class NamelessFile {
public:
    explicit NamelessFile(std::string_view bytes) : descriptor_(memfd_create("fuzz", 0)) {
        require(descriptor_ >= 0 &&
                    write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
                "there is no file for the input");
    }
    ~NamelessFile() {
        close(descriptor_);
    }
    NamelessFile(const NamelessFile &) = delete;
    NamelessFile &operator=(const NamelessFile &) = delete;

    std::string path() const {
        return "/proc/self/fd/" + std::to_string(descriptor_);
    }

private:
    int descriptor_;
};

void read_npy_file(std::string_view bytes) {
    const NamelessFile file(bytes);
    try {
        const tools::NpyArray array = tools::read_npy(file.path());
        auto expected = static_cast<size_t>(size_of(array.dtype));
        for (const int64_t size : array.sizes) {
            expected *= static_cast<size_t>(size);
        }
        require(array.strides.size() == array.sizes.size(), "an array has not one stride for each of its sizes");
        // Pages behind the end of a file end the process, so all that the shape promises is read.
        const std::string_view elements(static_cast<const char *>(array.values.get()), expected);
        require(std::string(elements) == elements, "an array changes while it is read");
    } catch (const std::runtime_error &) {
    }
}

void read_any_wisdom(std::string_view text) {
    const WisdomReport report = read_wisdom(std::string(text));
    require(report.summary().find('\n') == std::string::npos, "a summary has several lines");
    wisdom_text();
    forget_wisdom();
}

// The CRC-32 of zip and PNG, in hexadecimal digits.
std::string checksum(std::string_view text) {
    uint32_t crc = ~uint32_t{0};
    for (const char c : text) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
        }
    }
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(~crc));
    return digits;
}

// What every line of wisdom of this machine begins with.
const std::string &beginning_of_lines() {
    static const std::string beginning = [] {
        const ConvTranspose3dOptions options{16, 16, 2, 2};
        const Shape input{1, 16, 4, 8, 8};
        const Plan plan = ConvTranspose3d(options).plan(input, Layout::ncdhw);
        forget_wisdom();
        add_wisdom({options, input, {}, Layout::ncdhw, 1, plan.variant.name, 1, 1e-3});
        const std::string text = wisdom_text();
        forget_wisdom();
        const size_t first = text.find('\n') + 1;
        return text.substr(first, text.find("threads=") - first);
    }();
    return beginning;
}

// A line whose machine and checksum are right.
void read_wisdom_line(std::string_view text) {
    std::string line = beginning_of_lines() + std::string(text);
    line += " crc32=" + checksum(line);
    const WisdomReport report = read_wisdom("unstride wisdom 1\n" + line + "\n");
    if (report.entries == 1 && line.find('\n') == std::string::npos) {
        require(wisdom_text().find("\n" + line + "\n") != std::string::npos, "a line is not written as it was read");
    }
    forget_wisdom();
}

void read_layer_table(std::string_view text) {
    try {
        for (const bench::Layer &layer : bench::parse_layers(std::string(text))) {
            const int64_t channels = layer.options.in_channels;
            require(layer.input_size.size() == 5 && layer.input_size[1] == channels, "a layer has another input");
        }
    } catch (const InvalidArgument &) {
    }
}

void read_type_names(std::string_view text) {
    try {
        require(to_string(parse_types(std::string(text))) == text, "types have another name");
    } catch (const InvalidArgument &) {
    }
}

using Read = void (*)(std::string_view);

// The place of each is the first byte of its inputs.
constexpr Read all[] = {read_npy_header,  read_npy_file,    read_any_wisdom,
                        read_wisdom_line, read_layer_table, read_type_names};

}  // namespace
}  // namespace unstride::tests

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count > 0 && *bytes < std::size(unstride::tests::all)) {
        unstride::tests::all[*bytes]({reinterpret_cast<const char *>(bytes) + 1, count - 1});
    }
    return 0;
}

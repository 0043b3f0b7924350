#include "npy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <stdexcept>

#include "npy_header.h"
#include "text.h"

namespace unstride::tools {

namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files' numbers are used as they are");

constexpr char magic[] = "\x93NUMPY";
constexpr size_t magic_bytes = 6;
constexpr const char *loaded_bf16 = "|V2";

// Returns the text that stands for a type in a header, as its "descr".
const char *descr_of(DType dtype) {
    switch (dtype) {
    case DType::f32:
        return "<f4";
    case DType::f64:
        return "<f8";
    case DType::f16:
        return "<f2";
    case DType::bf16:
        return "<V2";
    }
    return "";
}

DType dtype_of_descr(const std::string &descr) {
    std::string known;
    for (const DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
        if (descr == descr_of(dtype)) {
            return dtype;
        }
        known += (known.empty() ? "" : ", ") + std::string(to_string(dtype)) + " ('" + descr_of(dtype) + "')";
    }
    if (descr == loaded_bf16) {
        return DType::bf16;
    }
    throw std::runtime_error("its dtype is '" + descr + "', but one of " + known + " is needed");
}

// A file in memory, from its beginning to its end.
class Reader {
public:
    explicit Reader(const std::string &path) {
        std::error_code error;
        const bool regular = std::filesystem::is_regular_file(path, error);
        if (error) {
            throw std::runtime_error(error.message());
        }
        if (!regular) {  // opening a directory succeeds, and opening a pipe waits
            throw std::runtime_error("not a regular file");
        }
        const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat status {};
        if (file == -1 || fstat(file, &status) != 0) {
            throw std::runtime_error(std::strerror(errno));
        }
        left_ = static_cast<uint64_t>(status.st_size);
        if (left_ > 0) {
            void *const pages = mmap(nullptr, left_, PROT_READ, MAP_PRIVATE, file, 0);
            const int mapping_error = errno;
            close(file);
            if (pages == MAP_FAILED) {
                throw std::runtime_error(std::strerror(mapping_error));
            }
            pages_.reset(pages, [bytes = left_](void *p) { munmap(p, bytes); });
        } else {
            close(file);
        }
    }

    void read(void *data, size_t bytes, const char *what) {
        if (bytes > left_) {
            throw std::runtime_error(std::string("truncated in its ") + what);
        }
        if (bytes > 0) {
            std::memcpy(data, here(), bytes);
        }
        at_ += bytes;
        left_ -= bytes;
    }

    // Returns how many bytes there are from here to the end of the file.
    uint64_t left() const {
        return left_;
    }

    // Returns the bytes from here on, for as long as somebody has them.
    std::shared_ptr<const void> rest() const {
        return {pages_, here()};
    }

private:
    const char *here() const {
        return static_cast<const char *>(pages_.get()) + at_;
    }

    std::shared_ptr<void> pages_;
    uint64_t at_ = 0, left_ = 0;
};

std::shared_ptr<void> allocate(uint64_t bytes) {
    return {::operator new(bytes), [](void *p) { ::operator delete(p); }};
}

// Returns the strides of dense elements, the innermost dimension first or last.
std::vector<int64_t> strides_of(const std::vector<int64_t> &sizes, bool fortran_order) {
    std::vector<int64_t> strides(sizes.size());
    int64_t stride = 1;
    for (size_t i = 0; i < sizes.size(); i++) {
        const size_t d = fortran_order ? i : sizes.size() - 1 - i;
        strides[d] = stride;
        stride *= std::max<int64_t>(sizes[d], 1);
    }
    return strides;
}

NpyHeader read_header(Reader &reader) {
    unsigned char start[magic_bytes + 2] = {};
    if (reader.left() >= sizeof start) {
        reader.read(start, sizeof start, "magic string");
    }
    if (std::memcmp(start, magic, magic_bytes) != 0) {
        throw std::runtime_error("not a .npy file");
    }
    const int major = start[magic_bytes], minor = start[magic_bytes + 1];
    if (major < 1 || major > 3 || minor != 0) {
        throw std::runtime_error("unknown .npy version " + std::to_string(major) + "." + std::to_string(minor));
    }
    unsigned char length_bytes[4] = {};
    reader.read(length_bytes, major == 1 ? 2 : 4, "header");
    const uint32_t length =
        length_bytes[0] | length_bytes[1] << 8 | length_bytes[2] << 16 | static_cast<uint32_t>(length_bytes[3]) << 24;
    if (length > reader.left()) {
        throw std::runtime_error("truncated in its header");
    }
    std::string text(length, '\0');
    reader.read(text.data(), text.size(), "header");
    return parse_npy_header(text);
}

NpyArray read_array(const std::string &path) {
    Reader reader(path);
    const NpyHeader header = read_header(reader);
    const DType dtype = dtype_of_descr(header.dtype);
    auto bytes = static_cast<uint64_t>(size_of(dtype));
    for (int64_t size : header.sizes) {
        if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) {
            throw std::runtime_error("its shape " + shape_text(header.sizes) + " is too large");
        }
    }
    if (bytes != reader.left()) {
        throw std::runtime_error((bytes > reader.left() ? "truncated: " : "too long: ") + std::string("its shape ") +
                                 shape_text(header.sizes) + " takes " + std::to_string(bytes) +
                                 " bytes of data, but there are " + std::to_string(reader.left()));
    }
    NpyArray array{dtype, header.sizes, strides_of(header.sizes, header.fortran_order), reader.rest()};
    if (reinterpret_cast<uintptr_t>(array.values.get()) % static_cast<uintptr_t>(size_of(dtype)) != 0) {
        // Only headers that NumPy does not write are of such a length.
        const std::shared_ptr<void> aligned = allocate(bytes);
        reader.read(aligned.get(), bytes, "data");
        array.values = aligned;
    }
    return array;
}

}  // namespace

NpyArray read_npy(const std::string &path) {
    try {
        return read_array(path);
    } catch (const std::runtime_error &e) {
        throw std::runtime_error(path + ": " + e.what());
    }
}

NpyArray in_c_order(const NpyArray &array) {
    NpyArray result = array;
    result.strides = strides_of(array.sizes, false);
    if (result.strides == array.strides) {
        return result;
    }
    const auto bytes = static_cast<size_t>(size_of(array.dtype));
    size_t count = 1;
    for (const int64_t size : array.sizes) {
        count *= static_cast<size_t>(size);
    }
    const std::shared_ptr<void> values = allocate(count * bytes);
    for (size_t i = 0; i < count; i++) {
        int64_t rest = static_cast<int64_t>(i), from = 0;
        for (size_t d = array.sizes.size(); d-- > 0; rest /= array.sizes[d]) {
            from += rest % array.sizes[d] * array.strides[d];
        }
        std::memcpy(static_cast<char *>(values.get()) + i * bytes,
                    static_cast<const char *>(array.values.get()) + static_cast<size_t>(from) * bytes, bytes);
    }
    result.values = values;
    return result;
}

namespace {

// Writes what is before the elements, and returns how many bytes these have.
size_t write_header(OutputFile &file, const std::vector<int64_t> &sizes, DType dtype) {
    std::string header = std::string("{'descr': '") + descr_of(dtype) +
                         "', 'fortran_order': False, 'shape': " + shape_text(sizes) + ", }";
    // In version 1.0 the length has two bytes. Spaces make the data begin at a multiple of 64.
    const size_t before = magic_bytes + 2 + 2;
    header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
    header += '\n';
    const unsigned char version_and_length[] = {1, 0, static_cast<unsigned char>(header.size() & 0xff),
                                                static_cast<unsigned char>(header.size() >> 8)};
    auto bytes = static_cast<size_t>(size_of(dtype));
    for (int64_t size : sizes) {
        bytes *= static_cast<size_t>(size);
    }
    file.write(magic, magic_bytes);
    file.write(version_and_length, sizeof version_and_length);
    file.write(header.data(), header.size());
    return bytes;
}

}  // namespace

void write_npy(OutputFile &file, const std::vector<int64_t> &sizes, DType dtype, const void *values) {
    const size_t bytes = write_header(file, sizes, dtype);
    file.write(values, bytes);
}

void *map_npy(OutputFile &file, const std::vector<int64_t> &sizes, DType dtype) {
    return file.map(write_header(file, sizes, dtype));
}

}  // namespace unstride::tools

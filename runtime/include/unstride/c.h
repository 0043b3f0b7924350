#ifndef UNSTRIDE_C_H
#define UNSTRIDE_C_H

// The library for C, and for all languages that call C: transposed convolutions with the semantics of
// torch.nn.ConvTranspose1d, 2d and 3d, and their gradients. unstride/conv_transpose.h says what each computes; this
// header says how it is called.
//
// Whatever can fail returns a status, and never throws. Null pointers are refused, except where a comment allows them.
// Strings end in a zero. Those that the library returns as pointers belong to it, and stay as long as it is loaded.
// Those that it writes into memory of the caller's are cut where that ends.
//
// A struct that begins with `size` may get more fields at its end in later versions. The caller sets `size` to the
// sizeof of the struct that it was compiled with. Options that are 0, or that a shorter struct lacks, have their
// default, and a longer struct is refused if an option that this version does not know is not 0. Of structs that the
// library fills, a shorter one gets the fields that it has, and the rest of a longer one becomes 0.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ------------------------------------------------------------------------------------------------ status

typedef int32_t unstride_status;
enum {
    UNSTRIDE_OK = 0,
    UNSTRIDE_INVALID_ARGUMENT = 1,  // not an argument that the function can take; nothing was written
    UNSTRIDE_OUT_OF_MEMORY = 2,     // no memory is left in the process or on the GPU; the layer stays usable
    UNSTRIDE_DEVICE_ERROR = 3,      // the GPU is not there, has no driver, or is one without kernels
    UNSTRIDE_KERNEL_ERROR = 4,      // a kernel failed
    UNSTRIDE_INTERNAL_ERROR = 5     // anything else
};

// Returns what went wrong in the last call of the calling thread that failed, with PyTorch's text where PyTorch refuses
// the same; empty if none has failed yet. The string stays until another call of this thread fails, or the thread ends.
const char *unstride_last_error(void);

// Returns the version of the library, as "0.1.0".
const char *unstride_version(void);

// ------------------------------------------------------------------------------------------------ constants

// The type of an array's elements. The bytes are those of DLPack's DLDataType: code, bits and, in two bytes, lanes.
typedef int32_t unstride_dtype;
enum { UNSTRIDE_F32 = 0x12002, UNSTRIDE_F64 = 0x14002, UNSTRIDE_F16 = 0x11002, UNSTRIDE_BF16 = 0x11004 };

// Where a layer computes. The numbers are DLPack's.
typedef int32_t unstride_device;
enum { UNSTRIDE_CPU = 1, UNSTRIDE_CUDA = 2, UNSTRIDE_OPENCL = 4 };

// The order of an array's elements in memory.
typedef int32_t unstride_layout;
enum {
    UNSTRIDE_NCDHW = 0,  // columns are dense: PyTorch's contiguous format
    UNSTRIDE_NDHWC = 1   // channels are dense: PyTorch's channels_last and channels_last_3d
};

typedef int32_t unstride_operator;
enum { UNSTRIDE_FORWARD = 0, UNSTRIDE_INPUT_GRADIENT = 1, UNSTRIDE_WEIGHT_GRADIENT = 2, UNSTRIDE_BIAS_GRADIENT = 3 };

// What becomes of the numbers that are in the memory of a gradient.
typedef int32_t unstride_update;
enum {
    UNSTRIDE_REPLACE = 0,    // the gradient takes their place
    UNSTRIDE_ACCUMULATE = 1  // the gradient is added to them
};

// How a layer on the CPU finds its kernels (unstride/planning.h).
typedef int32_t unstride_planning;
enum {
    UNSTRIDE_ESTIMATE = 0,  // by the least estimated time
    UNSTRIDE_MEASURE = 1,   // by the least time of the layer's first calls
    UNSTRIDE_REMEMBER = 2   // as that, and what was measured goes into the wisdom of the process
};

// A function that forward applies to each output v, after bias and residual are added, with its parameters
// (unstride/activation.h).
typedef int32_t unstride_activation;
enum {
    UNSTRIDE_NO_ACTIVATION = 0,
    UNSTRIDE_RELU = 1,
    UNSTRIDE_LEAKY_RELU = 2,  // the slope below 0, or none for 0.01
    UNSTRIDE_PRELU = 3,       // a slope for all channels, or one for each
    UNSTRIDE_ELU = 4,         // alpha, or none for 1
    UNSTRIDE_SILU = 5,
    UNSTRIDE_GELU = 6,
    UNSTRIDE_GELU_TANH = 7,
    UNSTRIDE_TANH = 8,
    UNSTRIDE_SIGMOID = 9,
    UNSTRIDE_CLAMP = 10  // the lowest and the highest value
};

// ------------------------------------------------------------------------------------------------ arrays

// Somebody's array, with the fields of DLPack's DLTensor in the same places: a pointer to a DLTensor may be cast to a
// pointer to this. The elements that functions write are those of arrays called output or grad_..., or of get_weight
// and get_bias; all others are only read.
typedef struct unstride_array {
    void *data;              // may be null if the array has no elements
    int32_t device_type;     // whose memory it is: UNSTRIDE_CPU or 0 for the process's, UNSTRIDE_CUDA for that of a GPU
    int32_t device_id;       // ignored: the GPU is that of the thread's current CUDA context
    int32_t ndim;            // number of sizes and of strides
    unstride_dtype dtype;    // type of the elements
    const int64_t *sizes;    // outermost dimension first: (N, C, D, H, W) or (C, D, H, W), whatever the layout
    const int64_t *strides;  // in elements; null for a dense array whose last dimension is the innermost
    uint64_t byte_offset;    // from `data` to the first element
} unstride_array;

// ------------------------------------------------------------------------------------------------ layers

// A layer. Functions that take it as const may run in several threads at once on one layer; the others need the layer
// to themselves. Results are the same, bit for bit, from run to run and for any number of threads.
typedef struct unstride_layer unstride_layer;

// The parameters of torch.nn.ConvTranspose1d, 2d or 3d. Where there are three numbers, a layer of three dimensions of
// space has them for depth, height and width; one of two dimensions has the first two, for height and width; one of one
// dimension has the first. What is left over must be 0.
typedef struct unstride_layer_options {
    size_t size;
    int32_t spatial;       // number of dimensions of space, 1 to 3; 0 for 3
    int32_t without_bias;  // 1 for a layer that has no bias
    int64_t in_channels;
    int64_t out_channels;
    int64_t kernel_size[3];
    int64_t stride[3];  // 0 for 1
    int64_t padding[3];
    int64_t output_padding[3];
    int64_t dilation[3];         // 0 for 1
    int64_t groups;              // 0 for 1
    const int64_t *padding_end;  // `spatial` numbers: what is cut off at the end, if it is not `padding`; may be null
    int32_t zero_weights;        // 1 for weights and bias of 0, which takes less time where they are to be set anyway
    int32_t reserved;            // 0
} unstride_layer_options;

// Makes a layer, with the weights of unstride_layer_reset_parameters(layer, 0) or zeros, and destroys it. No call may
// run on a layer when it is destroyed; a null pointer is none.
unstride_status unstride_layer_create(const unstride_layer_options *options, unstride_layer **layer);
void unstride_layer_destroy(unstride_layer *layer);

// Sets weight and bias to the values that `torch.manual_seed(seed)` and the module's constructor give them.
unstride_status unstride_layer_reset_parameters(unstride_layer *layer, uint64_t seed);

// Set and get the weight, of shape (in_channels, out_channels / groups, kernel size...), and the bias, (out_channels),
// as arrays in the process's memory, of any type and with any strides.
unstride_status unstride_layer_set_weight(unstride_layer *layer, const unstride_array *weight);
unstride_status unstride_layer_set_bias(unstride_layer *layer, const unstride_array *bias);
unstride_status unstride_layer_get_weight(const unstride_layer *layer, const unstride_array *weight);
unstride_status unstride_layer_get_bias(const unstride_layer *layer, const unstride_array *bias);

// Sets the activation of forward, with as many parameters as it takes; `parameters` may be null if they are none.
unstride_status unstride_layer_set_activation(unstride_layer *layer, unstride_activation activation,
                                              const double *parameters, int64_t parameter_count);

// Sets the device. A new layer is on the CPU. See ConvTranspose::set_device.
unstride_status unstride_layer_set_device(unstride_layer *layer, unstride_device device);

// Forces a variant, for tasks of at most `rows_per_task` rows, 0 of which leave that to the planner. A name that is
// null or empty leaves it all. See ConvTranspose::set_variant.
unstride_status unstride_layer_set_variant(unstride_layer *layer, const char *name, int64_t rows_per_task);

unstride_status unstride_layer_set_planning(unstride_layer *layer, unstride_planning planning);

// Writes the sizes of the output for an input of `ndim` sizes. There are as many of them, at most 5. `output_size` is
// PyTorch's argument of forward, in place of the output padding: the sizes in space, or all sizes; null for none.
unstride_status unstride_layer_output_shape(const unstride_layer *layer, const int64_t *input_sizes, int32_t ndim,
                                            const int64_t *output_size, int32_t output_size_count,
                                            int64_t *output_sizes);

// ------------------------------------------------------------------------------------------------ calls

// A function of an app that has a pool of threads. It calls share(closure) in the calling thread and, at the same time,
// in up to `count` - 1 others, and returns when all of these calls have returned. There may be fewer calls than
// `count`, as each of them takes work for as long as there is some. Two pools in turns wait for each other's threads to
// sleep.
typedef void (*unstride_run_in_threads)(int32_t count, void (*share)(void *closure), void *closure);

// How a call runs.
typedef struct unstride_call_options {
    size_t size;

    // The CUstream or cudaStream_t of a call whose arrays all have device_type UNSTRIDE_CUDA; null for the default
    // stream of the thread's current context. The work is queued there, and the function does not wait for it.
    void *cuda_stream;

    // What runs the call on the CPU in place of the library's own threads; null for these.
    unstride_run_in_threads run_in_threads;
    int32_t threads;   // the number of threads of this call, 1 to 256; 0 for unstride_num_threads
    int32_t reserved;  // 0
} unstride_call_options;

// Compute what ConvTranspose's functions of these names do, into arrays of the caller's. The output's sizes choose the
// output padding. A residual, which may be the output itself, is added before the activation. `residual` and `options`
// may be null. All arrays are in the process's memory, for a layer on a GPU too, or all on the GPU of CUDA.
unstride_status unstride_layer_forward(const unstride_layer *layer, const unstride_array *input,
                                       const unstride_array *output, const unstride_array *residual,
                                       const unstride_call_options *options);
unstride_status unstride_layer_input_gradient(const unstride_layer *layer, const unstride_array *grad_output,
                                              const unstride_array *grad_input, unstride_update update,
                                              const unstride_call_options *options);
unstride_status unstride_layer_weight_gradient(const unstride_layer *layer, const unstride_array *input,
                                               const unstride_array *grad_output, const unstride_array *grad_weight,
                                               unstride_update update, const unstride_call_options *options);
unstride_status unstride_layer_bias_gradient(const unstride_layer *layer, const unstride_array *grad_output,
                                             const unstride_array *grad_bias, unstride_update update,
                                             const unstride_call_options *options);

// ------------------------------------------------------------------------------------------------ blocks

// A block of the outputs of a whole input, which may be larger than memory. See ConvTranspose::halo and forward_block.
typedef struct unstride_block {
    size_t size;
    const int64_t *input_sizes;  // of the whole input, as many as `ndim`
    const int64_t *output_size;  // as in unstride_layer_output_shape; may be null
    int32_t ndim;
    int32_t output_size_count;
    int64_t begin[3];  // the first output in each dimension of space, and the one behind the last; as in
    int64_t end[3];    // unstride_layer_options, what is left over must be 0
} unstride_block;

// Writes, for each dimension of space, where the inputs begin and end that a block depends on.
unstride_status unstride_layer_halo(const unstride_layer *layer, const unstride_block *block, int64_t *input_begin,
                                    int64_t *input_end);

// Computes a block from these inputs alone, with the bits of the whole. `residual`, which may be null, is the part of a
// residual that is added to the block. All arrays are in the process's memory.
unstride_status unstride_layer_forward_block(const unstride_layer *layer, const unstride_block *block,
                                             const unstride_array *input, const unstride_array *output,
                                             const unstride_array *residual);

// ------------------------------------------------------------------------------------------------ plans

typedef struct unstride_plan_options {
    size_t size;
    unstride_operator op;
    unstride_layout layout;
    unstride_dtype input_dtype;   // 0 for f32
    unstride_dtype output_dtype;  // 0 for that of the input
    const int64_t *output_size;   // as in unstride_layer_output_shape; may be null
    int64_t output_size_count;
} unstride_plan_options;

// What runs for a layer and an input, and why. unstride/variants.h has what the fields of `Plan` mean.
typedef struct unstride_plan {
    size_t size;
    const char *variant;
    const char *rest;
    int64_t channels;
    int64_t tasks;
    int64_t rows_per_task;
    int64_t slices_per_task;
    int64_t kernel_calls;
    int64_t packed_bytes;
    int64_t scratch_bytes;
    double multiply_adds;
    double compulsory_bytes;
    double expected_seconds;
    int32_t threads;
    int32_t measured;
    int32_t under_trial;
    int32_t reserved;  // 0
    char reason[1024];
} unstride_plan;

// Fills in the plan of a call. `options` may be null.
unstride_status unstride_layer_plan(const unstride_layer *layer, const int64_t *input_sizes, int32_t ndim,
                                    const unstride_plan_options *options, unstride_plan *plan);

// ------------------------------------------------------------------------------------------------ process

// Functions that write a text of any length take memory of `capacity` bytes for it, which may be null if that is 0.
// They write to `needed`, which may be null, how many bytes the whole text needs with its zero.

// A kernel of the library. unstride/variants.h has what the fields of `Variant` mean.
typedef struct unstride_variant {
    size_t size;
    const char *name;  // these five stay
    const char *family;
    const char *isa;
    const char *sums;
    const char *lanes;
    unstride_operator op;
    unstride_layout layout;
    unstride_device device;
    unstride_dtype input_dtype;
    unstride_dtype output_dtype;
    int32_t stride_x;
    int32_t block;
    int32_t columns;
    char why_not_here[256];  // why this process cannot run it; empty if it can
    int32_t known_kernel;
    int32_t known_stride;
} unstride_variant;

// Tell how many variants there are, and describe the one of an index below that.
unstride_status unstride_variant_count(int64_t *count);
unstride_status unstride_variant_at(int64_t index, unstride_variant *variant);

// A device that layers can compute on. unstride/device.h has what the fields of `DeviceInfo` mean.
typedef struct unstride_device_info {
    size_t size;
    int64_t memory_bytes;
    double clock_hertz;
    double peak_flops;
    double peak_bytes;
    int64_t processors;
    char name[256];
} unstride_device_info;

// Describes a device. It is a UNSTRIDE_DEVICE_ERROR if layers cannot compute there.
unstride_status unstride_device_describe(unstride_device device, unstride_device_info *info);

// Set and get the number of threads that calls of all layers share, 1 to 256.
unstride_status unstride_set_num_threads(int32_t count);
unstride_status unstride_num_threads(int32_t *count);

// Set and get the highest instruction set whose kernels may run: baseline, avx2, avx512 or avx512bf16; empty for no
// ceiling.
unstride_status unstride_set_max_isa(const char *name);
unstride_status unstride_max_isa(char *name, size_t capacity, size_t *needed);

// ------------------------------------------------------------------------------------------------ wisdom

// What came of a file or text of wisdom. unstride/wisdom.h has what the fields of `WisdomReport` mean.
typedef struct unstride_wisdom_report {
    size_t size;
    int32_t found;
    int32_t is_wisdom;
    int64_t entries;
    int64_t other_machines;
    char summary[1024];  // all that a user should know, in one line; empty if nothing is wrong
} unstride_wisdom_report;

// Add the wisdom of a file or of a text to that of the process. What is wrong with it is reported, and is no failure of
// the function. `report` may be null.
unstride_status unstride_wisdom_load(const char *path, unstride_wisdom_report *report);
unstride_status unstride_wisdom_read(const char *text, unstride_wisdom_report *report);

// Writes all wisdom of the process as a text, for files and unstride_wisdom_read.
unstride_status unstride_wisdom_text(char *text, size_t capacity, size_t *needed);

// Drops all wisdom of the process.
unstride_status unstride_wisdom_forget(void);

// Writes the path of the file where the command line keeps wisdom; an empty one if there is no folder for it.
unstride_status unstride_wisdom_default_path(char *path, size_t capacity, size_t *needed);

#ifdef __cplusplus
}
#endif

#endif

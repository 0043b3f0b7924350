// The last decoder layer of a 3-D U-Net in C: it doubles the resolution of its features, and learns for one step.

#include <unstride/c.h>

#include <stdio.h>
#include <stdlib.h>

static const int64_t input_sizes[] = {1, 16, 8, 12, 12};
static const int64_t weight_sizes[] = {16, 8, 2, 2, 2};

static void check(unstride_status status) {
    if (status != UNSTRIDE_OK) {
        fprintf(stderr, "upsample: error: %s\n", unstride_last_error());
        exit(EXIT_FAILURE);
    }
}

static int64_t count(const unstride_array *array) {
    int64_t elements = 1;
    for (int i = 0; i < array->ndim; i++) {
        elements *= array->sizes[i];
    }
    return elements;
}

// Returns a dense array of five dimensions, full of zeros.
static unstride_array make_array(const int64_t *sizes) {
    unstride_array array = {.device_type = UNSTRIDE_CPU, .ndim = 5, .dtype = UNSTRIDE_F32, .sizes = sizes};
    array.data = calloc((size_t)count(&array), sizeof(float));
    if (array.data == NULL) {
        fprintf(stderr, "upsample: error: out of memory\n");
        exit(EXIT_FAILURE);
    }
    return array;
}

// Returns half the sum of the squared differences to 1, and leaves these, which are its gradient, in the array.
static double loss_of(const unstride_array *output) {
    float *values = output->data;
    double loss = 0;
    for (int64_t i = 0; i < count(output); i++) {
        values[i] -= 1;
        loss += 0.5 * (double)values[i] * (double)values[i];
    }
    return loss;
}

// Computes the layer's loss, and changes its weight against the gradient of it.
static double learn(unstride_layer *layer, const unstride_array *input, const unstride_array *output) {
    const unstride_array weight = make_array(weight_sizes), gradient = make_array(weight_sizes);
    float *weights = weight.data;
    const float *gradients = gradient.data;

    check(unstride_layer_forward(layer, input, output, NULL, NULL));
    const double loss = loss_of(output);
    check(unstride_layer_weight_gradient(layer, input, output, &gradient, UNSTRIDE_REPLACE, NULL));
    check(unstride_layer_get_weight(layer, &weight));
    for (int64_t i = 0; i < count(&weight); i++) {
        weights[i] -= 1e-4F * gradients[i];
    }
    check(unstride_layer_set_weight(layer, &weight));

    free(weight.data);
    free(gradient.data);
    return loss;
}

int main(void) {
    const unstride_layer_options options = {
        .size = sizeof options,
        .in_channels = 16,
        .out_channels = 8,
        .kernel_size = {2, 2, 2},
        .stride = {2, 2, 2},
    };
    unstride_layer *layer = NULL;
    check(unstride_layer_create(&options, &layer));  // with the weights that PyTorch has after manual_seed(0)

    int64_t output_sizes[5];
    check(unstride_layer_output_shape(layer, input_sizes, 5, NULL, 0, output_sizes));
    const unstride_array input = make_array(input_sizes), output = make_array(output_sizes);
    float *inputs = input.data;
    for (int64_t i = 0; i < count(&input); i++) {
        inputs[i] = (float)(i % 7) / 7;
    }
    const double first = learn(layer, &input, &output), second = learn(layer, &input, &output);

    unstride_plan plan = {.size = sizeof plan};
    check(unstride_layer_plan(layer, input_sizes, 5, NULL, &plan));
    printf("unstride  %s\n", unstride_version());
    printf("output    %d x %d x %d\n", (int)output_sizes[2], (int)output_sizes[3], (int)output_sizes[4]);
    printf("variant   %s\n", plan.variant);
    printf("because   %s\n", plan.reason);
    printf("loss      %.1f, and after one step %.1f\n", first, second);

    free(input.data);
    free(output.data);
    unstride_layer_destroy(layer);
    return second < first ? EXIT_SUCCESS : EXIT_FAILURE;
}

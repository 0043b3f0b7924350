#ifndef UNSTRIDE_RUNTIME_C_LAYER_H
#define UNSTRIDE_RUNTIME_C_LAYER_H

#include "c/arguments.h"
#include "unstride/c.h"
#include "unstride/conv_transpose.h"

struct unstride_layer {
    unstride::ConvTranspose layer;
};

namespace unstride::c {

inline ConvTranspose &layer_of(unstride_layer *layer) {
    return check_given("layer", layer)->layer;
}

inline const ConvTranspose &layer_of(const unstride_layer *layer) {
    return check_given("layer", layer)->layer;
}

}  // namespace unstride::c

#endif

#ifndef UNSTRIDE_UNSTRIDE_H
#define UNSTRIDE_UNSTRIDE_H

#include "unstride/activation.h"
#include "unstride/batch_norm.h"
#include "unstride/block.h"
#include "unstride/conv_transpose.h"
#include "unstride/device.h"
#include "unstride/error.h"
#include "unstride/frameworks.h"
#include "unstride/machine.h"
#include "unstride/operator.h"
#include "unstride/planning.h"
#include "unstride/tensor.h"
#include "unstride/variants.h"
#include "unstride/wisdom.h"

#endif

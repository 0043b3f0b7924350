#ifndef UNSTRIDE_RUNTIME_KERNELS_PACK_WEIGHTS_H
#define UNSTRIDE_RUNTIME_KERNELS_PACK_WEIGHTS_H

#include <vector>

#include "kernels/family_rules.h"
#include "kernels/panels.h"
#include "kernels/weights.h"
#include "problem/geometry.h"

namespace unstride {

// Writes the weights of a layer to panels, which are allocated already and contain what `sets` says: the weights as
// they are, or what the way of summing has in their place. Throws OutOfMemory.
template<typename T>
void pack_weights(const Geometry &geometry, const std::vector<PanelContents> &sets, const Weights<T> &weights,
                  const SumsRules &sums, std::vector<Panels> &panels);

}  // namespace unstride

#endif

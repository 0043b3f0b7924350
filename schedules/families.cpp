#include <stdexcept>
#include <string>

#include "stages.h"

namespace unstride {

// Each is defined in a file of its own, those of sums in generators/.
void sum_directly(Kernel &kernel, Stages &stages);
void sum_by_winograd(Kernel &kernel, Stages &stages);
void sum_by_taps(Kernel &kernel, Stages &stages);
void schedule_channels(Stages &stages, const Tile &tile);
void schedule_columns(Stages &stages, const Tile &tile);
void schedule_stationary(Stages &stages, const Tile &tile);
void schedule_taps(Stages &stages, const Tile &tile);
void schedule_gpu(Stages &stages, const Tile &tile);
void schedule_gpu_quads(Stages &stages, const Tile &tile);

namespace {

// Vectors lie across what is dense in memory.
void schedule_depthwise(Stages &stages, const Tile &tile) {
    if (stages.lanes == Lanes::channels) {
        schedule_channels(stages, tile);
    } else {
        schedule_columns(stages, tile);
    }
}

struct Row {
    Family family;
    Summation sum;      // of the forward; null where kernels are of the input gradient alone
    Schedule cpu, gpu;  // null where there is none
};

// How the kernels of each family are made, for each kind of device.
constexpr Row rows[] = {
    {Family::channels, sum_directly, schedule_channels, nullptr},
    {Family::columns, sum_directly, schedule_columns, schedule_gpu},
    {Family::depthwise, sum_directly, schedule_depthwise, schedule_gpu},
    {Family::in_place, nullptr, schedule_channels, nullptr},
    {Family::stationary, nullptr, schedule_stationary, nullptr},
    {Family::winograd, sum_by_winograd, schedule_channels, nullptr},
    {Family::taps, sum_by_taps, schedule_taps, nullptr},
    {Family::pairs, sum_directly, schedule_channels, nullptr},
    {Family::quads, sum_directly, nullptr, schedule_gpu_quads},
};

}  // namespace

Recipe recipe_of(Family family, bool gpu) {
    for (const Row &row : rows) {
        const Schedule schedule = gpu ? row.gpu : row.cpu;
        if (row.family == family && schedule != nullptr) {
            return {row.sum, schedule};
        }
    }
    const std::string name(facts_of(family).name);
    throw std::invalid_argument("there is no schedule of family " + name + (gpu ? " for GPUs" : " for CPUs"));
}

}  // namespace unstride

#include "schedules.h"

#include <stdexcept>
#include <string>

namespace unstride {

namespace {

// Vectors lie across what is dense in memory.
void schedule_depthwise(Stages &s, const Tile &tile) {
    if (s.lanes == Lanes::channels) {
        schedule_channels(s, tile);
    } else {
        schedule_columns(s, tile);
    }
}

struct Row {
    Family family;
    Schedule cpu, gpu;  // null where there is none
};

// All schedules that there are: which one a family has, for each kind of device.
constexpr Row rows[] = {
    {Family::channels, schedule_channels, nullptr},
    {Family::columns, schedule_columns, schedule_gpu},
    {Family::depthwise, schedule_depthwise, schedule_gpu},
    {Family::winograd, schedule_channels, nullptr},
    {Family::taps, schedule_taps, nullptr},
    {Family::pairs, schedule_channels, nullptr},
    {Family::quads, nullptr, schedule_gpu_quads},
};

}  // namespace

Schedule schedule_of(Family family, bool gpu) {
    for (const Row &row : rows) {
        const Schedule schedule = gpu ? row.gpu : row.cpu;
        if (row.family == family && schedule != nullptr) {
            return schedule;
        }
    }
    const std::string name(facts_of(family).name);
    throw std::invalid_argument("there is no schedule of family " + name + (gpu ? " for GPUs" : " for CPUs"));
}

}  // namespace unstride

#ifndef UNSTRIDE_GENERATORS_FAMILY_H
#define UNSTRIDE_GENERATORS_FAMILY_H

#include <string_view>

namespace unstride {

// The kernel families: in which way a kernel gets at its sums, and what its vectors lie across. This is the one table
// of them, which the generator, the schedules, the build, the runtime and its users' `list` read.
enum class Family {
    channels,
    columns,
    depthwise,
    in_place,
    stationary,
    winograd,
    taps,
    pairs,
    quads,
    outputs,
    inputs,
    diagonal,
    positions
};

// In which way sums are computed. Kernels of one way round alike, whatever the tile or the layout, as long as all of
// them have fused multiply-adds, or none has.
enum class Sums {
    direct,     // tap by tap
    winograd,   // by minimal filters along depth and height
    taps,       // products of all taps along height and width first, then their sums
    pairs,      // tap by tap, two input channels of bf16 at once
    products,   // weight gradients: over positions, as outer products of channels and taps
    positions,  // bias gradients: over positions, without weights
};

// What the vectors of a register tile lie across: output channels, output columns, or channels and taps.
enum class Lanes { channels, columns, taps };

// What one parallel task of kernels with register tiles of outputs computes: rows of some slices of an item; or a box
// of rows, slices and items, for which it reads weights once where they are more than the input.
enum class Task { rows, box };

// Which input channels an output channel sums over: all of its group, or in a depthwise layer one that is its own.
enum class Inputs { shared, own };

struct FamilyFacts {
    Family family;
    std::string_view name;
    Sums sums;
    Lanes ncdhw, ndhwc;  // in a kernel of this layout
    Inputs inputs;
    Task task;
    int inputs_per_load;  // channels that a load reads: number of channels, strides and address are multiples of it
};

// Build and benchmark read these rows, too (cmake/UnstrideCatalog.cmake, bench/unstride_bench/kernel_families.py): each
// is a line.
inline constexpr FamilyFacts families[] = {
    {Family::channels, "channels", Sums::direct, Lanes::channels, Lanes::channels, Inputs::shared, Task::rows, 1},
    {Family::columns, "columns", Sums::direct, Lanes::columns, Lanes::columns, Inputs::shared, Task::rows, 1},
    {Family::depthwise, "depthwise", Sums::direct, Lanes::columns, Lanes::channels, Inputs::own, Task::rows, 1},
    {Family::in_place, "in_place", Sums::direct, Lanes::columns, Lanes::channels, Inputs::own, Task::rows, 1},
    {Family::stationary, "stationary", Sums::direct, Lanes::channels, Lanes::channels, Inputs::shared, Task::box, 1},
    {Family::winograd, "winograd", Sums::winograd, Lanes::channels, Lanes::channels, Inputs::shared, Task::box, 1},
    {Family::taps, "taps", Sums::taps, Lanes::columns, Lanes::taps, Inputs::shared, Task::rows, 1},
    {Family::pairs, "pairs", Sums::pairs, Lanes::channels, Lanes::channels, Inputs::shared, Task::rows, 1},
    {Family::quads, "quads", Sums::direct, Lanes::columns, Lanes::columns, Inputs::shared, Task::rows, 4},
    {Family::outputs, "outputs", Sums::products, Lanes::channels, Lanes::channels, Inputs::shared, Task::rows, 1},
    {Family::inputs, "inputs", Sums::products, Lanes::channels, Lanes::channels, Inputs::shared, Task::rows, 1},
    {Family::diagonal, "diagonal", Sums::products, Lanes::channels, Lanes::channels, Inputs::own, Task::rows, 1},
    {Family::positions, "positions", Sums::positions, Lanes::columns, Lanes::channels, Inputs::own, Task::rows, 1},
};

// Whether kernels of the CPU read their input where it is. Those of all other families stage it in a slab.
constexpr bool reads_in_place(const FamilyFacts &facts) {
    return facts.family == Family::in_place;
}

// Null where there is no family of this name.
constexpr const FamilyFacts *find_family(std::string_view name) {
    for (const FamilyFacts &facts : families) {
        if (facts.name == name) {
            return &facts;
        }
    }
    return nullptr;
}

constexpr const FamilyFacts &facts_of(Family family) {
    return families[static_cast<int>(family)];
}

}  // namespace unstride

#endif

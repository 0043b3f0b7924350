#include "kernels/family_rules.h"

#include <iterator>

#include "problem/checked.h"
#include "unstride/error.h"

namespace unstride {

// Each of these rows is defined in the file of its way of summing.
extern const SumsRules direct_sums, winograd_sums, taps_sums, pairs_sums, products_sums, position_sums,
    input_gradient_sums, reversed_winograd_sums;

namespace {

Channels as_they_are(const Channels &channels) {
    return channels;
}

// A depthwise layer is seen as a single group that has the outputs of all groups.
Channels one_group(const Channels &channels) {
    return {1, 1, channels.groups};
}

// Two input channels in bf16 are seen as one channel, whose elements are twice as large.
Channels paired_inputs(const Channels &channels) {
    return {channels.groups, divide_up(channels.inputs, 2), channels.outputs};
}

std::string unless_depthwise(const ConvTranspose3dOptions &o) {
    return o.in_channels != o.groups || o.out_channels != o.groups
               ? "needs a depthwise layer: in_channels, out_channels and groups alike"
               : "";
}

std::string unless_inputs_in_fours(const ConvTranspose3dOptions &o) {
    return o.in_channels / o.groups % 4 != 0 ? "needs a multiple of four input channels in each group" : "";
}

constexpr const char *not_moderate = "needs an input and weights below 2^50 in magnitude, without NaN",
                     *not_in_bf16 = "needs weights that bf16 has without rounding",
                     *not_aligned = "needs an input whose place in memory and strides are multiples of four elements";

constexpr bool whole_blocks = true;  // a value of FamilyRules::whole_blocks

// The rows are in the order of generators/family.h.
constexpr FamilyRules family_rules[] = {
    {Family::channels, as_they_are, no_obstacle, nullptr, nullptr},
    {Family::columns, as_they_are, no_obstacle, nullptr, nullptr},
    {Family::depthwise, one_group, unless_depthwise, nullptr, nullptr},
    {Family::in_place, one_group, unless_depthwise, nullptr, nullptr, nullptr, whole_blocks},
    {Family::stationary, as_they_are, no_obstacle, nullptr, nullptr, &stationary_cost},
    {Family::winograd, as_they_are, no_obstacle, &Conditions::moderate, not_moderate},
    {Family::taps, as_they_are, no_obstacle, nullptr, nullptr},
    {Family::pairs, paired_inputs, no_obstacle, &Conditions::in_bf16, not_in_bf16},
    {Family::quads, as_they_are, unless_inputs_in_fours, &Conditions::aligned, not_aligned},
    {Family::outputs, as_they_are, no_obstacle, nullptr, nullptr},
    {Family::inputs, as_they_are, no_obstacle, nullptr, nullptr},
    {Family::diagonal, one_group, unless_depthwise, nullptr, nullptr},
    {Family::positions, as_they_are, no_obstacle, nullptr, nullptr},
};

constexpr bool is_complete() {
    if (std::size(families) != std::size(family_rules)) {
        return false;
    }
    for (size_t i = 0; i < std::size(families); i++) {
        const Family family = families[i].family;
        if (family_rules[i].family != family || static_cast<size_t>(family) != i) {
            return false;
        }
    }
    return true;
}
static_assert(is_complete(), "each family has a row in both tables, in the order of the enumeration");

}  // namespace

std::vector<const SumsRules *> all_sums() {
    return {&taps_sums,     &pairs_sums,    &winograd_sums,          &direct_sums,
            &position_sums, &products_sums, &reversed_winograd_sums, &input_gradient_sums};
}

const FamilyRules &rules_of(Family family) {
    return family_rules[static_cast<size_t>(family)];
}

const SumsRules &rules_of(Operator op, Sums sums) {
    if (op == Operator::input_gradient) {
        return sums == Sums::winograd ? reversed_winograd_sums : input_gradient_sums;
    }
    switch (sums) {
    case Sums::direct:
        break;
    case Sums::winograd:
        return winograd_sums;
    case Sums::taps:
        return taps_sums;
    case Sums::pairs:
        return pairs_sums;
    case Sums::products:
        return products_sums;
    case Sums::positions:
        return position_sums;
    }
    return direct_sums;
}

const char *name_of(Lanes lanes) {
    switch (lanes) {
    case Lanes::channels:
        return "channels";
    case Lanes::columns:
        return "columns";
    case Lanes::taps:
        return "taps";
    }
    return nullptr;
}

const FamilyFacts &known_family(const std::string &name) {
    const FamilyFacts *facts = find_family(name);
    if (facts == nullptr) {
        std::string known;
        for (const FamilyFacts &each : families) {
            const bool is_last = &each == std::end(families) - 1;
            known += is_last ? " or " : ", ";
            known += each.name;
        }
        throw InvalidArgument("there is no kernel family '" + name + "', but " + known.substr(2));
    }
    return *facts;
}

std::string no_obstacle(const ConvTranspose3dOptions & /*options*/) {
    return "";
}

bool always_pays(const Geometry & /*geometry*/) {
    return true;
}

std::vector<PanelContents> no_panels(const Geometry & /*geometry*/, const Channels & /*seen*/) {
    return {};
}

std::vector<PanelContents> one_set_of_panels(const Geometry &geometry, const Channels &seen) {
    return {{seen, geometry.taps()}};
}

}  // namespace unstride

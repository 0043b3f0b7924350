#ifndef UNSTRIDE_TESTS_FUZZ_FUZZ_API_H
#define UNSTRIDE_TESTS_FUZZ_FUZZ_API_H

#include <string>

#include "choices.h"
#include "unstride/unstride.h"

namespace unstride::tests {

// Makes calls as the choices say, and returns what is wrong with them, or nothing. Describes the last one in
// `last_call`, if that is not null.
std::string finding_of(Choices choices, Device device, std::string *last_call = nullptr);

// The same for calls that a variant of the CPU runs.
std::string finding_of(Choices choices, const Variant &variant);

}  // namespace unstride::tests

#endif

# Reads what there is to compile. unstride_read_catalog(VARIANTS ISA...) sets a list of the entries of
# schedules/catalog.txt for these ISAs: "layout;family;block;columns;stride_x;type;isa", ";" written as "|".
# unstride_isa_target(OUT ISA) gives the Halide target that an ISA is compiled for. unstride_family_sums(OUT FAMILY) tells
# in which way the kernels of a family compute sums.
# unstride_add_kernel(OBJECT VARIANT NAME [PARAMETER=VALUE...]) compiles an entry to an object, and a header beside it.
# Installed, too, for unstride_add_layer.

set(unstride_output_types f32 f64 f16 bf16)

# Reads schedules/isas.txt. Sets unstride_isas, the names of all there are, and of those that this processor can have
# unstride_cpu_isas, unstride_fma_isas (of these, the ones with FMA) and unstride_gpu_isas, a library for each; and what
# each is, for the functions below.
function(_unstride_read_isas)
    set(table "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../schedules/isas.txt")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${table}")
    set(processor other)
    if (CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
        set(processor x86-64)
    endif ()
    set(columns "([a-z0-9]+)" "(cpu|cuda|opencl)" "(x86-64|other)" "([0-9]+)" "([0-9]+)" "(yes|no)"
                "([a-z0-9]+|-)" "([a-z0-9_-]+)" "([a-z0-9,]+|-)")
    list(JOIN columns " +" row)
    foreach (list IN ITEMS isas cpu_isas fma_isas gpu_isas)
        set(${list} "")
    endforeach ()
    file(STRINGS "${table}" lines REGEX "^[a-z]")
    foreach (line IN LISTS lines)
        if (NOT line MATCHES "^${row}$")
            message(FATAL_ERROR "schedules/isas.txt: cannot read the line\n  ${line}")
        endif ()
        set(isa ${CMAKE_MATCH_1})
        list(APPEND isas ${isa})
        if (NOT CMAKE_MATCH_3 STREQUAL processor)
            continue()
        endif ()
        set(kind cpu)
        if (NOT CMAKE_MATCH_2 STREQUAL "cpu")
            set(kind gpu)
        endif ()
        list(APPEND ${kind}_isas ${isa})
        set(fma false)
        if (CMAKE_MATCH_6 STREQUAL "yes")
            set(fma true)
            if (kind STREQUAL "cpu")
                list(APPEND fma_isas ${isa})
            endif ()
        endif ()
        set(facts "Device::${CMAKE_MATCH_2}, ${CMAKE_MATCH_4}, ${CMAKE_MATCH_5}, ${fma}")
        set(unstride_isa_${isa}_facts "${facts}" PARENT_SCOPE)
        set(unstride_isa_${isa}_above ${CMAKE_MATCH_7} PARENT_SCOPE)
        set(unstride_isa_${isa}_target ${CMAKE_MATCH_8} PARENT_SCOPE)
        string(REPLACE "," ";" features "${CMAKE_MATCH_9}")
        list(REMOVE_ITEM features "-")
        set(unstride_isa_${isa}_features "${features}" PARENT_SCOPE)
    endforeach ()
    list(REMOVE_DUPLICATES isas)
    foreach (list IN ITEMS isas cpu_isas fma_isas gpu_isas)
        set(unstride_${list} "${${list}}" PARENT_SCOPE)
    endforeach ()
endfunction()
_unstride_read_isas()

# Reads the table of generators/family.h. Sets unstride_families, the names of all there are, and for
# unstride_family_sums what each is.
function(_unstride_read_families)
    set(table "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../generators/family.h")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${table}")
    file(STRINGS "${table}" rows REGEX "^ +{Family::")
    set(families "")
    foreach (row IN LISTS rows)
        if (NOT row MATCHES "^ +{Family::([a-z]+), \"([a-z]+)\", Sums::([a-z]+), ")
            message(FATAL_ERROR "generators/family.h: cannot read the row\n  ${row}")
        endif ()
        list(APPEND families ${CMAKE_MATCH_2})
        set(unstride_family_${CMAKE_MATCH_2}_sums ${CMAKE_MATCH_3} PARENT_SCOPE)
    endforeach ()
    set(unstride_families "${families}" PARENT_SCOPE)
endfunction()
_unstride_read_families()

# In which way the kernels of a family compute sums: direct, winograd, taps or pairs.
function(unstride_family_sums out family)
    set(${out} "${unstride_family_${family}_sums}" PARENT_SCOPE)
endfunction()

# Empty for an ISA that this processor cannot have.
function(unstride_isa_target out isa)
    set(target "${unstride_isa_${isa}_target}")
    set(above "${unstride_isa_${isa}_above}")
    if (target STREQUAL "host")
        set(target "${Halide_HOST_TARGET}")
    elseif (target AND NOT above STREQUAL "-")
        unstride_isa_target(target_above ${above})
        set(target "${target_above}-${target}")
    endif ()
    set(${out} "${target}" PARENT_SCOPE)
endfunction()

# What runtime/src/device/isa.cpp includes: of each ISA its name, device, rank, bytes of a vector, whether it has FMA, and a
# function that tells whether the processor has it.
function(unstride_isa_entries out)
    set(entries "")
    foreach (isa IN LISTS unstride_cpu_isas unstride_gpu_isas)
        set(conditions "")
        set(above "${isa}")
        while (NOT above STREQUAL "-")
            foreach (feature IN LISTS unstride_isa_${above}_features)
                list(APPEND conditions "__builtin_cpu_supports(\"${feature}\") != 0")
            endforeach ()
            set(above "${unstride_isa_${above}_above}")
        endwhile ()
        if (NOT conditions)
            set(conditions true)
        endif ()
        list(JOIN conditions " && " condition)
        string(APPEND entries "{\"${isa}\", ${unstride_isa_${isa}_facts}, [] { return ${condition}; }},\n")
    endforeach ()
    set(${out} "${entries}" PARENT_SCOPE)
endfunction()

# Devices of OpenCL need not have f64.
function(unstride_kernel_target out type isa)
    unstride_isa_target(target ${isa})
    if (type STREQUAL "f64" AND isa STREQUAL "opencl")
        string(APPEND target "-cl_doubles")
    endif ()
    set(${out} "${target}" PARENT_SCOPE)
endfunction()

function(unstride_read_catalog out)
    set(catalog "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../schedules/catalog.txt")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${catalog}")
    file(STRINGS "${catalog}" lines REGEX "^[a-z]")
    set(variants "")
    list(JOIN unstride_isas "|" isa_names)
    list(JOIN unstride_families "|" families)
    foreach (line IN LISTS lines)
        set(tile "([0-9]+)x([0-9]+) +([0-9,]+)")
        if (NOT line MATCHES "^(ncdhw|ndhwc) +(${families}) +${tile} +(${isa_names}|gpu) +([a-z0-9,-]+) *(#.*)?$")
            message(FATAL_ERROR "schedules/catalog.txt: cannot read the line\n  ${line}")
        endif ()
        set(head "${CMAKE_MATCH_1}|${CMAKE_MATCH_2}|${CMAKE_MATCH_3}|${CMAKE_MATCH_4}")
        string(REPLACE "," ";" strides "${CMAKE_MATCH_5}")
        string(REPLACE "gpu" "cuda;opencl" isas "${CMAKE_MATCH_6}")
        string(REPLACE "," ";" types "${CMAKE_MATCH_7}")
        foreach (isa IN LISTS isas)
            unstride_isa_target(target "${isa}")
            if (target AND isa IN_LIST ARGN)
                foreach (type IN LISTS types)
                    foreach (stride IN LISTS strides)
                        list(APPEND variants "${head}|${stride}|${type}|${isa}")
                    endforeach ()
                endforeach ()
            endif ()
        endforeach ()
    endforeach ()
    set(${out} "${variants}" PARENT_SCOPE)
endfunction()

# Sets layout, family, block, columns, stride_x, type and isa of an entry, its variant_name, and the types of its input and output.
macro(unstride_read_variant variant)
    string(REGEX MATCH "^(.+)[|](.+)[|](.+)[|](.+)[|](.+)[|](.+)[|](.+)$" _ "${variant}")
    set(layout ${CMAKE_MATCH_1})
    set(family ${CMAKE_MATCH_2})
    set(block ${CMAKE_MATCH_3})
    set(columns ${CMAKE_MATCH_4})
    set(stride_x ${CMAKE_MATCH_5})
    set(type ${CMAKE_MATCH_6})
    set(isa ${CMAKE_MATCH_7})
    string(REGEX REPLACE "-.*" "" input_type ${type})
    string(REGEX REPLACE ".*-" "" output_type ${type})
    set(variant_name "${layout}_${family}_${block}x${columns}_s${stride_x}_${type}_${isa}")
    string(REPLACE "_s${stride_x}_f32_" "_s${stride_x}_" variant_name ${variant_name})
    string(REPLACE "-" "_" variant_name ${variant_name})
endmacro()

# What a generator makes with these parameters. The function is unstride_NAME; a target that takes the object has to depend on NAME.update.
# All share one of Halide's runtimes, which is in the library.
function(_unstride_add_object out generator name type isa)
    unstride_kernel_target(target ${type} ${isa})
    add_halide_library(${name} FROM unstride.generator
                       GENERATOR ${generator}
                       FUNCTION_NAME unstride_${name}
                       USE_RUNTIME unstride_halide_runtime
                       TARGETS ${target}
                       FEATURES user_context
                       PARAMS ${ARGN})
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)  # the object is all that is asked for, and not an archive of it
    # Parallel loops are those of the library, not of Halide's handlers, which belong to the process (unstride/register.h).
    set(object "${CMAKE_CURRENT_BINARY_DIR}/kernels/${name}.o")
    file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/kernels")
    add_custom_command(OUTPUT "${object}"
                       COMMAND "${CMAKE_OBJCOPY}" --redefine-sym halide_do_par_for=unstride_parallel_for "${name}.o" "${object}"
                       DEPENDS "${CMAKE_CURRENT_BINARY_DIR}/${name}.o"
                       WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
                       COMMENT "Taking parallel loops from the library in ${name}.o" VERBATIM)
    set(${out} "${object}" PARENT_SCOPE)
endfunction()

# Activations that the kernels of the convolution leave to others, of outputs of a type.
function(unstride_add_activation out type isa)
    _unstride_add_object(object activation activation_${type}_${isa} ${type} ${isa} type=${type})
    set(${out} "${object}" PARENT_SCOPE)
endfunction()

function(unstride_add_kernel out variant name)
    unstride_read_variant("${variant}")
    _unstride_add_object(object transposed_convolution ${name} ${type} ${isa}
                         family=${family} layout=${layout} interleave=${stride_x} block=${block} columns=${columns}
                         input_type=${input_type} output_type=${output_type} ${ARGN})
    set(${out} "${object}" PARENT_SCOPE)
endfunction()

function(unstride_add_generator)
    set(root "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..")
    file(GLOB sources CONFIGURE_DEPENDS ${root}/generators/*.cpp ${root}/schedules/*.cpp)
    add_halide_generator(unstride.generator SOURCES ${sources})
    target_include_directories(unstride.generator PRIVATE ${root}/generators ${root}/schedules)
    # All kernels wait for it, and its time is spent in Halide's library.
    target_precompile_headers(unstride.generator PRIVATE <Halide.h>)
    target_compile_options(unstride.generator PRIVATE -O0 -U_FORTIFY_SOURCE -Wswitch)
endfunction()

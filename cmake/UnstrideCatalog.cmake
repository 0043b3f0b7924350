# Reads schedules/catalog.txt: unstride_read_catalog(VARIANTS ISAS) sets a list of "layout;family;block;columns;stride_x;type;isa"
# entries, ";" written as "|", of those isas that match the regular expression; unstride_isa_target(OUT ISA) gives the Halide target that an ISA is compiled for.
# unstride_add_kernel(OBJECT VARIANT NAME [PARAMETER=VALUE...]) compiles an entry to an object, and a header beside it.
# Installed, too, for unstride_add_layer.

# Those of the library itself, and those of a library for each device.
set(unstride_cpu_isas "baseline|avx2|avx512|avx512bf16")
set(unstride_gpu_isas cuda opencl)
set(unstride_output_types f32 f64 f16 bf16)

# Halide 21 does not complete feature sets in the generator: every target names its full chain. The names of the ISAs are
# matched with the processor in runtime/src/catalog.cpp. Other processors than x86-64 have one: their own.
function(unstride_isa_target out isa)
    set(baseline "x86-64-linux")
    set(avx2 "${baseline}-sse41-avx-f16c-fma-avx2")
    set(avx512 "${avx2}-avx512-avx512_skylake")
    set(avx512bf16 "${avx512}-avx512_cannonlake-avx512_zen4")
    # PTX for compute capability 8.0, which drivers compile for later ones.
    set(cuda "${baseline}-cuda-cuda_capability_80")
    set(opencl "${baseline}-opencl")
    if (CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
        set(${out} "${${isa}}" PARENT_SCOPE)
    elseif (isa STREQUAL "baseline")
        set(${out} "${Halide_HOST_TARGET}" PARENT_SCOPE)
    else ()
        set(${out} "" PARENT_SCOPE)
    endif ()
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
    foreach (line IN LISTS lines)
        if (NOT line MATCHES "^(ncdhw|ndhwc) +(channels|columns|depthwise|winograd|taps|pairs|quads) +([0-9]+)x([0-9]+) +([0-9,]+) +(baseline|avx2|avx512|avx512bf16|gpu) +([a-z0-9,-]+) *(#.*)?$")
            message(FATAL_ERROR "schedules/catalog.txt: cannot read the line\n  ${line}")
        endif ()
        set(head "${CMAKE_MATCH_1}|${CMAKE_MATCH_2}|${CMAKE_MATCH_3}|${CMAKE_MATCH_4}")
        string(REPLACE "," ";" strides "${CMAKE_MATCH_5}")
        string(REPLACE "gpu" "cuda;opencl" isas "${CMAKE_MATCH_6}")
        string(REPLACE "," ";" types "${CMAKE_MATCH_7}")
        foreach (isa IN LISTS isas)
            unstride_isa_target(target "${isa}")
            if (target AND isa MATCHES "^(${ARGN})$")
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
    add_halide_generator(unstride.generator
                         SOURCES
                         ${root}/generators/activation.cpp
                         ${root}/generators/transposed_convolution.cpp
                         ${root}/schedules/channels.cpp
                         ${root}/schedules/columns.cpp
                         ${root}/schedules/gpu.cpp
                         ${root}/schedules/register_tile.cpp
                         ${root}/schedules/staging.cpp
                         ${root}/schedules/taps.cpp
                         ${root}/schedules/tasks.cpp)
    target_include_directories(unstride.generator PRIVATE ${root}/generators ${root}/schedules)
    # All kernels wait for it, and its time is spent in Halide's library.
    target_precompile_headers(unstride.generator PRIVATE <Halide.h>)
    target_compile_options(unstride.generator PRIVATE -O0 -U_FORTIFY_SOURCE)
endfunction()

# This file reads which kernels there are, and compiles them. The package has it, too, because unstride_add_layer
# (UnstrideLayer.cmake) calls these functions in the build of an app.
#
# An ISA is an instruction set of the CPU, or a kind of GPU. A variant is one kernel: a line of schedules/catalog.txt
# for one stride, one type and one ISA. It is written as "operator|layout|family|block|columns|stride_x|known|type|isa".
#
# Functions that compute something store it in the variable that their first argument, OUT, names.

# The library has kernels with outputs of these types.
set(unstride_output_types f32 f64 f16 bf16)

# Reads schedules/isas.txt. It sets unstride_isas to the names of all ISAs. The other lists have only those ISAs that
# are for processors of this kind: unstride_cpu_isas the instruction sets, unstride_fma_isas those of them with FMA, and
# unstride_gpu_isas the kinds of GPU, each of which has a library of its own. The variables unstride_isa_... have the
# other columns of the table for the functions below.
function(_unstride_read_isas)
    set(table "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../schedules/isas.txt")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${table}")
    set(processor other)
    if (CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
        set(processor x86-64)
    elseif (CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
        set(processor aarch64)
    endif ()
    set(columns "([a-z0-9]+)" "(cpu|cuda|opencl)" "(x86-64|aarch64|other)" "([0-9]+)" "([0-9]+)" "(yes|no)"
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

# Reads the table of `kind` in generators/<kind>.h, whose rows have the value of an enumeration, a name, and a fact that
# the pattern captures. It sets `list` to all names, and unstride_<kind>_<name>_<fact>.
function(_unstride_read_table list kind enumeration fact pattern)
    set(table "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../generators/${kind}.h")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${table}")
    file(STRINGS "${table}" rows REGEX "^ +{${enumeration}::")
    set(names "")
    foreach (row IN LISTS rows)
        if (NOT row MATCHES "^ +{${enumeration}::[a-z0-9_]+, \"([a-z0-9_]+)\", ${pattern}[,}]")
            message(FATAL_ERROR "generators/${kind}.h: cannot read the row\n  ${row}")
        endif ()
        list(APPEND names ${CMAKE_MATCH_1})
        set(unstride_${kind}_${CMAKE_MATCH_1}_${fact} ${CMAKE_MATCH_2} PARENT_SCOPE)
    endforeach ()
    set(${list} "${names}" PARENT_SCOPE)
endfunction()
_unstride_read_table(unstride_families family Family sums "Sums::([a-z0-9_]+)")
_unstride_read_table(unstride_operators operator Operator generator "\"([a-z_]+)\"")
_unstride_read_table(unstride_operators operator Operator gpu_generator "\"[a-z_]+\", \"([a-z_]+)\"")

# unstride_family_sums(OUT FAMILY) tells in which way the kernels of a family compute sums: direct, winograd, taps or
# pairs.
function(unstride_family_sums out family)
    set(${out} "${unstride_family_${family}_sums}" PARENT_SCOPE)
endfunction()

# unstride_isa_target(OUT ISA) gives the Halide target that kernels for an ISA are compiled for. It is empty for an ISA
# that is not for processors of this kind.
function(unstride_isa_target out isa)
    set(target "${unstride_isa_${isa}_target}")
    set(above "${unstride_isa_${isa}_above}")
    if (target STREQUAL "host")
        set(target "${Halide_HOST_TARGET}")
    elseif (target AND NOT above STREQUAL "-")
        unstride_isa_target(target_above ${above})
        string(REGEX REPLACE "--$" "" target "${target_above}-${target}")
    elseif (APPLE)
        string(REPLACE "-linux" "-osx" target "${target}")
    endif ()
    set(${out} "${target}" PARENT_SCOPE)
endfunction()

# unstride_isa_entries(OUT) writes the rows of the table of ISAs in runtime/src/device/isa.cpp. A row has the name of an
# ISA, its device, its rank, the bytes of its vectors, whether it has FMA, and a function that tells whether the
# processor has it.
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

# unstride_kernel_target(OUT TYPE ISA) gives the Halide target of a kernel. That of the ISA is enough, except for f64
# with OpenCL: it is an extension that devices need not have, so only kernels of f64 ask for it.
function(unstride_kernel_target out type isa)
    unstride_isa_target(target ${isa})
    if (type STREQUAL "f64" AND isa STREQUAL "opencl")
        string(APPEND target "-cl_doubles")
    endif ()
    set(${out} "${target}" PARENT_SCOPE)
endfunction()

# unstride_read_catalog(OUT ISA...) gives a list of the variants for these ISAs: of all, or of those whose names match
# the regular expression UNSTRIDE_VARIANTS.
function(unstride_read_catalog out)
    set(catalog "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../schedules/catalog.txt")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${catalog}")
    file(STRINGS "${catalog}" lines REGEX "^[a-z]")
    set(variants "")
    list(JOIN unstride_isas "|" isa_names)
    list(JOIN unstride_families "|" families)
    foreach (line IN LISTS lines)
        if (line MATCHES "^operator +(.*)$" AND CMAKE_MATCH_1 IN_LIST unstride_operators)
            set(operator ${CMAKE_MATCH_1})  # of the lines that follow
            continue()
        endif ()
        set(tile "([0-9]+)x([0-9]+) +([0-9,]+) +(-|[ks0-9,]+)")
        if (NOT line MATCHES "^(ncdhw|ndhwc) +(${families}) +${tile} +(${isa_names}|gpu) +([a-z0-9,-]+) *(#.*)?$")
            message(FATAL_ERROR "schedules/catalog.txt: cannot read the line\n  ${line}")
        endif ()
        set(head "${operator}|${CMAKE_MATCH_1}|${CMAKE_MATCH_2}|${CMAKE_MATCH_3}|${CMAKE_MATCH_4}")
        string(REPLACE "," ";" strides "${CMAKE_MATCH_5}")
        string(REPLACE "," ";" all_known "${CMAKE_MATCH_6}")
        string(REPLACE "gpu" "cuda;opencl" isas "${CMAKE_MATCH_7}")
        string(REPLACE "," ";" types "${CMAKE_MATCH_8}")
        foreach (isa IN LISTS isas)
            unstride_isa_target(target "${isa}")
            if (target AND isa IN_LIST ARGN)
                foreach (type IN LISTS types)
                    foreach (stride IN LISTS strides)
                        foreach (known IN LISTS all_known)
                            set(variant "${head}|${stride}|${known}|${type}|${isa}")
                            unstride_read_variant("${variant}")
                            if (NOT UNSTRIDE_VARIANTS OR variant_name MATCHES "${UNSTRIDE_VARIANTS}")
                                list(APPEND variants "${variant}")
                            endif ()
                        endforeach ()
                    endforeach ()
                endforeach ()
            endif ()
        endforeach ()
    endforeach ()
    set(${out} "${variants}" PARENT_SCOPE)
endfunction()

# unstride_read_variant(VARIANT) sets `operator`, `layout`, `family`, `block`, `columns`, `stride_x`, `known`, `type`
# and `isa` to the parts of a variant, `known_kernel` and `known_stride` to what `known` consists of, or 0, `input_type`
# and `output_type` to what `type` consists of, and `variant_name` to the name.
macro(unstride_read_variant variant)
    string(REGEX MATCH "^(.+)[|](.+)[|](.+)[|](.+)[|](.+)[|](.+)[|](.+)[|](.+)[|](.+)$" _ "${variant}")
    set(operator ${CMAKE_MATCH_1})
    set(layout ${CMAKE_MATCH_2})
    set(family ${CMAKE_MATCH_3})
    set(block ${CMAKE_MATCH_4})
    set(columns ${CMAKE_MATCH_5})
    set(stride_x ${CMAKE_MATCH_6})
    set(known ${CMAKE_MATCH_7})
    set(type ${CMAKE_MATCH_8})
    set(isa ${CMAKE_MATCH_9})
    string(REGEX REPLACE "-.*" "" input_type ${type})
    string(REGEX REPLACE ".*-" "" output_type ${type})
    set(known_kernel 0)
    set(known_stride 0)
    if (known MATCHES "^k([0-9]+)s([0-9]+)$")
        set(known_kernel ${CMAKE_MATCH_1})
        set(known_stride ${CMAKE_MATCH_2})
    endif ()
    set(variant_name "${layout}_${family}_${block}x${columns}_s${stride_x}_${known}_${type}_${isa}")
    string(REGEX REPLACE "_f32_(${isa})$" "_\\1" variant_name ${variant_name})
    string(REPLACE "_-_" "_" variant_name ${variant_name})
    string(REPLACE "-" "_" variant_name ${variant_name})
    if (NOT operator STREQUAL "forward")
        string(PREPEND variant_name "${operator}_")
    endif ()
endmacro()

# _unstride_add_object(OUT GENERATOR NAME TYPE ISA PARAMETER=VALUE...) adds the commands with which a generator compiles
# the function unstride_NAME to an object file, whose path it gives, and to a header, NAME.h. All objects share one of
# Halide's runtimes, which is in the library.
function(_unstride_add_object out generator name type isa)
    unstride_kernel_target(target ${type} ${isa})
    add_halide_library(${name} FROM unstride.generator
                       GENERATOR ${generator}
                       FUNCTION_NAME unstride_${name}
                       USE_RUNTIME unstride_halide_runtime
                       TARGETS ${target}
                       FEATURES user_context
                       PARAMS ${ARGN})
    # Nobody needs the archive that add_halide_library makes of the object.
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    # The library runs the kernels' parallel loops, in place of Halide's handler, which belongs to the whole process
    # (unstride/register.h).
    set(object "${CMAKE_CURRENT_BINARY_DIR}/kernels/${name}.o")
    file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/kernels")
    add_custom_command(OUTPUT "${object}"
                       COMMAND "${CMAKE_OBJCOPY}" --redefine-sym halide_do_par_for=unstride_parallel_for
                               "${name}.o" "${object}"
                       DEPENDS "${CMAKE_CURRENT_BINARY_DIR}/${name}.o"
                       WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
                       COMMENT "Taking parallel loops from the library in ${name}.o" VERBATIM)
    set(${out} "${object}" PARENT_SCOPE)
endfunction()

# unstride_add_activation(OUT TYPE ISA) compiles the kernel that computes, for outputs of a type, the activations which
# the kernels of the convolution do not compute themselves. It gives the path of the object; its NAME is
# activation_TYPE_ISA.
function(unstride_add_activation out type isa)
    _unstride_add_object(object activation activation_${type}_${isa} ${type} ${isa} type=${type})
    set(${out} "${object}" PARENT_SCOPE)
endfunction()

# unstride_add_sum_of_chunks(OUT TYPE ISA) compiles the kernel with which a kind of GPU adds up sums of chunks and
# stores them as elements of a type. It gives the path of the object; its NAME is sum_of_chunks_TYPE_ISA.
function(unstride_add_sum_of_chunks out type isa)
    _unstride_add_object(object sum_of_chunks sum_of_chunks_${type}_${isa} ${type} ${isa} type=${type})
    set(${out} "${object}" PARENT_SCOPE)
endfunction()

# unstride_add_kernel(OUT VARIANT NAME [PARAMETER=VALUE...]) compiles a variant to the function unstride_NAME, with more
# parameters of the generator if there are any. It gives the path of the object.
function(unstride_add_kernel out variant name)
    unstride_read_variant("${variant}")
    set(generator ${unstride_operator_${operator}_generator})
    if (isa IN_LIST unstride_gpu_isas)
        set(generator ${unstride_operator_${operator}_gpu_generator})
    endif ()
    set(parameters ${ARGN})
    if (known_kernel GREATER 0)
        foreach (axis IN ITEMS x y)
            list(APPEND parameters known_kernel_${axis}=${known_kernel} known_stride_${axis}=${known_stride}
                 known_dilation_${axis}=1)
        endforeach ()
    endif ()
    _unstride_add_object(object ${generator} ${name} ${type} ${isa}
                         family=${family} layout=${layout} interleave=${stride_x} block=${block} columns=${columns}
                         input_type=${input_type} output_type=${output_type} ${parameters})
    set(${out} "${object}" PARENT_SCOPE)
endfunction()

# unstride_link_object(TARGET OBJECT NAME) links an object of unstride_add_kernel or unstride_add_activation into a
# target, whose sources may include its header, NAME.h.
function(unstride_link_object target object name)
    set_source_files_properties("${object}" TARGET_DIRECTORY ${target} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    target_sources(${target} PRIVATE "${object}")
    add_dependencies(${target} ${name}.update)
endfunction()

# unstride_added_kernel(OUT NAME) writes the C++ initializer of an AddedKernel (unstride/register.h) for the kernel
# unstride_NAME. It is the kernel of the variant that unstride_read_variant read last.
function(unstride_added_kernel out name)
    string(CONCAT initializer
           "{\"${name}\", \"${family}\", unstride::Layout::${layout}, \"${isa}\", ${stride_x}, ${block}, ${columns}, "
           "unstride_${name}, false, {unstride::DType::${input_type}, unstride::DType::${output_type}}, "
           "\"${operator}\"}")
    set(${out} "${initializer}" PARENT_SCOPE)
endfunction()

# unstride_add_generator() builds unstride.generator, the program that compiles the kernels. A build for another
# processor takes that of the build in the folder unstride-halide_generators_ROOT, which is Halide's way to
# cross-compile.
function(unstride_add_generator)
    set(root "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..")
    file(GLOB sources CONFIGURE_DEPENDS ${root}/generators/*.cpp ${root}/schedules/*.cpp)
    add_halide_generator(unstride.generator SOURCES ${sources})
    if (NOT TARGET unstride.generator)  # but that of another build, which is for the machine that builds
        return()
    endif ()
    target_include_directories(unstride.generator PRIVATE ${root}/generators ${root}/schedules)
    # All kernels wait for the generator, so it has to compile fast. It need not be fast itself, as it spends its time
    # in Halide's library.
    target_precompile_headers(unstride.generator PRIVATE <Halide.h>)
    target_compile_options(unstride.generator PRIVATE -O0 -U_FORTIFY_SOURCE -Wswitch)
endfunction()

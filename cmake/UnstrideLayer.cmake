# unstride_add_layer(<target> NAME <name> IN_CHANNELS <n> OUT_CHANNELS <n> KERNEL <3>
#                    [STRIDE <3>] [PADDING <3>] [DILATION <3>] [GROUPS <n>]
#                    [LAYOUT ncdhw|ndhwc] [TYPE f32|f64|f16|bf16|f16-f32|bf16-f32...] [ISA baseline|avx2|avx512...]
#                    [TILES <family>_<block>x<columns>...])
#
# Compiles kernels for one layer into <target>, which links unstride::unstride or unstride::f32. The runtime takes them
# wherever the layer fits, and variants() lists them as <name>_<variant>. The layer's parameters are those of
# torch.nn.ConvTranspose3d, with its defaults; <3> is one number, or depth, height and width. Output padding, bias,
# batch and the size of the input may be any.
#
# Where a layer is computed by the generic kernels of families winograd and taps (`unstride plan` tells), these remain
# faster.
#
# By default there are kernels of f32 for both layouts and each instruction set, of all tiles in schedules/catalog.txt
# that waste little on the layer's channels: up to two dozen, about a second of compilation each. LAYOUT, ISA and TILES
# choose fewer; the app's plan() tells which of them runs. A TYPE such as f16 is that of input and output; one such as
# f16-f32 has the type of the input first, and then that of the output.
#
# Halide compiles the kernels: CMAKE_PREFIX_PATH has to name the folder where it is installed.
function(unstride_add_layer target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG ""
                          "NAME;IN_CHANNELS;OUT_CHANNELS;GROUPS;LAYOUT"
                          "KERNEL;STRIDE;PADDING;DILATION;TYPE;ISA;TILES")
    set(call "unstride_add_layer(${target} NAME ${ARG_NAME})")
    if (NOT TARGET "${target}")
        message(FATAL_ERROR "${call}: there is no target ${target}")
    endif ()
    get_target_property(target_type ${target} TYPE)
    if (NOT target_type MATCHES "^(EXECUTABLE|(STATIC|SHARED|MODULE)_LIBRARY)$")
        message(FATAL_ERROR "${call}: ${target} has to be an executable, or a static or shared library")
    elseif (ARG_UNPARSED_ARGUMENTS OR ARG_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "${call}: cannot read ${ARG_UNPARSED_ARGUMENTS} ${ARG_KEYWORDS_MISSING_VALUES}")
    elseif (NOT ARG_NAME MATCHES "^[A-Za-z][A-Za-z0-9_]*$")
        message(FATAL_ERROR "${call}: NAME has to consist of letters, digits and _")
    endif ()

    _unstride_numbers("${call}" IN_CHANNELS 1 1 "")
    _unstride_numbers("${call}" OUT_CHANNELS 1 1 "")
    _unstride_numbers("${call}" GROUPS 1 1 1)
    _unstride_numbers("${call}" KERNEL 3 1 "")
    _unstride_numbers("${call}" STRIDE 3 1 1)
    _unstride_numbers("${call}" PADDING 3 0 0)
    _unstride_numbers("${call}" DILATION 3 1 1)
    math(EXPR rest "${ARG_IN_CHANNELS} % ${ARG_GROUPS} + ${ARG_OUT_CHANNELS} % ${ARG_GROUPS}")
    if (NOT rest EQUAL 0)
        message(FATAL_ERROR "${call}: IN_CHANNELS and OUT_CHANNELS have to be multiples of GROUPS")
    endif ()
    _unstride_need_generator("${call}")

    # A kernel sees the channels of one group. But a depthwise layer takes depthwise kernels, which see the channels of
    # all groups as outputs.
    math(EXPR inputs "${ARG_IN_CHANNELS} / ${ARG_GROUPS}")
    math(EXPR outputs "${ARG_OUT_CHANNELS} / ${ARG_GROUPS}")
    set(depthwise OFF)
    if (inputs EQUAL 1 AND outputs EQUAL 1)
        set(depthwise ON)
        set(outputs ${ARG_GROUPS})
    endif ()
    list(GET ARG_STRIDE 2 stride)
    list(GET ARG_DILATION 2 dilation)
    if (NOT ARG_TYPE)
        set(ARG_TYPE f32)
    endif ()
    _unstride_suitable_variants(variants ${depthwise} ${outputs} ${stride} ${dilation}
                                "${ARG_LAYOUT}" "${ARG_TYPE}" "${ARG_ISA}" "${ARG_TILES}")
    if (NOT variants)
        message(FATAL_ERROR "${call}: schedules/catalog.txt has no suitable tile of this LAYOUT, TYPE, ISA and TILES")
    endif ()

    set(dimensions z y x)
    set(parameters known_inputs=${inputs})
    foreach (dimension kernel stride padding dilation
             IN ZIP_LISTS dimensions ARG_KERNEL ARG_STRIDE ARG_PADDING ARG_DILATION)
        list(APPEND parameters known_kernel_${dimension}=${kernel} known_stride_${dimension}=${stride}
             known_padding_${dimension}=${padding} known_dilation_${dimension}=${dilation})
    endforeach ()
    set(includes "")
    set(entries "")
    foreach (variant IN LISTS variants)
        unstride_read_variant("${variant}")
        set(name "${ARG_NAME}_${variant_name}")
        if (TARGET ${name})
            message(FATAL_ERROR "${call}: another layer of this project has the NAME ${ARG_NAME}")
        endif ()
        unstride_add_kernel(object "${variant}" ${name} ${parameters})
        unstride_link_object(${target} "${object}" ${name})
        unstride_added_kernel(entry ${name})
        string(APPEND includes "#include \"${CMAKE_CURRENT_BINARY_DIR}/${name}.h\"\n")
        string(APPEND entries "        ${entry},\n")
    endforeach ()
    foreach (triple IN ITEMS KERNEL STRIDE PADDING DILATION)
        list(JOIN ARG_${triple} ", " ${triple})
    endforeach ()
    set(source "${CMAKE_CURRENT_BINARY_DIR}/unstride_layer_${ARG_NAME}.cpp")
    configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/layer.cpp.in" "${source}" @ONLY)
    target_sources(${target} PRIVATE "${source}")
    # A linker takes only those objects of a static library that something asks for.
    if (target_type STREQUAL "STATIC_LIBRARY")
        target_link_options(${target} INTERFACE "LINKER:--undefined=unstride_layer_${ARG_NAME}")
    endif ()
endfunction()

# Checks the numbers of an argument of unstride_add_layer, and sets ARG_<argument> to `count` of them: one number may
# stand for all. The argument may be left out if there is a default, which is "" if there is none.
function(_unstride_numbers call argument count least default)
    set(numbers ${ARG_${argument}})
    if ("${numbers}" STREQUAL "")
        set(numbers ${default})
    endif ()
    list(LENGTH numbers length)
    if (length EQUAL 1 AND count EQUAL 3)
        set(numbers ${numbers} ${numbers} ${numbers})
    elseif (NOT length EQUAL count)
        message(FATAL_ERROR "${call}: ${argument} needs one number, or (not for channels and groups) depth, height "
                            "and width")
    endif ()
    foreach (number IN LISTS numbers)
        if (NOT number MATCHES "^[0-9]+$" OR number LESS least)
            message(FATAL_ERROR "${call}: ${argument} needs numbers from ${least} on, but got ${number}")
        endif ()
    endforeach ()
    set(ARG_${argument} ${numbers} PARENT_SCOPE)
endfunction()

# Makes sure that there is the generator, which an app's build compiles once from its sources. There it also adds an
# empty target in place of Halide's runtime, as the library has that inside.
macro(_unstride_need_generator call)
    if (NOT Halide_FOUND)
        find_package(Halide 21 QUIET PATH_SUFFIXES lib64/cmake/Halide)  # the wheel has it there
    endif ()
    if (NOT Halide_FOUND)
        message(FATAL_ERROR "${call}: kernels are compiled with Halide 21, which was not found. "
                            "`pip install halide==21.0.0` installs it; add the folder that "
                            "`python3 -c 'import halide; print(halide.install_dir())'` prints to CMAKE_PREFIX_PATH.")
    endif ()
    if (NOT TARGET unstride_halide_runtime)
        unstride_add_generator()
        add_library(unstride_halide_runtime INTERFACE)
    endif ()
endmacro()

# Gives the variants that suit a layer, as unstride_read_catalog does. `outputs` are the output channels that a kernel
# sees, `stride` and `dilation` those along the width. Only variants of the given types are taken, and only those of the
# given layouts, instruction sets and tiles; an empty list of these stands for any.
function(_unstride_suitable_variants out depthwise outputs stride dilation layouts types isas tiles)
    unstride_read_catalog(catalog ${unstride_cpu_isas})
    set(kinds "")  # A kind is a layout, a type and an instruction set.
    set(suitable "")
    foreach (variant IN LISTS catalog)
        unstride_read_variant("${variant}")
        if (NOT operator STREQUAL "forward" OR NOT known STREQUAL "-")
            continue()  # what a kernel is to know is what the call says
        endif ()
        # Depthwise kernels suit depthwise layers; so do, in ncdhw, tiles of single channels whose vectors lie across
        # columns. Other layers take all tiles of families that sum tap by tap, but tiles of single channels only for up
        # to three channels, or if the call names tiles.
        unstride_family_sums(sums ${family})
        set(suits OFF)
        if (family STREQUAL "depthwise" OR (depthwise AND "${layout} ${family} ${block}" STREQUAL "ncdhw columns 1"))
            set(suits ${depthwise})
        elseif (NOT depthwise AND sums MATCHES "^(direct|pairs)$"
                AND (tiles OR NOT block EQUAL 1 OR NOT outputs GREATER 3))
            set(suits ON)
        endif ()
        # Where there is a kernel that interleaves the phases of the layer's stride, it is the better one.
        set(best_stride_x 1)
        set(interleaving "${operator}|${layout}|${family}|${block}|${columns}|${stride}|-|${type}|${isa}")
        if (dilation EQUAL 1 AND interleaving IN_LIST catalog)
            set(best_stride_x ${stride})
        endif ()
        if ((layouts AND NOT layout IN_LIST layouts) OR (isas AND NOT isa IN_LIST isas)
            OR NOT type IN_LIST types OR NOT stride_x EQUAL best_stride_x)
            continue()
        elseif (NOT suits OR (tiles AND NOT "${family}_${block}x${columns}" IN_LIST tiles))
            continue()
        endif ()
        # A kernel computes whole blocks of channels, of which the last may be partly wasted.
        math(EXPR lanes "(${outputs} + ${block} - 1) / ${block} * ${block}")
        set(kind ${layout}_${type}_${isa})
        if (NOT DEFINED least_${kind} OR lanes LESS least_${kind})
            set(least_${kind} ${lanes})
        endif ()
        list(APPEND suitable "${variant}")
        list(APPEND kinds "${kind}")
        list(APPEND all_lanes ${lanes})
    endforeach ()
    # Unless the call names tiles, those are left out that compute over 5/4 of the channels that the best tile of their
    # kind computes.
    set(result "")
    foreach (variant kind lanes IN ZIP_LISTS suitable kinds all_lanes)
        math(EXPR most "${least_${kind}} * 5 / 4")
        if (tiles OR NOT lanes GREATER most)
            list(APPEND result "${variant}")
        endif ()
    endforeach ()
    set(${out} "${result}" PARENT_SCOPE)
endfunction()

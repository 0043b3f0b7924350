# unstride_warnings(TARGET): the warnings that all our own code compiles without, and the sanitizers if any were asked
# for.
function(unstride_warnings target)
    target_compile_options(${target} PRIVATE
                           -Wall -Wextra -Wpedantic -Wnon-virtual-dtor $<$<BOOL:${UNSTRIDE_WERROR}>:-Werror>)
    if (UNSTRIDE_SANITIZE)
        target_compile_options(${target} PRIVATE
                               -fsanitize=${UNSTRIDE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
        target_link_options(${target} PUBLIC -fsanitize=${UNSTRIDE_SANITIZE})
    endif ()
endfunction()

# unstride_compile_fast(TARGET): for code whose compilation takes longer than what it does.
function(unstride_compile_fast target)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O0>)
endfunction()

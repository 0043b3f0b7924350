# unstride_warnings(TARGET): the warnings that all our own code compiles without.
function(unstride_warnings target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wnon-virtual-dtor $<$<BOOL:${UNSTRIDE_WERROR}>:-Werror>)
endfunction()

# A build with sanitizers takes its kernels from the build in the folder UNSTRIDE_KERNELS_OF, as they are compiled
# without sanitizers anyway, which takes most of the time of a build. CMake reads this file after UnstrideCatalog.cmake,
# whose function it replaces.

# _unstride_add_object(OUT GENERATOR NAME TYPE ISA PARAMETER=VALUE...) links the object and the header of the other
# build to where that build has compiled them.
function(_unstride_add_object out generator name type isa)
    file(RELATIVE_PATH folder "${PROJECT_BINARY_DIR}" "${CMAKE_CURRENT_BINARY_DIR}")
    file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/kernels")
    foreach (file IN ITEMS "${name}.h" "kernels/${name}.o")
        file(CREATE_LINK "${UNSTRIDE_KERNELS_OF}/${folder}/${file}" "${CMAKE_CURRENT_BINARY_DIR}/${file}" SYMBOLIC)
    endforeach ()
    add_custom_target(${name}.update)  # on which what links the object depends
    set(${out} "${CMAKE_CURRENT_BINARY_DIR}/kernels/${name}.o" PARENT_SCOPE)
endfunction()

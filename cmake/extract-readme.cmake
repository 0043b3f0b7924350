# cmake -DREADME=... -DOUTPUT=... -P extract-readme.cmake: writes the README's C++ example to a file.
file(READ "${README}" text)
if (NOT text MATCHES "```cpp\n(.*)\n```\n\nIt prints")
    message(FATAL_ERROR "the README has no C++ example")
endif ()
file(WRITE "${OUTPUT}" "${CMAKE_MATCH_1}\n")

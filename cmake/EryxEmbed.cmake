# Scripts that become C strings: eryx_embed(FILE NAME) makes NAME.h with `static const char NAME[]`.
function(eryx_embed file name)
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.h
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DNAME=${name}
            -DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/${name}.h
            -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM)
endfunction()

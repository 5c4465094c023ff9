# Who made a result: the program's version and a digest of the sources of the rooms, so that a result
# of another model is known by it. The same for every compiler and build type, with and without git.
#
# Included, it gives scmi_vp_identity(); run with -P at build time it writes the file:
#   cmake -DROOT=<sources> -DVERSION=<version> -DOUT=<file.cpp> -P ScmiVpIdentity.cmake
set(SCMI_VP_MODEL_ROOMS base scmi virtio traces tlm models scenario runs studies)

# What results depend on: no tests, and not the command line, which is part of each result.
function(scmi_vp_model_sources result root)
    set(all)
    foreach(room ${SCMI_VP_MODEL_ROOMS})
        file(GLOB_RECURSE sources RELATIVE "${root}" "${root}/${room}/*.h" "${root}/${room}/*.cpp")
        list(APPEND all ${sources})
    endforeach()
    list(FILTER all EXCLUDE REGEX "_test\\.cpp$|_testing\\.h$")
    list(SORT all)
    set(${result} ${all} PARENT_SCOPE)
endfunction()

# Adds the file to a target; it is made again when a source was touched, compiled when one has changed.
function(scmi_vp_identity target)
    scmi_vp_model_sources(sources "${CMAKE_CURRENT_SOURCE_DIR}")
    list(TRANSFORM sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
    set(script "${CMAKE_CURRENT_SOURCE_DIR}/cmake/ScmiVpIdentity.cmake")
    set(out "${CMAKE_CURRENT_BINARY_DIR}/identity/program_identity.cpp")
    add_custom_command(OUTPUT "${out}"
        COMMAND ${CMAKE_COMMAND} "-DROOT=${CMAKE_CURRENT_SOURCE_DIR}" "-DVERSION=${PROJECT_VERSION}"
            "-DOUT=${out}" -P "${script}"
        DEPENDS ${sources} "${script}" COMMENT "The digest of the sources" VERBATIM)
    target_sources(${target} PRIVATE "${out}")
    set_source_files_properties("${out}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
    scmi_vp_model_sources(sources "${ROOT}")
    set(all "")
    foreach(source ${sources})
        file(SHA256 "${ROOT}/${source}" digest)
        string(APPEND all "${source} ${digest}\n")
    endforeach()
    string(SHA256 digest "${all}")
    string(SUBSTRING "${digest}" 0 32 digest)
    file(CONFIGURE OUTPUT "${OUT}" @ONLY CONTENT [[
// Made by cmake/ScmiVpIdentity.cmake.
#include "runs/program_identity.h"

namespace scmi_vp::runs {

const char* const program_version = "@VERSION@";
const char* const source_digest = "@digest@";

}  // namespace scmi_vp::runs
]])
endif()

# Optimisation by profile, in two builds: SCMI_VP_PROFILE=TRAIN instruments, what it runs is counted in
# SCMI_VP_PROFILE_DIR, and SCMI_VP_PROFILE=USE puts the code that was counted side by side, across
# files too. The same results in 10 to 30 % less time (bench/README.md). tools/build-profiled does it all.
set(SCMI_VP_PROFILE_DIR "${CMAKE_SOURCE_DIR}/build/profile" CACHE PATH "Where counts are written and read")
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
    message(FATAL_ERROR "SCMI_VP_PROFILE needs gcc 12 or later; leave it empty, or set CMAKE_CXX_COMPILER")
endif()
# Names of counts are those of object files within the build folder: both builds agree on them.
set(names "-fprofile-prefix-path=${CMAKE_BINARY_DIR}")
if(SCMI_VP_PROFILE STREQUAL "TRAIN")
    set(profile "-fprofile-generate=${SCMI_VP_PROFILE_DIR}" -fprofile-update=single ${names})
    target_link_options(scmi_vp_options INTERFACE ${profile})
elseif(SCMI_VP_PROFILE STREQUAL "USE")
    # Code that was changed since is compiled as if there were no counts; what never ran has none.
    # Code at fixed addresses takes a twentieth less time.
    set(profile "-fprofile-use=${SCMI_VP_PROFILE_DIR}" ${names} -Wno-missing-profile
        -Wno-coverage-mismatch -flto=auto -fno-pie)
    # With all files in sight gcc 12 warns about its own library; the other builds warn about ours.
    target_link_options(scmi_vp_options INTERFACE ${profile} -no-pie -w)
else()
    message(FATAL_ERROR "SCMI_VP_PROFILE is ${SCMI_VP_PROFILE}, not TRAIN or USE")
endif()
target_compile_options(scmi_vp_options INTERFACE ${profile})

# One function per kind of room: a room is a folder, a library scmi_vp::<room> and a test program
# <room>_test made of the *_test.cpp beside the code they test.
include(GoogleTest)
if(SCMI_VP_TESTS)
    enable_testing()
    find_package(GTest REQUIRED)
endif()

add_library(scmi_vp_options INTERFACE)
# -iquote, not -I: the folder tlm/ must never be found in place of the header <tlm>.
# fp-contract=off: gcc and clang must compute the same numbers.
target_compile_options(scmi_vp_options INTERFACE
    "SHELL:-iquote \"${CMAKE_CURRENT_SOURCE_DIR}\"" -ffp-contract=off
    -Wall -Wextra -Wshadow -Wno-unused-parameter $<$<BOOL:${SCMI_VP_WERROR}>:-Werror>)
# Records of 100 to 300 bytes are reset and copied for every request: "rep stos", which gcc would put
# there, costs more to start than the call does in all.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-mstringop-strategy=libcall SCMI_VP_HAS_STRINGOP_STRATEGY)
if(SCMI_VP_HAS_STRINGOP_STRATEGY)
    target_compile_options(scmi_vp_options INTERFACE -mstringop-strategy=libcall)
endif()
# Records are read right after they were written field by field: a load of several fields at once would
# wait until all of these stores have left the CPU's store queue.
target_compile_options(scmi_vp_options INTERFACE -fno-tree-vectorize -fno-tree-slp-vectorize)
target_compile_features(scmi_vp_options INTERFACE cxx_std_17)
if(SCMI_VP_SANITIZE)
    # With sanitizers gcc 12 takes std::regex for a user of things that are not set.
    target_compile_options(scmi_vp_options INTERFACE -fsanitize=${SCMI_VP_SANITIZE} -fno-omit-frame-pointer
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(scmi_vp_options INTERFACE -fsanitize=${SCMI_VP_SANITIZE})
endif()
if(SCMI_VP_COVERAGE)
    target_compile_options(scmi_vp_options INTERFACE --coverage -O0)
    target_link_options(scmi_vp_options INTERFACE --coverage)
endif()
if(SCMI_VP_PROFILE)
    include(ScmiVpProfile)
endif()

function(scmi_vp_room room)
    cmake_parse_arguments(R "SYSTEMC" "PROGRAM" "DEPENDS;SYSTEM_INCLUDE" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS "${room}/*.cpp" "${room}/*/*.cpp" "${room}/*/*/*.cpp")
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
    set(main "${CMAKE_CURRENT_SOURCE_DIR}/${room}/main.cpp")
    list(REMOVE_ITEM sources "${main}")

    if(sources)
        add_library(scmi_vp_${room} STATIC ${sources})
        set(scope PUBLIC)
    else()
        add_library(scmi_vp_${room} INTERFACE)
        set(scope INTERFACE)
    endif()
    add_library(scmi_vp::${room} ALIAS scmi_vp_${room})
    target_link_libraries(scmi_vp_${room} ${scope} scmi_vp_options ${R_DEPENDS})
    if(R_SYSTEM_INCLUDE)
        target_include_directories(scmi_vp_${room} SYSTEM ${scope} ${R_SYSTEM_INCLUDE})
    endif()
    if(R_SYSTEMC)
        target_link_libraries(scmi_vp_${room} ${scope} SystemC::systemc)
        if(sources)
            target_precompile_headers(scmi_vp_${room} PRIVATE <systemc> <tlm>)
        endif()
    endif()
    if(R_PROGRAM AND EXISTS "${main}")
        add_executable(${R_PROGRAM} "${main}")
        target_link_libraries(${R_PROGRAM} PRIVATE scmi_vp_${room})
        target_compile_definitions(${R_PROGRAM} PRIVATE SCMI_VP_VERSION="${PROJECT_VERSION}")
        set_target_properties(${R_PROGRAM} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
    endif()

    if(SCMI_VP_TESTS AND tests)
        add_executable(${room}_test ${tests})
        target_link_libraries(${room}_test PRIVATE scmi_vp_${room} GTest::gtest GTest::gmock)
        if(R_SYSTEMC)
            # SystemC elaborates once per process: every test runs in a process of its own.
            target_sources(${room}_test PRIVATE "${CMAKE_SOURCE_DIR}/tlm/test_main.cc")
        else()
            target_link_libraries(${room}_test PRIVATE GTest::gtest_main)
        endif()
        target_compile_definitions(${room}_test PRIVATE
            SCMI_VP_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SCMI_VP_BINARY_DIR="${CMAKE_BINARY_DIR}")
        # Tests whose name ends in _heavy run in ./test --all only.
        gtest_discover_tests(${room}_test TEST_FILTER "-*_heavy" PROPERTIES TIMEOUT 120
            DISCOVERY_TIMEOUT 60)
        gtest_discover_tests(${room}_test TEST_FILTER "*_heavy" TEST_LIST ${room}_heavy_tests
            PROPERTIES TIMEOUT 1200 LABELS heavy DISCOVERY_TIMEOUT 60)
    endif()
endfunction()

# Each bench/<name>.cpp is a program bench_<name>.
function(scmi_vp_benchmarks room)
    cmake_parse_arguments(R "" "" "DEPENDS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS "${room}/*.cpp")
    foreach(source ${sources})
        get_filename_component(name "${source}" NAME_WE)
        add_executable(bench_${name} "${source}")
        target_link_libraries(bench_${name} PRIVATE ${R_DEPENDS})
        target_compile_definitions(bench_${name} PRIVATE
            SCMI_VP_BENCH_DIR="${CMAKE_CURRENT_SOURCE_DIR}/${room}")
    endforeach()
endfunction()

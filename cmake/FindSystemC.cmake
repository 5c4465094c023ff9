# Gives SystemC::systemc, from Debian's pkg-config files or an Accellera 3.x CMake package.
#
# Debian ships systemc.pc and tlm.pc but no CMake package; Accellera installs SystemCLanguage.
find_package(SystemCLanguage CONFIG QUIET)
if(TARGET SystemC::systemc)
    set(SystemC_FOUND TRUE)
    set(SystemC_VERSION "${SystemCLanguage_VERSION}")
    set(SystemC_LIBRARY SystemC::systemc)
else()
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
        pkg_check_modules(PC_SYSTEMC QUIET systemc)
    endif()
    find_path(SystemC_INCLUDE_DIR NAMES systemc HINTS ${PC_SYSTEMC_INCLUDE_DIRS})
    find_library(SystemC_LIBRARY NAMES systemc HINTS ${PC_SYSTEMC_LIBRARY_DIRS})
    set(SystemC_VERSION "${PC_SYSTEMC_VERSION}")
    mark_as_advanced(SystemC_INCLUDE_DIR SystemC_LIBRARY)
    if(SystemC_INCLUDE_DIR AND SystemC_LIBRARY)
        find_package(Threads REQUIRED)
        add_library(SystemC::systemc UNKNOWN IMPORTED)
        set_target_properties(SystemC::systemc PROPERTIES
            IMPORTED_LOCATION "${SystemC_LIBRARY}"
            INTERFACE_INCLUDE_DIRECTORIES "${SystemC_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES Threads::Threads)
    endif()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SystemC REQUIRED_VARS SystemC_LIBRARY VERSION_VAR SystemC_VERSION
    REASON_FAILURE_MESSAGE "install libsystemc-dev (Debian) or an Accellera SystemC built for C++17")

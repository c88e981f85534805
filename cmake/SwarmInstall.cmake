# `cmake --install build/release --prefix P` installs the programs, and SwarmClient as a CMake package (find_package(swarm-client), target
# swarm::client) with a pkg-config file (swarm-client).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS swarm swarm-agent swarm-ssh RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)

# All of our headers are installed below swarm/: "base/error.h" becomes "swarm/base/error.h".
set(public_headers client.h base/clock.h base/error.h base/secret.h base/strong_id.h model/archive.h model/queries.h model/requests.h)
file(GLOB_RECURSE types RELATIVE ${CMAKE_SOURCE_DIR}/src CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/model/types/*.h)
list(APPEND public_headers ${types})
foreach(header IN LISTS public_headers)
  set(source ${CMAKE_SOURCE_DIR}/src/${header})
  if(header STREQUAL client.h)
    set(source ${CMAKE_SOURCE_DIR}/include/swarm/client.h)
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(REGEX REPLACE "#include \"(base|model)/" "#include \"swarm/\\1/" text "${text}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/public/swarm/${header} CONTENT "${text}" @ONLY)
endforeach()
install(DIRECTORY ${CMAKE_BINARY_DIR}/public/swarm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT client)

set_target_properties(swarm_client PROPERTIES EXPORT_NAME client)
# The headers require C++20; the library itself is compiled with a newer standard.
target_compile_features(swarm_client INTERFACE cxx_std_20)
install(TARGETS swarm_client swarm_net swarm_async swarm_model swarm_protocol swarm_base swarm_options EXPORT swarm-client ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        COMPONENT client INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/swarm-client)
install(EXPORT swarm-client NAMESPACE swarm:: DESTINATION ${package} COMPONENT client)
file(WRITE ${CMAKE_BINARY_DIR}/swarm-client-config.cmake [[
include(CMakeFindDependencyMacro)
find_dependency(Boost 1.81 COMPONENTS json url)
find_dependency(OpenSSL 3)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/swarm-client.cmake)
]])
write_basic_package_version_file(${CMAKE_BINARY_DIR}/swarm-client-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/swarm-client-config.cmake ${CMAKE_BINARY_DIR}/swarm-client-config-version.cmake DESTINATION ${package}
        COMPONENT client)

set(description "Client library of VSCode Remote Swarm")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/swarm-client.pc @ONLY CONTENT [[
prefix=${pcfiledir}/../..
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@

Name: swarm-client
Description: @description@
Version: @PROJECT_VERSION@
Requires: openssl >= 3
Cflags: -I${includedir}
Libs: -L${libdir} -lswarm_client -lswarm_net -lswarm_async -lswarm_model -lswarm_protocol -lswarm_base -lboost_json -lboost_url -pthread
]])
install(FILES ${CMAKE_BINARY_DIR}/swarm-client.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT client)

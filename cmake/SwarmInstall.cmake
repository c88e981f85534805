# `cmake --install build/release --prefix P`: the programs, and SwarmClient as a CMake package (find_package(swarm-client), target swarm::client).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS swarm swarm-agent RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)

set(headers ${CMAKE_INSTALL_INCLUDEDIR}/swarm-client)
install(DIRECTORY include/swarm DESTINATION ${headers} COMPONENT client)
install(FILES src/base/clock.h src/base/error.h src/base/secret.h DESTINATION ${headers}/base COMPONENT client)
install(FILES src/model/archive.h src/model/types.h DESTINATION ${headers}/model COMPONENT client)

set_target_properties(swarm_client PROPERTIES EXPORT_NAME client)
install(TARGETS swarm_client swarm_net swarm_model swarm_base swarm_options EXPORT swarm-client ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        COMPONENT client)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/swarm-client)
install(EXPORT swarm-client NAMESPACE swarm:: DESTINATION ${package} COMPONENT client)
file(WRITE ${CMAKE_BINARY_DIR}/swarm-client-config.cmake [[
include(CMakeFindDependencyMacro)
set(Boost_USE_STATIC_LIBS ON)
find_dependency(Boost 1.81 COMPONENTS json url)
find_dependency(OpenSSL 3)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/swarm-client.cmake)
]])
write_basic_package_version_file(${CMAKE_BINARY_DIR}/swarm-client-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/swarm-client-config.cmake ${CMAKE_BINARY_DIR}/swarm-client-config-version.cmake DESTINATION ${package}
        COMPONENT client)

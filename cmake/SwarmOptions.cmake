# Language level, warnings, sanitizers, and the libraries that every layer may use.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_SOURCE_DIR}/cmake/with_ccache.sh)
endif()

find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
set(OPENSSL_USE_STATIC_LIBS OFF)
find_package(OpenSSL 3 REQUIRED)

add_library(swarm_options INTERFACE)
# The installed library (SwarmInstall.cmake) keeps the layers' folders below include/swarm-client, and none of our warnings.
target_include_directories(swarm_options INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
                                                   $<INSTALL_INTERFACE:include/swarm-client>)
# -fPIC everywhere: a precompiled header serves either PIC or PIE.
set(own_flags -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wsuggest-override
              -Wzero-as-null-pointer-constant -Wrange-loop-analysis -Werror -fPIC
              "SHELL:-Xclang -fno-pch-timestamp")
foreach(flag IN LISTS own_flags)
  target_compile_options(swarm_options INTERFACE $<BUILD_INTERFACE:${flag}>)
endforeach()
target_compile_definitions(swarm_options INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_USE_STD_STRING_VIEW
                                                   SWARM_VERSION="${PROJECT_VERSION}")
target_link_options(swarm_options INTERFACE $<BUILD_INTERFACE:-fuse-ld=lld>)
target_link_libraries(swarm_options INTERFACE Boost::headers Boost::json Boost::url Threads::Threads)
if(SWARM_TESTS)
  target_compile_definitions(swarm_options INTERFACE SWARM_FAULT_POINTS)
endif()
if(SWARM_SANITIZE)
  target_compile_options(swarm_options INTERFACE -fsanitize=${SWARM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(swarm_options INTERFACE -fsanitize=${SWARM_SANITIZE})
endif()

# One precompiled header for all layers: the standard library, Asio's coroutines and JSON values cost 3 s per translation unit without it.
file(WRITE ${CMAKE_BINARY_DIR}/pch_anchor.cc "// Compiles the shared precompiled header.\n")
add_library(swarm_pch OBJECT ${CMAKE_BINARY_DIR}/pch_anchor.cc)
target_link_libraries(swarm_pch PUBLIC swarm_options)
# By its short name: the header that CMake makes of it is then the same in every checkout, as ccache wants it.
target_precompile_headers(swarm_pch PRIVATE [["base/pch.h"]])
file(SHA256 ${CMAKE_SOURCE_DIR}/src/base/pch.h pch_digest)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/base/pch.h)
file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/swarm_pch.dir/cmake_pch.hxx.pch.sum
     "${pch_digest} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${SWARM_SANITIZE} Boost ${Boost_VERSION}\n")

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
# BUILD_INTERFACE: the installed library (SwarmInstall.cmake) exports none of our folders, warnings and definitions.
target_include_directories(swarm_options INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
# -fPIC everywhere, because a precompiled header fits either PIC or PIE. Hidden symbols, so that a shared library with SwarmClient
# exports only its own names.
set(own_flags -fvisibility=hidden -fvisibility-inlines-hidden -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
              -Wimplicit-fallthrough -Wsuggest-override
              -Wzero-as-null-pointer-constant -Wrange-loop-analysis -Werror -fPIC
              "SHELL:-Xclang -fno-pch-timestamp")
foreach(flag IN LISTS own_flags)
  target_compile_options(swarm_options INTERFACE $<BUILD_INTERFACE:${flag}>)
endforeach()
foreach(definition BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION SWARM_VERSION="${PROJECT_VERSION}")
  target_compile_definitions(swarm_options INTERFACE $<BUILD_INTERFACE:${definition}>)
endforeach()
target_link_options(swarm_options INTERFACE $<BUILD_INTERFACE:-fuse-ld=lld>)
target_link_libraries(swarm_options INTERFACE Boost::headers Boost::json Boost::url Threads::Threads)
if(SWARM_TESTS)
  target_compile_definitions(swarm_options INTERFACE $<BUILD_INTERFACE:SWARM_FAULT_POINTS>)
endif()
if(SWARM_SANITIZE)
  target_compile_options(swarm_options INTERFACE -fsanitize=${SWARM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(swarm_options INTERFACE -fsanitize=${SWARM_SANITIZE})
endif()

# swarm_precompiled(NAME FOLDER HEADER LIBS...): a precompiled header that other targets reuse. The header is named relative to FOLDER, so
# that the file that CMake generates is equal in every checkout, as ccache requires (with_ccache.sh); the .sum file stands for its bytes.
function(swarm_precompiled name folder header)
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cc "// Compiles a precompiled header.\n")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PUBLIC swarm_options ${ARGN})
  target_include_directories(${name} PRIVATE ${folder})
  target_precompile_headers(${name} PRIVATE "\"${header}\"")
  file(SHA256 ${CMAKE_SOURCE_DIR}/src/base/pch.h base_digest)
  file(SHA256 ${folder}/${header} own_digest)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/base/pch.h ${folder}/${header})
  file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/${name}.dir/cmake_pch.hxx.pch.sum
       "${base_digest} ${own_digest} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${SWARM_SANITIZE} Boost ${Boost_VERSION} GTest ${GTest_VERSION}\n")
endfunction()

# The standard library, Asio's coroutines and JSON values, which nearly every translation unit includes: 3 s each without a precompiled header.
swarm_precompiled(swarm_pch ${CMAKE_SOURCE_DIR}/src base/pch.h)
find_package(GTest QUIET)
if(SWARM_TESTS AND GTest_FOUND)
  swarm_precompiled(swarm_test_pch ${CMAKE_SOURCE_DIR}/tests support/pch.h GTest::gmock)
endif()

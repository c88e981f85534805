#!/bin/sh
# Compiles through ccache, so that checkouts and build folders share results. Paths are made relative. The precompiled header contains its own
# path, so its .sum file (SwarmOptions.cmake) identifies it, and the header itself is never cached.
# Depend mode reads the includes from the compiler's dependency list; preprocessing first would cost a fifth of a compilation.
# -Xclang carries only that header's path and one constant flag.
case " $* " in *" -emit-pch "*) exec "$@" ;; esac
CCACHE_BASEDIR=$(dirname "$(dirname "$0")")
export CCACHE_DEPEND=1 CCACHE_BASEDIR CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 CCACHE_IGNOREOPTIONS=-Xclang
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
exec ccache "$@"

#!/bin/sh
# Compiles through ccache, so that two checkouts and two build folders share what they compiled. Paths are made relative; the precompiled header, whose
# bytes hold its own path, stands for what it was made from (its .sum file: SwarmOptions.cmake) and is itself never taken from the cache.
# Depend mode: what was included is learnt from the compiler's own list; to preprocess first would cost a fifth of a compilation.
# What -Xclang carries is that header's path and one flag that never changes.
case " $* " in *" -emit-pch "*) exec "$@" ;; esac
CCACHE_BASEDIR=$(dirname "$(dirname "$0")")
export CCACHE_DEPEND=1 CCACHE_BASEDIR CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 CCACHE_IGNOREOPTIONS=-Xclang
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
exec ccache "$@"

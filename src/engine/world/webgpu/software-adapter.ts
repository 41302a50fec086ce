/** Whether an adapter computes on the processor: what browsers mark as a fallback, and Mesa's and Chromium's rasterisers. */
export function isSoftware(adapter: GPUAdapter): boolean {
  return isSoftwareInfo(adapter.info);
}

/** The same from what a device tells of its adapter. */
export function isSoftwareInfo(info: GPUAdapterInfo): boolean {
  const marked = (info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  return (
    marked || /swiftshader|llvmpipe|lavapipe/i.test(`${info.architecture} ${info.device} ${info.description}`)
  );
}

/** Counts the bytes of the buffers that live on a device, by watching them come and go. */
export class DeviceMemory {
  #live = 0;
  #most = 0;
  readonly #sizes = new WeakMap<GPUBuffer, number>();

  /** Watches a device from now on. */
  constructor(device: GPUDevice) {
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      this.#sizes.set(buffer, buffer.size);
      this.#live += buffer.size;
      this.#most = Math.max(this.#most, this.#live);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        this.#live -= this.#sizes.get(buffer) ?? 0;
        this.#sizes.delete(buffer);
        destroy();
      };
      return buffer;
    };
  }

  /** Bytes now. */
  get live(): number {
    return this.#live;
  }

  /** Most bytes at any time. */
  get most(): number {
    return this.#most;
  }
}

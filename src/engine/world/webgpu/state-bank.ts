import type { Binding, Gpu } from './gpu.ts';
import type { Place } from './operation.ts';
import { PassMemory } from './pass-memory.ts';
import { type BoundOperation, bindOperations, type Plan, type Section } from './plan.ts';
import type { MergedPlans } from './world-plans.ts';
import type { WorldSpec } from '../../package/model-json.ts';
import { stateSizes } from './state-sizes.ts';

export type BoundPlan = Readonly<Record<Section, readonly BoundOperation[]>>;

/** States of one layer. */
export interface LayerStates {
  /** [slots, blocks, H, N, P] */
  scan: GPUBuffer;
  /** [slots, 2, 2, F·S, d], for every rollout a ring of two chunks: keys, values; f32 or f16 (`keptNumber`). */
  cache: GPUBuffer;
}

/** The buffer behind a place of an operation of a plan that is bound for a bank. */
export type Resolve = (place: Place, plan: Plan, bank: StateBank) => Binding;

/** A place for one rollout's state. The bank changes when it grows; the slot does not. */
export interface Lease {
  bank: StateBank;
  readonly slot: number;
}

/** The states of some rollouts, each in a slot of common buffers: one pass can go over all of them. */
export class StateBank {
  readonly capacity: number;
  readonly layers: readonly LayerStates[];
  /** Of passes over several rollouts; null where there is but one slot. */
  readonly memory: PassMemory | null;
  /** By slot. */
  readonly leases: (Lease | undefined)[];
  /** No memory was found for more slots. */
  full = false;
  readonly #gpu: Gpu;
  /** Slots that hold what an earlier rollout left. */
  readonly #left = new Set<number>();
  readonly #bound = new Map<Plan, Promise<BoundPlan>>();

  private constructor(gpu: Gpu, capacity: number, layers: readonly LayerStates[], memory: PassMemory | null) {
    this.#gpu = gpu;
    this.capacity = capacity;
    this.layers = layers;
    this.memory = memory;
    this.leases = Array.from({ length: capacity }, () => undefined);
  }

  /**
   * Allocates a bank, all states zero.
   * @param kept what keys and values are kept as
   * @param merged makes the plans of passes over several of its rollouts
   * @throws OutOfGpuMemoryError, DeviceLostError
   */
  static async create(
    gpu: Gpu,
    spec: WorldSpec,
    merged: MergedPlans,
    kept: 'f16' | 'f32',
    capacity: number,
  ): Promise<StateBank> {
    return gpu.allocate(() => {
      const layers = stateSizes(spec).map(({ scan, cache }, layer) => ({
        scan: gpu.storage(`scan ${layer}`, capacity * scan * 4),
        cache: gpu.storage(`cache ${layer}`, capacity * 4 * cache * (kept === 'f16' ? 2 : 4)),
      }));
      const plans = capacity > 1 ? [merged.denoise(capacity), merged.commit(capacity)] : [];
      return new StateBank(gpu, capacity, layers, capacity > 1 ? new PassMemory(gpu, spec, plans) : null);
    });
  }

  /** A free slot with a state of zeros; undefined when there is none. */
  rent(): Lease | undefined {
    const slot = this.leases.indexOf(undefined);
    if (slot < 0) return undefined;
    if (this.#left.delete(slot)) this.#clear(slot);
    return (this.leases[slot] = { bank: this, slot });
  }

  /** Gives a slot back. @returns whether nobody has one any more */
  free({ slot }: Lease): boolean {
    this.leases[slot] = undefined;
    this.#left.add(slot);
    return this.leases.every((lease) => lease === undefined);
  }

  /** Takes over the states and leases of a smaller bank, which is gone then. */
  takeOver(smaller: StateBank): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'states' });
    smaller.layers.forEach(({ scan, cache }, index) => {
      const own = this.layers[index]!;
      encoder.copyBufferToBuffer(scan, 0, own.scan, 0, scan.size);
      encoder.copyBufferToBuffer(cache, 0, own.cache, 0, cache.size);
    });
    this.#gpu.device.queue.submit([encoder.finish()]);
    smaller.leases.forEach((lease, slot) => {
      if (lease) lease.bank = this;
      else this.#left.add(slot);
      this.leases[slot] = lease;
    });
    smaller.destroy();
  }

  /** A plan's operations with their pipelines and buffers; made once. */
  bound(plan: Plan, resolve: Resolve): Promise<BoundPlan> {
    let bound = this.#bound.get(plan);
    if (!bound) {
      bound = this.#bind(plan, resolve);
      this.#bound.set(plan, bound);
    }
    return bound;
  }

  destroy(): void {
    for (const { scan, cache } of this.layers) {
      scan.destroy();
      cache.destroy();
    }
    this.memory?.destroy();
  }

  async #bind(plan: Plan, resolve: Resolve): Promise<BoundPlan> {
    const bind = (section: Section): Promise<BoundOperation[]> =>
      bindOperations(this.#gpu, plan.sections[section], (place) => resolve(place, plan, this));
    return { before: await bind('before'), step: await bind('step') };
  }

  #clear(slot: number): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'states' });
    for (const buffer of this.layers.flatMap(({ scan, cache }) => [scan, cache])) {
      const bytes = buffer.size / this.capacity;
      encoder.clearBuffer(buffer, slot * bytes, bytes);
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
  }
}
